"""Sealed originals: only the identity opens them, and nothing about them tells more than it must."""

import pytest
from pyrage.x25519 import Identity  # type: ignore[import-untyped]

from masking.sealed import (
    FINGERPRINT_CHARACTERS,
    SealError,
    fingerprint,
    identities,
    recipients,
    seal,
    unseal,
)

BODY = b'{"password":"Zq8vK2mN4xT7wR1p"}'


@pytest.fixture
def identity() -> Identity:
    """A key pair; its private half is what a gateway never has."""
    return Identity.generate()


def test_the_identity_opens_what_its_recipient_sealed(identity: Identity) -> None:
    sealed = seal(BODY, str(identity.to_public()))
    assert BODY not in sealed
    assert b"password" not in sealed
    assert unseal(sealed, identities(f"# created: today\n{identity}\n")) == BODY


def test_one_of_several_identities_is_enough(identity: Identity) -> None:
    sealed = seal(b"", str(identity.to_public()))
    assert unseal(sealed, identities(f"{Identity.generate()}\n\n{identity}")) == b""


def test_no_other_identity_opens_it_and_no_cut_or_changed_one_passes(identity: Identity) -> None:
    sealed = seal(BODY, str(identity.to_public()))
    for wrong, key in (
        (sealed, Identity.generate()),
        (sealed[:-1], identity),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), identity),
        (b"", identity),
    ):
        with pytest.raises(SealError, match="no identity of the key file opens it"):
            unseal(wrong, [key])


def test_two_seals_of_one_body_cannot_be_compared(identity: Identity) -> None:
    recipient = str(identity.to_public())
    assert seal(BODY, recipient) != seal(BODY, recipient)


def test_a_fingerprint_names_the_recipient_and_its_identity_knows_it(identity: Identity) -> None:
    name = fingerprint(str(identity.to_public()))
    assert len(name) == FINGERPRINT_CHARACTERS
    assert recipients([identity]) == [name]
    assert fingerprint(str(Identity.generate().to_public())) != name


@pytest.mark.parametrize("text", ["", "age1nonsense", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQQ"])
def test_what_is_no_recipient_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(SealError, match="no age recipient") as refused:
        seal(BODY, text)
    assert not text or text not in str(refused.value)


def test_a_private_key_where_the_recipient_belongs_is_refused_and_not_told(identity: Identity) -> None:
    with pytest.raises(SealError) as refused:
        fingerprint(str(identity))
    assert str(identity) not in str(refused.value)


@pytest.mark.parametrize("text", ["", "# only a comment", "age1qqqq", "AGE-SECRET-KEY-1nonsense"])
def test_what_is_no_key_file_is_refused(text: str) -> None:
    with pytest.raises(SealError, match="no age identity"):
        identities(text)
