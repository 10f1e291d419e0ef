"""Certificates: who signs what, and what is never signed."""

import stat
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.adapters.lan.authority import (
    REQUEST_BYTES_MAX,
    Authority,
    fingerprint_of,
    key_hash,
    key_in,
    messaging_in,
    new_key,
    pool_id_of,
    refuse_bad_name,
    request_for,
    take_authority,
)
from tandem.adapters.lan.refusals import JoinRefusedError
from tandem.domain.errors import ConfigurationError

NOW_S = 1_800_000_000
DAY_S = 86_400


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return take_authority(tmp_path, NOW_S)


def certificate(content: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(content)


def uses(one: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def test_an_authority_is_made_once(authority: Authority, tmp_path: Path) -> None:
    again = take_authority(tmp_path, NOW_S + DAY_S)
    assert again.certificate == authority.certificate
    assert again.fingerprint == fingerprint_of(authority.certificate)
    assert again.pool_id == pool_id_of(again.fingerprint[:16])


def test_keys_are_files_that_only_we_can_read(authority: Authority, tmp_path: Path) -> None:
    authority.certify_server(NOW_S)
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path


def test_a_machine_is_certified_for_calling_only(authority: Authority) -> None:
    key = new_key()
    signed = authority.sign(request_for(key, "ignored"), name="laptop", now_s=NOW_S)
    one = certificate(signed.certificate)
    one.verify_directly_issued_by(certificate(authority.certificate))
    assert one.subject.rfc4514_string() == "CN=laptop"
    assert uses(one) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert int(signed.serial, 16) == one.serial_number
    assert len(signed.serial) % 2 == 0
    assert signed.expires_s == NOW_S + 365 * DAY_S
    constraints = one.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert not constraints.ca


def test_no_serial_number_comes_twice(authority: Authority) -> None:
    request = request_for(new_key(), "laptop")
    serials = {authority.sign(request, name="laptop", now_s=NOW_S).serial for _ in range(20)}
    assert len(serials) == 20


def test_the_servers_certificate_is_renewed_in_time(authority: Authority, tmp_path: Path) -> None:
    authority.certify_server(NOW_S)
    path = tmp_path / "server.crt"
    first = path.read_bytes()
    assert uses(certificate(first)) == [ExtendedKeyUsageOID.SERVER_AUTH]
    authority.certify_server(NOW_S + 184 * DAY_S)
    assert path.read_bytes() == first
    authority.certify_server(NOW_S + 186 * DAY_S)
    assert path.read_bytes() != first
    assert certificate(path.read_bytes()).not_valid_after_utc > datetime.fromtimestamp(
        NOW_S + 500 * DAY_S, UTC
    )


@pytest.mark.parametrize("content", [b"", b"nonsense"])
def test_a_damaged_server_certificate_is_made_anew(
    authority: Authority, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "server.crt").write_bytes(content)
    authority.certify_server(NOW_S)
    certificate((tmp_path / "server.crt").read_bytes())


def test_a_server_certificate_of_another_pool_is_replaced(
    authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    take_authority(tmp_path / "other", NOW_S).certify_server(NOW_S)
    foreign = (tmp_path / "other" / "server.crt").read_bytes()
    (tmp_path / "server.crt").write_bytes(foreign)
    authority.certify_server(NOW_S)
    assert (tmp_path / "server.crt").read_bytes() != foreign


def test_a_damaged_authority_is_not_replaced(authority: Authority, tmp_path: Path) -> None:
    """Nobody who has joined would know the new one."""
    (tmp_path / "authority.key").write_bytes(b"nonsense")
    with pytest.raises(ConfigurationError, match="authority is damaged"):
        take_authority(tmp_path, NOW_S)
    (tmp_path / "authority.key").write_bytes(new_key())
    with pytest.raises(ConfigurationError, match="do not match"):
        take_authority(tmp_path, NOW_S)
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    (tmp_path / "authority.key").write_bytes(pem_of(key))
    with pytest.raises(ConfigurationError, match="expected an EC key"):
        take_authority(tmp_path, NOW_S)


def pem_of(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.mark.parametrize("name", ["a", "0", "laptop-2", "x" * 63])
def test_a_machine_may_be_called_so(name: str) -> None:
    refuse_bad_name(name)


@pytest.mark.parametrize(
    "name", ["", "-a", "x" * 64, "Laptop", "lap top", "laptop\n", "läptop", "a.b", "../up", "a\0"]
)
def test_a_machine_may_not_be_called_so(authority: Authority, name: str) -> None:
    with pytest.raises(JoinRefusedError, match="machine name"):
        authority.sign(request_for(new_key(), "x"), name=name, now_s=NOW_S)


def request_with(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "laptop")])
    made = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_other_kinds_of_keys_are_refused() -> None:
    for key in (
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(public_exponent=65_537, key_size=2_048),
    ):
        with pytest.raises(JoinRefusedError, match="EC key on P-256"):
            key_in(request_with(key))


def test_a_request_that_was_not_signed_by_its_key_is_refused() -> None:
    """Nobody is certified for the key of somebody else."""
    request = x509.load_pem_x509_csr(request_for(new_key(), "laptop"))
    encoded = bytearray(request.public_bytes(serialization.Encoding.DER))
    encoded[encoded.index(b"laptop")] ^= 1
    changed = x509.load_der_x509_csr(bytes(encoded)).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(JoinRefusedError, match="signature is wrong"):
        key_in(changed)


def test_a_long_request_is_not_even_read() -> None:
    with pytest.raises(JoinRefusedError, match="8192 at most"):
        key_in(b"x" * (REQUEST_BYTES_MAX + 1))


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_in_words(content: bytes) -> None:
    with pytest.raises(JoinRefusedError, match="certificate request"):
        key_in(content)


@settings(deadline=None)
@given(st.integers(0, 1_000), st.integers(0, 255))
def test_a_damaged_request_is_refused_in_words(place: int, letter: int) -> None:
    key = new_key()
    request = bytearray(request_for(key, "laptop"))
    # Requests differ in length by a few bytes, so the place is drawn from all there may be.
    request[place % len(request)] = letter
    try:
        found = key_in(bytes(request))
    except JoinRefusedError:
        return
    assert key_hash(found) == key_hash(key_in(request_for(key, "x")))


@pytest.mark.parametrize("content", [b"nonsense", b""])
def test_a_damaged_private_key_is_named(content: bytes) -> None:
    with pytest.raises(ConfigurationError, match="private key is damaged"):
        request_for(content, "laptop")


def test_a_private_key_of_another_kind_is_named() -> None:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    with pytest.raises(ConfigurationError, match="expected an EC key"):
        request_for(pem_of(key), "laptop")


def test_a_request_says_the_messaging_key_of_its_sender() -> None:
    """Signed, so that nobody else can say another one for it."""
    key, messaging = new_key(), "0f" * 32
    request = request_for(key, "laptop", messaging=messaging)
    assert messaging_in(request) == messaging
    assert key_hash(key_in(request)) == key_hash(key_in(request_for(key, "laptop")))
    assert messaging_in(request_for(key, "laptop")) is None
    inside = b64decode(b"".join(request.splitlines()[1:-1]))
    other = b64encode(inside.replace(b"0f0f", b"0e0f", 1))
    changed = b"-----BEGIN CERTIFICATE REQUEST-----\n" + other
    with pytest.raises(JoinRefusedError, match="its signature is wrong"):
        key_in(changed + b"\n-----END CERTIFICATE REQUEST-----\n")


@pytest.mark.parametrize("messaging", ["0f" * 31, "0F" * 32, ""])
def test_a_messaging_key_that_is_none_is_refused(messaging: str) -> None:
    with pytest.raises(JoinRefusedError, match="expected one messaging key"):
        messaging_in(request_for(new_key(), "laptop", messaging=messaging))
