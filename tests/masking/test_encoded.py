"""Pseudonyms in base64, where clients of Kubernetes decode what a Secret holds."""

from base64 import b64decode, b64encode
from dataclasses import replace

import pytest

from masking import WHERE_CLIENTS_DECODE, Masker, placed, profile_from
from masking.deep import known_in

KEY = b"a key for tests, 32 bytes long.."
FOR_CLIENTS = Masker(KEY, replace(profile_from("secrets"), forms=WHERE_CLIENTS_DECODE))
PLAIN = Masker(KEY, "secrets")
VALUE = b64encode(b"correct-horse-battery").decode()
SECRET = '{"kind":"Secret","apiVersion":"v1","metadata":{"name":"db"},"data":{"password":"%s"}}' % VALUE


def test_what_stands_in_the_data_of_a_secret_can_be_decoded() -> None:
    masked = FOR_CLIENTS.mask(SECRET.encode())
    (row,) = placed(masked)
    written = masked.text[row["start"] : row["end"]]
    assert b64decode(written, validate=True).decode() == row["pseudonym"]
    assert masked.text == SECRET.replace(VALUE, written.decode()).encode()
    assert row["pseudonym"] == PLAIN.mask(SECRET.encode()).redactions[0].pseudonym, "one secret, one name"


def test_a_value_that_is_no_base64_gets_the_pseudonym_as_it_is() -> None:
    masked = FOR_CLIENTS.mask(
        SECRET.replace('"data"', '"stringData"').replace(VALUE, "correct horse battery!")
    )
    assert masked.redactions[0].pseudonym in masked.text


@pytest.mark.parametrize("masker", [PLAIN, FOR_CLIENTS], ids=["plain", "for-clients"])
@pytest.mark.parametrize("yaml", [False, True], ids=["json", "yaml"])
def test_masking_again_changes_nothing(masker: Masker, yaml: bool) -> None:
    """An MCP server prints what it was given by the API server, and its own connection masks too."""
    once = FOR_CLIENTS.mask(SECRET).text
    if yaml:
        value = once.split('"password":"')[1].split('"')[0]
        once = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  password: {value}\n"
    assert masker.mask(once).text == once


def test_a_session_remembers_it_as_the_same_secret() -> None:
    assert known_in(FOR_CLIENTS.mask(SECRET).text) == known_in(PLAIN.mask(SECRET).text) != ()
