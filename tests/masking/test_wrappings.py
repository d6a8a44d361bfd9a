"""No known secret survives any wrapping, up to three deep, and structured texts keep their structure."""

import base64
import binascii
import html
import json
import re
import zlib
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import masking
from tests.masking.kinds import KINDS, WRAPPINGS, b64, made

MASKER = masking.Masker(b"a key for tests, 32 bytes long..")
RUN = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")


def layers(text: str, depth: int = 0) -> list[str]:
    """The text, and all texts that somebody who decodes it would find in it."""
    found = [text]
    if depth < 5:
        for decoded in {unquote(text), html.unescape(text), unescaped(text)} - {text}:
            found += layers(decoded, depth + 1)
        for run in RUN.findall(text):
            plain = unpacked(run)
            if plain:
                found += layers(plain, depth + 1)
    return found


def unescaped(text: str) -> str:
    return (
        re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), text)
        .replace("\\n", "\n")
        .replace('\\"', '"')
    )


def unpacked(run: str) -> str:
    try:
        raw = base64.b64decode(run + "=" * (-len(run) % 4))
        raw = zlib.decompress(raw, wbits=47) if raw[:2] == b"\x1f\x8b" else raw
        return raw.decode("ascii")
    except (binascii.Error, ValueError, zlib.error):
        return ""


def survives(secret: str, text: str) -> bool:
    needles = (secret[:16], secret[8:], b64(secret)[:16])
    return any(needle in layer for layer in layers(text) for needle in needles)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_secret_of_each_kind_is_masked_in_each_wrapping(kind: str, wrapping: str) -> None:
    secret = made(f"{kind} {wrapping}")
    text = WRAPPINGS[wrapping](KINDS[kind](secret))
    masked = MASKER.mask(text).text
    assert not survives(secret, masked)
    assert MASKER.mask(masked).text == masked


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    kind=st.sampled_from(sorted(KINDS)),
    chain=st.lists(st.sampled_from(sorted(WRAPPINGS)), min_size=1, max_size=3),
    seed=st.integers(0, 10_000),
)
def test_no_secret_survives_wrappings_three_deep(kind: str, chain: list[str], seed: int) -> None:
    secret = made(seed)
    text = KINDS[kind](secret)
    for wrapping in chain:
        text = WRAPPINGS[wrapping](text)
    masked = MASKER.mask(text).text
    assert not survives(secret, masked)
    assert MASKER.mask(masked).text == masked


@pytest.mark.parametrize("size", range(8, 80))
def test_base64_of_any_length_is_looked_into_at_the_end_of_a_line_and_over_lines(size: int) -> None:
    secret = made(size)
    text = b64(f"{'x' * size} password={secret}\n")
    lines = "\n  ".join(text[start : start + 64] for start in range(0, len(text), 64))
    for body in (f"blob: {text}\n", f"blob: |\n  {lines}\n", f"{text}\nWORKERS=4\n"):
        assert not survives(secret, MASKER.mask(body).text), body


def shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value]
    return type(value)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("private key", "vendor token")])
def test_json_stays_json_and_yaml_stays_yaml_of_the_same_shape(kind: str) -> None:
    text = KINDS[kind](made(kind))
    for reader in (json.loads, yaml.safe_load):
        try:
            before = reader(text)
        except (ValueError, yaml.YAMLError):
            continue
        assert shape(reader(MASKER.mask(text).text)) == shape(before)


def test_the_same_secret_has_the_same_hex_wherever_it_stands() -> None:
    secret = made("one")
    texts = [KINDS[kind](secret) for kind in ("dotenv", "Kubernetes Secret (JSON)", "URL credentials", "SQL")]
    marks = {MASKER.mask(text).redactions[0].pseudonym.rpartition(":")[2] for text in texts}
    assert len(marks) == 1


def test_another_key_gives_another_pseudonym() -> None:
    text = KINDS["dotenv"](made("one"))
    other = masking.Masker(b"another key, also 32 bytes long.")
    assert MASKER.mask(text).redactions[0].pseudonym != other.mask(text).redactions[0].pseudonym
