"""A pool's own certificate authority: who is in is whom it has certified.

It makes three kinds of certificates, all with EC keys on P-256. Its own one signs the others. The
server's is good for serving only, a machine's for calling only, so no machine can pose as the
coordinator to another one. Nobody else's authorities count: a pool is closed, and its members
know the fingerprint of this one from their join token.

The authority's key is read by the process that lets machines join, and by no other.
"""

import hashlib
import re
from base64 import b32encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tandem.adapters.lan.contexts import SERVER_NAME
from tandem.adapters.lan.files import held, write_private
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.domain.errors import ConfigurationError

AUTHORITY_DAYS: Final = 3_650
SERVER_DAYS: Final = 365
MACHINE_DAYS: Final = 365
RENEW_DAYS: Final = 180  # a server certificate with less than this left is made anew
REQUEST_BYTES_MAX: Final = 8_192
_EARLIER: Final = timedelta(days=1)  # clocks of computers differ
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_ID_LENGTH: Final = 10
_MESSAGING: Final = re.compile(r"urn:tandem:messaging:([0-9a-f]{64})")


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A machine's certificate, and what it is known by: serial number and hash of its key."""

    certificate: bytes
    serial: str
    key: str
    expires_s: int


class Authority:
    """The authority of one pool; its files are in `folder`."""

    def __init__(
        self, folder: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate
    ) -> None:
        self._folder = folder
        self._key = key
        self._certificate = certificate

    @property
    def certificate(self) -> bytes:
        """Its own certificate, PEM: not secret."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def fingerprint(self) -> bytes:
        """SHA-256 of its certificate."""
        return fingerprint_of(self.certificate)

    @property
    def pool_id(self) -> str:
        """What the pool is called on the LAN."""
        return pool_id_of(self.fingerprint)

    def certify_server(self, now_s: int) -> None:
        """See that `server.crt` and `server.key` in the folder are good for half a year more."""
        path = self._folder / "server.crt"
        now = datetime.fromtimestamp(now_s, UTC)
        with held(self._folder):
            if self._is_good(path, now + timedelta(days=RENEW_DAYS)):
                return
            key = ec.generate_private_key(ec.SECP256R1())
            names = x509.SubjectAlternativeName([x509.DNSName(SERVER_NAME)])
            certificate = (
                self._begun(key.public_key(), SERVER_NAME, now=now, days=SERVER_DAYS)
                .add_extension(names, critical=False)
                .add_extension(_use(ExtendedKeyUsageOID.SERVER_AUTH), critical=True)
                .sign(self._key, hashes.SHA256())
            )
            # The key first: a certificate without its key would be taken for good.
            write_private(self._folder / "server.key", private_pem(key))
            write_private(path, certificate.public_bytes(serialization.Encoding.PEM))

    def _is_good(self, path: Path, until: datetime) -> bool:
        try:
            certificate = x509.load_pem_x509_certificate(path.read_bytes())
            certificate.verify_directly_issued_by(self._certificate)
        except (FileNotFoundError, ValueError, InvalidSignature):
            return False
        return certificate.not_valid_after_utc > until

    def sign(self, request: bytes, *, name: str, now_s: int, days: int = MACHINE_DAYS) -> Signed:
        """Return a certificate for the machine `name` with the key of `request` (PEM).

        What the request says about its sender does not count, only its key and its signature,
        which proves that the sender has the key.

        Raises:
            JoinRefusedError: the name or the request cannot be.
        """
        refuse_bad_name(name)
        public = key_in(request)
        now = datetime.fromtimestamp(now_s, UTC)
        certificate = (
            self._begun(public, name, now=now, days=days)
            .add_extension(_use(ExtendedKeyUsageOID.CLIENT_AUTH), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        return Signed(
            certificate=certificate.public_bytes(serialization.Encoding.PEM),
            serial=serial_text(certificate.serial_number),
            key=key_hash(public),
            expires_s=int(certificate.not_valid_after_utc.timestamp()),
        )

    def _begun(
        self, key: ec.EllipticCurvePublicKey, name: str, *, now: datetime, days: int
    ) -> x509.CertificateBuilder:
        ours = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            _begun(key, name, now=now, days=days)
            .issuer_name(self._certificate.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(ours, critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
        )


def take_authority(folder: Path, now_s: int) -> Authority:
    """Return the authority whose files are in `folder`, made now when there is none.

    Raises:
        ConfigurationError: its files are damaged.
    """
    key_path, path = folder / "authority.key", folder / "authority.crt"
    with held(folder):
        if not path.exists():
            key = ec.generate_private_key(ec.SECP256R1())
            write_private(key_path, private_pem(key))
            made = _own(key, datetime.fromtimestamp(now_s, UTC))
            write_private(path, made.public_bytes(serialization.Encoding.PEM))
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        read = serialization.load_pem_private_key(key_path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigurationError(f"{folder}: the pool's authority is damaged: {error}") from error
    if not isinstance(read, ec.EllipticCurvePrivateKey):
        raise ConfigurationError(f"{key_path}: expected an EC key")
    if read.public_key() != certificate.public_key():
        raise ConfigurationError(f"{folder}: key and certificate of the authority do not match")
    return Authority(folder, read, certificate)


def _own(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    public = key.public_key()
    return (
        _begun(public, "Tandem pool", now=now, days=AUTHORITY_DAYS)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tandem pool")]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _begun(
    key: ec.EllipticCurvePublicKey, name: str, *, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(now - _EARLIER, now + timedelta(days=days) - _EARLIER))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _use(purpose: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([purpose])


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def fingerprint_of(certificate: bytes) -> bytes:
    """Return SHA-256 of a PEM certificate.

    Raises:
        ValueError: it is none.
    """
    return x509.load_pem_x509_certificate(certificate).fingerprint(hashes.SHA256())


def pool_id_of(fingerprint: bytes) -> str:
    """Return what the pool of that authority is called."""
    return "tandem-" + b32encode(fingerprint).decode().lower()[:_ID_LENGTH]


def refuse_bad_name(name: str) -> None:
    """See that a machine can be called so.

    Raises:
        JoinRefusedError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise JoinRefusedError(
            f"machine name {name[:80]!r}: expected 1 to 63 of a-z, 0-9 and -, not beginning with -"
        )


def key_in(request: bytes) -> ec.EllipticCurvePublicKey:
    """Return the key in a certificate request whose sender has proved to have it.

    Raises:
        JoinRefusedError: it is no such request.
    """
    if len(request) > REQUEST_BYTES_MAX:
        raise JoinRefusedError(
            f"certificate request of {len(request)} bytes, expected {REQUEST_BYTES_MAX} at most"
        )
    try:
        read = x509.load_pem_x509_csr(request)
        public = read.public_key()
        is_proved = read.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise JoinRefusedError(f"certificate request: {error}") from error
    if not is_proved:
        raise JoinRefusedError("certificate request: its signature is wrong")
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise JoinRefusedError("certificate request: expected an EC key on P-256")
    return public


def messaging_in(request: bytes) -> str | None:
    """Return the messaging key (CURVE, public, hex) in a request that `key_in` has passed.

    The request is signed with the machine's own key, so nobody can put another one into it. None:
    its sender has none.

    Raises:
        JoinRefusedError: it is no such key.
    """
    try:
        names = x509.load_pem_x509_csr(request).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
        said = names.value.get_values_for_type(x509.UniformResourceIdentifier)
    except x509.ExtensionNotFound:
        return None
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise JoinRefusedError(f"certificate request: {error}") from error
    found = _MESSAGING.fullmatch(said[0]) if len(said) == 1 else None
    if found is None:
        raise JoinRefusedError("certificate request: expected one messaging key of 32 bytes in hex")
    return found[1]


def key_hash(key: ec.EllipticCurvePublicKey) -> str:
    """Return what a key is known by."""
    encoded = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(encoded).hexdigest()


def serial_text(serial: int) -> str:
    """Return a serial number as the `ssl` module writes it."""
    text = f"{serial:X}"
    return text if len(text) % 2 == 0 else f"0{text}"


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key for a file that only we can read."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def new_key() -> bytes:
    """Return a new private key, PEM."""
    return private_pem(ec.generate_private_key(ec.SECP256R1()))


def request_for(key: bytes, name: str, *, messaging: str | None = None) -> bytes:
    """Return a certificate request (PEM) of the holder of that private key (PEM).

    `messaging` is the public half of a CURVE key of its own, in hex.

    Raises:
        ConfigurationError: it is no such key.
    """
    try:
        read = serialization.load_pem_private_key(key, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigurationError(f"the machine's private key is damaged: {error}") from error
    if not isinstance(read, ec.EllipticCurvePrivateKey):
        raise ConfigurationError("the machine's private key: expected an EC key")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    if messaging is not None:
        said = x509.UniformResourceIdentifier(f"urn:tandem:messaging:{messaging}")
        request = request.add_extension(x509.SubjectAlternativeName([said]), critical=False)
    signed = request.sign(read, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)
