"""Certificates of a test's own, made when they are first asked for and gone with the process."""

import functools
import pathlib
import ssl
import subprocess
import tempfile
import typing


class Certificate(typing.NamedTuple):
    """Two files in PEM."""
    certificate: str
    key: str


class Authority:
    """An authority, in a folder of its own, that signs certificates."""

    def __init__(self, name):
        self._folder = tempfile.TemporaryDirectory(prefix="tandem-certificates-")
        self.folder = pathlib.Path(self._folder.name)
        self._openssl("req", "-x509", *self._new_key("ca"), "-days", "2", "-subj", f"/CN={name}", "-out", "ca.pem")

    @property
    def certificate(self):
        return str(self.folder / "ca.pem")

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    @staticmethod
    def _new_key(name):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key"

    @functools.cache
    def sign(self, name, *alternatives, subject=None, days=2):
        """A certificate for these names, each as "DNS:localhost" or "IP:127.0.0.1"; `name` is that of its files, and the
        subject's if that isn't given. With `days=0` it has expired already."""
        self._openssl("req", *self._new_key(name), "-subj", subject or f"/CN={name}", "-out", f"{name}.csr")
        extensions = f"subjectAltName={','.join(alternatives)}" if alternatives else "basicConstraints=CA:FALSE"
        (self.folder / f"{name}.ext").write_text(extensions, encoding="ascii")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-days", str(days), "-extfile", f"{name}.ext", "-out", f"{name}.pem")
        return Certificate(str(self.folder / f"{name}.pem"), str(self.folder / f"{name}.key"))


@functools.cache
def authority(name="tandem's tests"):
    return Authority(name)


def server():
    """What a test's broker shows."""
    return authority().sign("localhost", "DNS:localhost", "IP:127.0.0.1")


def client_context(certificate=None, version=None):
    """What a test's client trusts, and shows if asked; it speaks just this version of TLS if one is given."""
    context = ssl.create_default_context(cafile=authority().certificate)
    if certificate:
        context.load_cert_chain(*certificate)
    if version:
        context.minimum_version = context.maximum_version = version
    return context
