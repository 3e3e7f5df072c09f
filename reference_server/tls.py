"""TLS for the listener: a throwaway authority for tests, or a certificate from files."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_DAYS = 30
_NAMES = ("localhost",)
_ADDRESSES = ("127.0.0.1", "::1")


class TlsError(ValueError):
    """A certificate cannot be used: one sentence that names the file and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Throwaway:
    """A certificate for localhost, 127.0.0.1 and ::1, and the authority that signed it.

    Attributes:
        context: For the listener.
        ca: PEM file that a client has to trust.
        certificate: PEM file of the server's certificate and the authority's.
        key: PEM file of the server's key; only its owner can read it.
    """

    context: ssl.SSLContext
    ca: Path
    certificate: Path
    key: Path


def throwaway(folder: Path | None = None) -> Throwaway:
    """Make an authority and a certificate, good for 30 days, in `folder` or in a temporary one that stays.

    The authority's own key is written nowhere. Raises OSError when the folder cannot be written.
    """
    home = Path(tempfile.mkdtemp(prefix="speechwire-tls-")) if folder is None else folder
    ca_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = _authority(ca_key)
    certificate = _certificate(server_key, ca, ca_key)
    made = Throwaway(_context(), home / "ca.pem", home / "server.pem", home / "server.key")
    ca_pem, server_pem = (one.public_bytes(serialization.Encoding.PEM) for one in (ca, certificate))
    made.ca.write_bytes(ca_pem)
    made.certificate.write_bytes(server_pem + ca_pem)
    made.key.touch(mode=0o600)
    made.key.write_bytes(
        server_key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    made.context.load_cert_chain(made.certificate, made.key)
    return made


def from_files(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return the context of a certificate (PEM, with its chain) and its key (PEM, without a password).

    Raises TlsError.
    """
    for path, what in ((certificate, "certificate"), (key, "key")):
        try:
            path.read_bytes()
        except OSError as error:
            raise TlsError(f"{path}: the {what} cannot be read ({error.strerror})") from error
    context = _context()
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except _Locked as error:
        raise TlsError(f"{key}: the key is locked by a password; expected one without") from error
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            raise TlsError(f"{key}: the key does not belong to the certificate {certificate}") from error
        raise TlsError(f"{certificate} and {key}: expected a certificate and its key, both in PEM") from error
    return context


class _Locked(Exception):
    pass


def _no_password() -> str:
    raise _Locked


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    name = _name("speechwire throwaway authority")
    return (
        _unsigned(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    key: ec.EllipticCurvePrivateKey, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    names = [
        *map(x509.DNSName, _NAMES),
        *(x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES),
    ]
    return (
        _unsigned(_name("localhost"), ca.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )


def _unsigned(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # a client's clock may be behind
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])
