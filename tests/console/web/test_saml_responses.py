"""What a SAML response must be before it names anybody: signed, whole, for us, asked for, in time, sent once."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from console.web.saml import Once
from console.web.saml_response import Ours, SamlRefusedError, read_response, toolkit
from console.web.settings import SamlLogin
from tests.console.web.saml_provider import (
    ENTITY,
    NS,
    SHA1,
    SIGN_IN,
    Facts,
    SamlProvider,
    key_and_certificate,
    packed,
    text_of,
    tree,
)

OURS = Ours("https://console.example.com", "https://console.example.com/saml/metadata")
ASKED = "ONELOGIN_asked"
GROUP = '<saml:Attribute Name="groups"><saml:AttributeValue>dev</saml:AttributeValue></saml:Attribute>'


@pytest.fixture(scope="module")
def provider() -> SamlProvider:
    return SamlProvider(*key_and_certificate())


@pytest.fixture(scope="module")
def login(provider: SamlProvider) -> SamlLogin:
    return SamlLogin(ENTITY, SIGN_IN, (provider.certificate,))


def facts(**changes: Any) -> Facts:
    return replace(Facts(OURS.acs, OURS.entity_id, ASKED), **changes)


def read(xml: str, login: SamlLogin) -> Any:
    return read_response(packed(xml), login, OURS, toolkit(login, OURS))


def refused(xml: str, login: SamlLogin) -> str:
    with pytest.raises(SamlRefusedError) as told:
        read(xml, login)
    return str(told.value)


def test_a_signed_assertion_for_us_names_the_person(provider: SamlProvider, login: SamlLogin) -> None:
    found = read(provider.response(facts(more={"name": ["Ann"], "email": ["a@b.c"]})), login)
    assert (found.subject, found.groups, found.name, found.email) == ("alice", ("sre",), "Ann", "a@b.c")
    assert found.request_id == ASKED
    assert 0 < found.until - time.time() <= 300
    whole = provider.signed(provider.response(facts()))
    assert read(whole, login).subject == "alice", "with the response signed beside"


@pytest.mark.parametrize(
    "changes",
    [
        {"audience": "https://other.example.com/saml/metadata"},
        {"audience": None},
        {"recipient": "https://other.example.com/saml/acs"},
        {"recipient": OURS.acs + "/../elsewhere"},
        {"recipient": None},
        {"destination": "https://other.example.com/saml/acs"},
        {"issuer": "https://other.example.com"},
        {"minutes": -10},
        {"answers": None, "request_id": None},
        {"answers": None},
        {"answers": "another"},
        {"subject": ""},
        {"subject": "al\u202eice"},
        {"format": "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"},
        {"more": {"name": ["one", "two"]}},
        {"groups": ("x" * 300,)},
    ],
    ids=str,
)
def test_what_is_signed_but_not_for_us_or_not_now_is_refused(
    provider: SamlProvider, login: SamlLogin, changes: dict[str, Any]
) -> None:
    assert refused(provider.response(facts(**changes)), login)


def test_what_is_not_signed_by_the_providers_key_is_refused(provider: SamlProvider, login: SamlLogin) -> None:
    other = SamlProvider(*key_and_certificate())
    assert refused(facts().around(facts().assertion()), login), "unsigned"
    assert refused(other.response(facts()), login), "another key, whose certificate comes along"
    assert refused(provider.signed(facts().around(facts().assertion())), login), "the response alone"
    weak = facts().around(provider.signed(facts().assertion(), SHA1))
    assert refused(weak, login), "SHA-1"
    changed = provider.response(facts()).replace(">alice<", ">admin<")
    assert refused(changed, login), "changed after it was signed"


def _signed_and_evil(provider: SamlProvider) -> tuple[Any, Any, Any]:
    """A response, the assertion in it that is signed, and a copy that says admin and has no signature."""
    root = tree(provider.response(facts(groups=("visitors",))))
    signed = root.find("saml:Assertion", NS)
    evil = copy.deepcopy(signed)
    evil.remove(evil.find("ds:Signature", NS))
    evil.set("ID", "_evil")
    evil.find(".//saml:NameID", NS).text = "admin"
    return root, signed, evil


def _before(provider: SamlProvider) -> Any:
    root, signed, evil = _signed_and_evil(provider)
    signed.addprevious(evil)
    return root


def _after(provider: SamlProvider) -> Any:
    root, signed, evil = _signed_and_evil(provider)
    signed.addnext(evil)
    return root


def _around(provider: SamlProvider) -> Any:
    """The signed one inside the evil one, and its signature moved out to that."""
    root, signed, evil = _signed_and_evil(provider)
    signature = signed.find("ds:Signature", NS)
    root.replace(signed, evil)
    evil.find("saml:Issuer", NS).addnext(signature)
    signed_again = copy.deepcopy(signed)
    evil.append(signed_again)
    return root


def _in_the_signature(provider: SamlProvider) -> Any:
    """The signed one as an Object of the signature that the evil one carries."""
    root, signed, evil = _signed_and_evil(provider)
    signature = signed.find("ds:Signature", NS)
    signed.remove(signature)
    root.replace(signed, evil)
    evil.find("saml:Issuer", NS).addnext(signature)
    place = signature.makeelement(f"{{{NS['ds']}}}Object", {})
    place.append(signed)
    signature.append(place)
    return root


def _same_id(provider: SamlProvider) -> Any:
    root = _before(provider)
    evil, signed = root.findall("saml:Assertion", NS)
    evil.set("ID", signed.get("ID"))
    return root


def _in_extensions(provider: SamlProvider) -> Any:
    root, signed, evil = _signed_and_evil(provider)
    place = root.makeelement(f"{{{NS['samlp']}}}Extensions", {})
    root.replace(signed, evil)
    place.append(signed)
    root.find("saml:Issuer", NS).addnext(place)
    return root


@pytest.mark.parametrize(
    "wrap",
    [_before, _after, _around, _in_the_signature, _same_id, _in_extensions],
    ids=lambda each: each.__name__,
)
def test_a_signature_is_good_for_what_it_covers_and_nothing_else(
    provider: SamlProvider, login: SamlLogin, wrap: Callable[[SamlProvider], Any]
) -> None:
    assert refused(text_of(wrap(provider)), login)


def test_an_attribute_that_stands_twice_has_all_its_values_and_is_no_name(
    provider: SamlProvider, login: SamlLogin
) -> None:
    twice = facts().assertion().replace("<saml:AttributeStatement>", "<saml:AttributeStatement>" + GROUP)
    assert read(facts().around(provider.signed(twice)), login).groups == ("dev", "sre")
    named = twice.replace('Name="groups"', 'Name="name"')
    assert "several values" in refused(facts().around(provider.signed(named)), login)


def test_a_comment_in_a_name_does_not_cut_it(provider: SamlProvider, login: SamlLogin) -> None:
    xml = provider.response(facts(subject="admin.evil"))
    found = read(xml.replace("admin.evil", "admin<!-- -->.evil"), login)
    assert found.subject == "admin.evil"


@pytest.mark.parametrize(
    "inside",
    [
        '<ds:Reference URI="http://127.0.0.1:1/fetched"><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/'
        'xmlenc#sha256"/><ds:DigestValue>AA==</ds:DigestValue></ds:Reference>',
    ],
)
def test_a_signature_leads_nowhere(provider: SamlProvider, login: SamlLogin, inside: str) -> None:
    xml = provider.response(facts()).replace("</ds:SignedInfo>", f"{inside}</ds:SignedInfo>")
    assert "must cover one element" in refused(xml, login)
    transform = '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></ds:Transforms>'
    xml = provider.response(facts()).replace("</ds:Transforms>", transform)
    assert "transform" in refused(xml, login)
    fetched = '<ds:RetrievalMethod URI="http://127.0.0.1:1/key"/></ds:KeyInfo>'
    xml = provider.response(facts()).replace("</ds:KeyInfo>", fetched)
    assert "RetrievalMethod" in refused(xml, login)


def test_doctypes_entities_and_what_is_no_xml_are_refused(provider: SamlProvider, login: SamlLogin) -> None:
    good = provider.response(facts())
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + good.replace(">alice<", ">&b;<")
    assert refused(bomb, login)
    outside = '<!DOCTYPE r SYSTEM "http://127.0.0.1:1/dtd">' + good
    assert refused(outside, login)
    for text in ("", "<a", "no xml", "<a/>", "<x>" * 5_000):
        assert refused(text, login)
    with pytest.raises(SamlRefusedError):
        read_response("not base64!", login, OURS, toolkit(login, OURS))
    with pytest.raises(SamlRefusedError, match="longer"):
        read_response("A" * 300_000, login, OURS, toolkit(login, OURS))


def test_an_assertion_is_good_once() -> None:
    clock = [1_000.0]
    once = Once(lambda: clock[0])
    once.take("a", 1_300.0)
    once.take("b", 1_300.0)
    with pytest.raises(SamlRefusedError, match="used already"):
        once.take("a", 1_300.0)
    clock[0] = 1_301.0
    with pytest.raises(SamlRefusedError, match="used already"):
        once.take("a", 1_300.0)


def test_while_a_provider_changes_its_key_both_are_taken(provider: SamlProvider) -> None:
    new = SamlProvider(*key_and_certificate())
    both = SamlLogin(ENTITY, SIGN_IN, (provider.certificate, new.certificate))
    assert [read(each.response(facts()), both).subject for each in (provider, new)] == ["alice", "alice"]
