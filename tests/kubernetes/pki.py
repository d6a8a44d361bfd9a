"""The cluster's certificates: an authority, servers, users with their groups, and the key of service accounts."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.certificates import Pair

_DAY = dt.timedelta(days=1)
_SERVED = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "localhost",
    "127.0.0.1",
    "10.96.0.1",
)


class ClusterAuthority:
    """Issues what a control plane needs, into `folder`; `ca` is the file that vouches for all of it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cluster authority")])
        own = self._builder(self._name, self._key).add_extension(
            x509.BasicConstraints(ca=True, path_length=0), critical=True
        )
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self._signed(own))

    def server(self, name: str) -> Pair:
        """A certificate for all names and addresses that something of the cluster is called by."""
        named = x509.SubjectAlternativeName([_alternative(each) for each in _SERVED])
        return self._issue(name, (), ExtendedKeyUsageOID.SERVER_AUTH, named)

    def user(self, name: str, *groups: str) -> Pair:
        """A client certificate, of which Kubernetes takes the user's name and groups."""
        return self._issue(name, groups, ExtendedKeyUsageOID.CLIENT_AUTH)

    def signing_key(self, name: str) -> Path:
        """A private key alone, as service account tokens are signed with."""
        return self._kept(ec.generate_private_key(ec.SECP256R1()), name)

    def _issue(
        self, name: str, groups: tuple[str, ...], use: x509.ObjectIdentifier, *more: x509.ExtensionType
    ) -> Pair:
        key = ec.generate_private_key(ec.SECP256R1())
        parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
        subject = x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = self._builder(subject, key).add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        for extension in more:
            builder = builder.add_extension(extension, critical=False)
        file = name.replace(":", "-")
        certificate = self._folder / f"{file}.pem"
        certificate.write_bytes(self._signed(builder))
        return Pair(certificate, self._kept(key, file))

    def _kept(self, key: ec.EllipticCurvePrivateKey, name: str) -> Path:
        path = self._folder / f"{name}.key"
        path.touch(mode=0o600)
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.TraditionalOpenSSL, plain))
        return path

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - _DAY)
            .not_valid_after(now + _DAY)
        )

    def _signed(self, builder: x509.CertificateBuilder) -> bytes:
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
