"""Certificates: throwaway ones that a client can verify, and files that are wrong in a way that a sentence can say."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from reference_server.tls import Throwaway, TlsError, from_files, throwaway


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Throwaway:
    return throwaway(tmp_path_factory.mktemp("tls"))


def shake_hands(context: ssl.SSLContext, ca: Path, name: str) -> None:
    """Make a TLS handshake in memory; raise ssl.SSLError if the client does not trust the server."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    trusting = ssl.create_default_context(cafile=str(ca))
    client = trusting.wrap_bio(to_client, to_server, server_hostname=name)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    open_ends = [client, server]
    for _ in range(10):
        for end in list(open_ends):
            try:
                end.do_handshake()
                open_ends.remove(end)
            except ssl.SSLWantReadError:
                pass
    assert not open_ends


class TestThrowaway:
    @pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
    def test_is_trusted_with_its_authority(self, made: Throwaway, name: str) -> None:
        shake_hands(made.context, made.ca, name)

    def test_is_for_no_other_name(self, made: Throwaway) -> None:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            shake_hands(made.context, made.ca, "example.org")

    def test_is_not_trusted_without_its_authority(self, made: Throwaway, tmp_path: Path) -> None:
        with pytest.raises(ssl.SSLCertVerificationError):
            shake_hands(made.context, throwaway(tmp_path).ca, "localhost")

    def test_has_a_key_that_nobody_else_reads(self, made: Throwaway) -> None:
        assert made.key.stat().st_mode & 0o777 == 0o600

    def test_gets_a_folder_of_its_own(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        one = throwaway()
        assert one.ca.parent.parent == tmp_path
        assert one.ca.parent.stat().st_mode & 0o777 == 0o700


class TestFiles:
    def test_that_belong_together_are_taken(self, made: Throwaway) -> None:
        shake_hands(from_files(made.certificate, made.key), made.ca, "localhost")

    def test_a_missing_one_is_named(self, made: Throwaway, tmp_path: Path) -> None:
        with pytest.raises(TlsError, match=r"none\.pem: the certificate cannot be read \(No such file"):
            from_files(tmp_path / "none.pem", made.key)
        with pytest.raises(TlsError, match=r"none\.key: the key cannot be read"):
            from_files(made.certificate, tmp_path / "none.key")

    def test_a_foreign_key_is_told_so(self, made: Throwaway, tmp_path: Path) -> None:
        with pytest.raises(TlsError, match="does not belong to the certificate"):
            from_files(made.certificate, throwaway(tmp_path).key)

    def test_what_is_no_pem_is_told_so(self, made: Throwaway, tmp_path: Path) -> None:
        path = tmp_path / "no.pem"
        path.write_bytes(b"\x00\x01")
        with pytest.raises(TlsError, match="both in PEM"):
            from_files(path, made.key)

    def test_a_locked_key_is_told_so(self, made: Throwaway, tmp_path: Path) -> None:
        key = serialization.load_pem_private_key(made.key.read_bytes(), None)
        lock = serialization.BestAvailableEncryption(b"secret")
        path = tmp_path / "locked.key"
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock))
        with pytest.raises(TlsError, match="locked by a password"):
            from_files(made.certificate, path)
