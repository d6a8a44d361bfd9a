"""A redaction on a record says where in the recorded body its pseudonym stands."""

from __future__ import annotations

import pytest

import gateway.wiring
from gateway.drafting import MaskingFailedError
from gateway.settings import Connection
from masking import Masked, Masker, Redaction, placed

KEY = b"0123456789abcdef0123456789abcdef"
BODIES = [
    b'{"kind":"Secret","data":{"a":"aHVudGVyMi1zZWNyZXQ=","b":"c2Vjb25kLXNlY3JldC0y","c":"aHVudGVyMi1zZWNyZXQ="}}',
    b"kind: Secret\ndata:\n  a: aHVudGVyMi1zZWNyZXQ=\n  b: c2Vjb25kLXNlY3JldC0y\n",
    b"token=ghp_abcdefghijklmnopqrstuvwxyz0123456789 and xoxb-123456789012-abcdefghijklmnopqrstuvwx",
    b'data: {"text":"{\\"kind\\":\\"Secret\\",\\"data\\":{\\"p\\":\\"aHVudGVyMi1zZWNyZXQ=\\"}}"}\n\n',
]


@pytest.mark.parametrize("body", BODIES)
def test_every_redaction_points_at_its_pseudonym_in_order(body: bytes) -> None:
    masked = Masker(KEY).mask(body)
    rows = placed(masked)
    assert rows
    assert [masked.text[row["start"] : row["end"]].decode() for row in rows] == [
        row["pseudonym"] for row in rows
    ]
    assert [row["start"] for row in rows] == sorted({row["start"] for row in rows})


def test_a_pseudonym_that_does_not_stand_in_the_body_as_it_is_has_no_place() -> None:
    found = (Redaction("r", "$.a", 3, 9, "[inner]"), Redaction("r", "$.b", 12, 15, "[outer]"))
    rows = placed(Masked(b"{..encoded..[outer]}", found))
    assert [(row["start"], row["end"]) for row in rows] == [(-1, -1), (12, 19)]


def test_g6_a_fault_within_the_masking_fails_the_exchange_and_tells_nothing_of_the_body(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Faulty:
        def __init__(self, *_: object) -> None:
            pass

        def mask(self, body: bytes) -> bytes:
            raise IndexError(body)

    monkeypatch.setattr(gateway.wiring, "Masker", Faulty)
    with pytest.raises(MaskingFailedError, match=r"^IndexError$"):
        gateway.wiring._masks(KEY, Connection("demo"))("secrets")(b"hunter2")
