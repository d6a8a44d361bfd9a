"""Own rules: what they may write instead of a pseudonym, and what a file of them says when it is wrong."""

import json
from pathlib import Path

import pytest

import masking
from masking import RuleFileError, placed, profile_from, read_rules, rules_in
from tests.masking.kinds import made

KEY = b"a key for tests, 32 bytes long.."
SECRET = made("own", 32)
CARD = "4539578763621486"
ACME = {"id": "acme-token", "pattern": r"acme_(?P<secret>[A-Za-z0-9]{32})"}


def masker(rule: dict[str, object], **more: object) -> masking.Masker:
    return masking.Masker(KEY, profile_from("secrets+pii", rules=[ACME | rule], **more))  # type: ignore[arg-type]


def test_a_rule_may_write_a_fixed_text() -> None:
    masked = masker({"replacement": "***"}).mask(f"x acme_{SECRET} y")
    assert masked.text == "x acme_*** y"
    assert masked.redactions[0].written == "***"
    assert masked.redactions[0].pseudonym.startswith("[masked:acme-token:")


def test_a_rule_may_let_a_few_characters_stay() -> None:
    masked = masker({"keep_first": 2, "keep_last": 3}).mask(f"x acme_{SECRET} y")
    name = masked.redactions[0].pseudonym
    assert masked.text == f"x acme_{SECRET[:2]}{name}{SECRET[-3:]} y"


def test_of_a_short_secret_nothing_stays() -> None:
    short = masking.Masker(KEY, profile_from("secrets", forms={"assignment": {"keep_last": 4}}))
    assert "vRt2" not in short.mask("password: Zq8vRt2L").text


def test_a_form_can_be_given_to_a_rule_that_comes_with_sluicegate() -> None:
    card = masking.Masker(KEY, profile_from("secrets+pii", forms={"card": {"keep_last": 4}}))
    masked = card.mask(f"card {CARD} end")
    assert masked.text == f"card {masked.redactions[0].pseudonym}1486 end"


@pytest.mark.parametrize("form", [{"replacement": "hidden42"}, {"keep_first": 4, "keep_last": 4}])
@pytest.mark.parametrize(
    "text", ["acme_{}", "password: acme_{}", '{{"token": "acme_{}"}}', "token=acme_{}\nx=1"]
)
def test_masking_twice_changes_nothing_whatever_is_written(form: dict[str, object], text: str) -> None:
    forms = dict.fromkeys(("assignment", "acme-token"), form)
    it = masker({}, forms=forms)
    once = it.mask(text.format(SECRET))
    assert SECRET not in once.text
    assert it.mask(once.text).redactions == ()


def test_places_are_those_in_the_masked_body() -> None:
    body = f'{{"é": "acme_{SECRET}", "password": "{made("two")}"}}\nkey: acme_{SECRET}\n'.encode()
    for rule in ({}, {"replacement": "***"}, {"keep_last": 4}):
        masked = masker(rule).mask(body)
        rows = placed(masked)
        assert len(rows) == len(masked.redactions) == 3
        for row, found in zip(rows, masked.redactions, strict=True):
            assert masked.text[row["start"] : row["end"]].decode() == (found.written or found.pseudonym)
            assert row["end"] - row["start"] == len(found.written or found.pseudonym)


def test_a_place_that_is_none_is_told_as_none() -> None:
    masked = masking.Masker(KEY).mask(json.dumps({"password": SECRET}).encode("utf-16"))
    assert [(row["start"], row["end"]) for row in placed(masked)] == [(-1, -1)]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"replacement": 'a"b'}, "must be 1 to 64"),
        ({"replacement": "x", "keep_last": 2}, "remove one"),
        ({"keep_first": 6, "keep_last": 6}, "at most 8"),
        ({"keep_first": "2"}, "numbers"),
    ],
)
def test_a_form_that_cannot_be_is_refused(rule: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        masker(rule)


def test_a_rule_that_does_not_exist_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="did you mean 'password-hash'"):
        profile_from("secrets", leave=["pasword-hash"])
    with pytest.raises(ValueError, match="there is no rule"):
        profile_from("secrets", forms={"cards": {"keep_last": 4}})


WRONG = """# Ours
[[rule]]
id = "good"
pattern = "good_[a-z]{8}"

[[rule]]
id = "open"
pattern = "x+"

[[rule]]
id = "odd"
colour = "red"
pattern = "a{3}"

[[rule]]
id = "missed"
pattern = "b{3}"
examples = ["bbb", "SeCrEt"]

[[rule]]
id = "sieved"
pattern = "c{3}"
filters = ["nothing"]

[[rule]]
id = "good"
pattern = "d{3}"
keep_last = 99
"""


def test_each_fault_of_a_file_of_rules_has_its_line_and_says_what_to_do() -> None:
    with pytest.raises(RuleFileError) as caught:
        rules_in(WRONG, "rules.toml")
    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == [f"rules.toml:{n}:" for n in (8, 12, 18, 23, 25, 28)]
    for part, line in zip(
        ("give each repeat", "colour", "number 2", "nothing", "another id", "at most 8"), lines, strict=True
    ):
        assert part in line
    assert "SeCrEt" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ('[[rule]]\nid = "a"\npattern = "b\n', "r.toml:3: is not TOML"),
        ('id = "a"\n', "r.toml:1: there is no 'id' here"),
        ("", "r.toml:1: holds no rule"),
    ],
)
def test_a_file_that_holds_no_rules_says_where(text: str, start: str) -> None:
    with pytest.raises(RuleFileError) as caught:
        rules_in(text, "r.toml")
    assert start in str(caught.value)


def test_a_file_of_rules_is_read(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text('[[rule]]\nid = "acme"\npattern = "acme_[a-z]{8}"\nexamples = ["acme_abcdefgh"]\n')
    assert (
        masking.Masker(KEY, profile_from("secrets", rules=read_rules(file))).mask("acme_abcdefgh").redactions
    )
    with pytest.raises(RuleFileError, match="cannot be read"):
        read_rules(tmp_path / "none.toml")
    file.write_bytes(b"# a\n\xff")
    with pytest.raises(RuleFileError, match=":2: is not UTF-8"):
        read_rules(file)
