"""A SAML response held to everything that makes it an answer to us, once (SAML 2.0 Profiles, 4.1.4; Core, 5.4).

python3-saml verifies the signature, that it covers the one assertion that is read, audience, destination, issuer and
times. What it takes without (no `InResponseTo`, no audience, a recipient that only begins like ours) is refused here,
and what a signature may make a parser do (further references, foreign transforms, keys to fetch) before it is looked
at: nothing in here ever leads to the network.
"""

from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from lxml import etree  # type: ignore[import-untyped]
from onelogin.saml2.errors import OneLogin_Saml2_Error, OneLogin_Saml2_ValidationError
from onelogin.saml2.response import OneLogin_Saml2_Response
from onelogin.saml2.settings import OneLogin_Saml2_Settings
from onelogin.saml2.utils import OneLogin_Saml2_Utils
from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

from console.web.settings import SamlLogin

RESPONSE_BYTES_MAX = 256 * 1024
TEXT_MAX, GROUPS_MAX, GROUP_MAX = 1_024, 1_000, 256
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_SOUND = frozenset(
    {
        "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
        "http://www.w3.org/2001/10/xml-exc-c14n#",
    }
)
_NEVER = ("RetrievalMethod", "Object", "Manifest")


class SamlRefusedError(Exception):
    """The response names nobody; the text says why, and nothing of what it said."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """Whom a verified assertion names. `until`: when it no longer counts, Unix seconds. `request_id`: what of ours
    it answers."""

    assertion_id: str
    request_id: str
    until: float
    subject: str
    groups: tuple[str, ...]
    email: str
    name: str


@dataclass(frozen=True, slots=True)
class Ours:
    """Who we are to the provider: `public_url` without a slash at its end."""

    public_url: str
    entity_id: str

    @property
    def acs(self) -> str:
        """Where responses are sent (assertion consumer service)."""
        return f"{self.public_url}/saml/acs"

    @property
    def request(self) -> dict[str, Any]:
        """What python3-saml wants to know of the request: where it came in, as people's browsers name it."""
        scheme, _, host = self.public_url.partition("://")
        return {
            "https": "on" if scheme == "https" else "off",
            "http_host": host,
            "script_name": "/saml/acs",
            "get_data": {},
            "post_data": {},
        }


def toolkit(login: SamlLogin, ours: Ours) -> OneLogin_Saml2_Settings:
    """Settings of python3-saml. Raises OneLogin_Saml2_Error for those that cannot be used."""
    return OneLogin_Saml2_Settings(
        {
            "strict": True,
            "debug": False,
            "sp": {
                "entityId": ours.entity_id,
                "assertionConsumerService": {
                    "url": ours.acs,
                    "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST",
                },
                "NameIDFormat": "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
            },
            "idp": {
                "entityId": login.provider_entity_id,
                "singleSignOnService": {
                    "url": login.sign_in_url,
                    "binding": "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect",
                },
                "x509certMulti": {"signing": list(login.certificates)},
            },
            "security": {
                "wantAssertionsSigned": True,
                "wantAttributeStatement": False,
                "wantNameId": True,
                "rejectDeprecatedAlgorithm": True,
                "requestedAuthnContext": False,
                "allowRepeatAttributeName": True,  # Keycloak names roles so; where one value is wanted, see `_first`
            },
        }
    )


def read_response(text: str, login: SamlLogin, ours: Ours, settings: OneLogin_Saml2_Settings) -> Assertion:
    """Whom the Base64 `text` of a form names. Raises SamlRefusedError. Takes its time: not for the event loop."""
    try:
        if len(text) > RESPONSE_BYTES_MAX:
            raise SamlRefusedError(f"it is longer than {RESPONSE_BYTES_MAX} bytes")
        _check_signatures(OneLogin_Saml2_XML.to_etree(b64decode(text, validate=True)))
        response = OneLogin_Saml2_Response(settings, text)
        response.is_valid(ours.request, raise_exceptions=True)
        return _assertion(response, login, ours)
    except OneLogin_Saml2_ValidationError as error:
        raise SamlRefusedError(f"the assertion is not good ({error.code})") from error
    except (OneLogin_Saml2_Error, ValueError, TypeError, etree.XMLSyntaxError) as error:
        raise SamlRefusedError("it cannot be read as a SAML response") from error


def _check_signatures(document: Any) -> None:
    """Each signature covers one element by its id, and asks for nothing else to be done or fetched."""
    for name in _NEVER:
        if document.find(f".//{_DS}{name}") is not None:
            raise SamlRefusedError(f"its signature has {name}, which is not taken")
    for signed in document.iter(f"{_DS}SignedInfo"):
        references = signed.findall(f".//{_DS}Reference")
        if len(references) != 1 or not str(references[0].get("URI", "")).startswith("#"):
            raise SamlRefusedError("its signature must cover one element of the response, by its id")
    for transform in document.iter(f"{_DS}Transform"):
        if transform.get("Algorithm") not in _SOUND:
            raise SamlRefusedError("its signature has a transform that is not taken")
    if document.find(".//{http://www.w3.org/2001/04/xmlenc#}EncryptedData") is not None:
        raise SamlRefusedError("it is encrypted, and the console has no key for that")


def _assertion(response: OneLogin_Saml2_Response, login: SamlLogin, ours: Ours) -> Assertion:
    """Of a response that is valid; from the signed assertion alone."""
    if ours.entity_id not in response.get_audiences():
        raise SamlRefusedError("the assertion is for nobody in particular")
    request_id, until = _confirmed(response, ours)
    said: dict[str, list[str]] = response.get_attributes()
    return Assertion(
        assertion_id=str(response.get_assertion_id()),
        request_id=request_id,
        until=until,
        subject=_subject(response, login, said),
        groups=_groups(said.get(login.groups, [])),
        email=_first(said, login.email),
        name=_first(said, login.name),
    )


def _confirmed(response: OneLogin_Saml2_Response, ours: Ours) -> tuple[str, float]:
    """What it answers and until when, as the signed confirmation of its subject says: one, for a bearer, for us."""
    found = response._query_assertion("/saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData")
    if len(found) != 1 or found[0].get("Recipient") != ours.acs:
        raise SamlRefusedError("its recipient is another")
    answered, until = found[0].get("InResponseTo"), found[0].get("NotOnOrAfter")
    if not answered or response.get_in_response_to() not in (None, answered):
        raise SamlRefusedError("nobody asked for it")
    if not until:
        raise SamlRefusedError("it would be good for ever")
    return str(answered), float(OneLogin_Saml2_Utils.parse_SAML_to_time(until))


def _subject(response: OneLogin_Saml2_Response, login: SamlLogin, said: dict[str, list[str]]) -> str:
    if login.subject:
        subject = _first(said, login.subject)
    else:
        if response.get_nameid_format() == TRANSIENT:
            raise SamlRefusedError(
                "its NameID is a new one each time; have the provider send a lasting one, or name `web.saml.subject`"
            )
        subject = _text(str(response.get_nameid() or ""))
    if not subject:
        raise SamlRefusedError("it names nobody")
    return subject


def _first(said: dict[str, list[str]], name: str) -> str:
    """The only value of an attribute; '' where there is none. Several would be several people."""
    values = said.get(name, []) if name else []
    if len(values) > 1:
        raise SamlRefusedError(f"its attribute {name} has several values")
    return _text(values[0] or "") if values else ""


def _groups(values: list[str]) -> tuple[str, ...]:
    """All or none: with some left out, a rule against a group would not see it."""
    if len(values) > GROUPS_MAX or not all(value and len(value) <= GROUP_MAX for value in values):
        raise SamlRefusedError(f"its groups are not at most {GROUPS_MAX} of 1 to {GROUP_MAX} characters")
    return tuple(dict.fromkeys(_text(value) for value in values))


def _text(value: str) -> str:
    """As it is; characters that cannot be seen make one name look like another."""
    if len(value) > TEXT_MAX or not value.isprintable():
        raise SamlRefusedError("it names somebody in characters that cannot be shown, or too many of them")
    return value
