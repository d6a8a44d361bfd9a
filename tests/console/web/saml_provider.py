"""An identity provider for SAML: makes responses, right ones and forged ones."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree  # type: ignore[import-untyped]
from onelogin.saml2.utils import OneLogin_Saml2_Utils

ENTITY = "https://idp.example.com/saml"
SIGN_IN = "https://idp.example.com/sso"
SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
NS = {
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
UNSPECIFIED = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"


def key_and_certificate() -> tuple[str, str]:
    """A new signing key and its certificate, both PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class Facts:
    """What a response says; what is None is left out."""

    acs: str
    audience: str | None
    request_id: str | None
    subject: str = "alice"
    format: str = UNSPECIFIED
    groups: tuple[str, ...] = ("sre",)
    more: dict[str, list[str]] = field(default_factory=lambda: {"name": ["Alice Arden"]})
    issuer: str = ENTITY
    recipient: str | None = ""
    destination: str | None = ""
    answers: str | None = ""  # InResponseTo of the subject's confirmation; '' as the response's
    minutes: int = 5
    assertion_id: str = ""

    def assertion(self) -> str:
        """The assertion, unsigned."""
        now = datetime.now(UTC)
        until, since = _stamp(now + timedelta(minutes=self.minutes)), _stamp(now - timedelta(minutes=60))
        attributes = {"groups": list(self.groups), **self.more}
        inside = f"<saml:Audience>{self.audience}</saml:Audience>"
        audience = f"<saml:AudienceRestriction>{inside}</saml:AudienceRestriction>"
        confirmed = _attributes(
            InResponseTo=self.request_id if self.answers == "" else self.answers,
            NotOnOrAfter=until,
            Recipient=self.acs if self.recipient == "" else self.recipient,
        )
        return (
            f'<saml:Assertion xmlns:saml="{NS["saml"]}" ID="{self.assertion_id or "_" + uuid4().hex}" Version="2.0" '
            f'IssueInstant="{_stamp(now)}"><saml:Issuer>{self.issuer}</saml:Issuer>'
            f'<saml:Subject><saml:NameID Format="{self.format}">{self.subject}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="{BEARER}"><saml:SubjectConfirmationData{confirmed}/>'
            f"</saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{since}" NotOnOrAfter="{until}">{audience if self.audience else ""}'
            f'</saml:Conditions><saml:AuthnStatement AuthnInstant="{_stamp(now)}"><saml:AuthnContext>'
            "<saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef>"
            "</saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement>"
            + "".join(_attribute(name, values) for name, values in attributes.items())
            + "</saml:AttributeStatement></saml:Assertion>"
        )

    def around(self, assertion: str) -> str:
        """The response around an assertion."""
        head = _attributes(
            InResponseTo=self.request_id, Destination=self.acs if self.destination == "" else self.destination
        )
        return (
            f'<samlp:Response xmlns:samlp="{NS["samlp"]}" xmlns:saml="{NS["saml"]}" ID="_{uuid4().hex}" '
            f'Version="2.0" IssueInstant="{_stamp(datetime.now(UTC))}"{head}>'
            f"<saml:Issuer>{self.issuer}</saml:Issuer><samlp:Status>"
            '<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>'
            f"{assertion}</samlp:Response>"
        )


@dataclass
class SamlProvider:
    """With its key."""

    key: str
    certificate: str

    def signed(self, xml: str, algorithm: str = SHA256) -> str:
        """A response or an assertion with its signature."""
        text: Any = OneLogin_Saml2_Utils.add_sign(
            xml, self.key, self.certificate, sign_algorithm=algorithm, digest_algorithm=_digest(algorithm)
        )
        return text.decode() if isinstance(text, bytes) else str(text)

    def response(self, facts: Facts) -> str:
        """As a provider sends it: the assertion signed."""
        return facts.around(self.signed(facts.assertion()))


def request_of(query: str) -> Any:
    """The request that came by redirect (SAML 2.0 Bindings, 3.4.4.1), taken apart."""
    raw = base64.b64decode(parse_qs(query)["SAMLRequest"][0])
    return etree.fromstring(zlib.decompress(raw, -zlib.MAX_WBITS))


def packed(xml: str) -> str:
    """As the form has it."""
    return base64.b64encode(xml.encode()).decode()


def tree(xml: str) -> Any:
    """To take it apart."""
    return etree.fromstring(xml.encode())


def text_of(root: Any) -> str:
    """Put together again."""
    return etree.tostring(root).decode()


def _digest(algorithm: str) -> str:
    sha1 = "http://www.w3.org/2000/09/xmldsig#sha1"
    return sha1 if algorithm == SHA1 else "http://www.w3.org/2001/04/xmlenc#sha256"


def _attribute(name: str, values: list[str]) -> str:
    inside = "".join(f"<saml:AttributeValue>{escape(value)}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}">{inside}</saml:Attribute>' if values else ""


def _attributes(**given: str | None) -> str:
    return "".join(f' {name}="{value}"' for name, value in given.items() if value is not None)


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
