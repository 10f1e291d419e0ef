"""TLS settings: version 1.3 and nothing older, and only our pool's own authority counts."""

import ssl
from pathlib import Path
from typing import Final

from tandem.domain.errors import ConfigurationError

SERVER_NAME: Final = "coordinator"  # one name in every pool: the authority tells them apart


def serving(folder: Path, *, asks_certificate: bool) -> ssl.SSLContext:
    """Return how a pool serves: with `server.crt`, to machines of `authority.crt` if asked.

    Raises:
        ConfigurationError: the files are not there, or damaged.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Every connection shows its certificate anew: a resumed one would not notice an expiry.
    context.num_tickets = 0
    if asks_certificate:
        context.verify_mode = ssl.CERT_REQUIRED
    _load(context, folder / "authority.crt", folder / "server.crt", folder / "server.key")
    return context


def dialing(folder: Path) -> ssl.SSLContext:
    """Return how a machine calls its pool: both sides show certificates.

    Raises:
        ConfigurationError: the files are not there, or damaged.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, folder / "authority.crt", folder / "machine.crt", folder / "machine.key")
    return context


def joining(authority: str) -> ssl.SSLContext:
    """Return how a computer calls a pool of which it knows the authority (PEM) only.

    Raises:
        ConfigurationError: that is no certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(f"the pool's certificate is damaged: {error}") from error
    return _strict(context)


def asking() -> ssl.SSLContext:
    """Return how a computer asks a stranger for the certificate of its authority.

    Whoever answers is not believed: what it says is compared with the fingerprint in the token,
    and then it is called again with `joining`.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return _strict(context)


def _load(context: ssl.SSLContext, authority: Path, certificate: Path, key: Path) -> None:
    try:
        context.load_verify_locations(cafile=authority)
        context.load_cert_chain(certificate, key)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"{certificate.parent}: its certificates cannot be used: {reason}"
        ) from error
    _strict(context)


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context
