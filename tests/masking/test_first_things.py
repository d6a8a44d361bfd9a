"""What every caller of the library relies on."""

import base64
import json
import threading

import pytest

import masking
from masking.pseudonym import PSEUDONYM

KEY = b"a key for tests, 32 bytes long.."
MASKER = masking.Masker(KEY)
SECRET = base64.b64encode(b"pearl-harbour-98").decode()
MANIFEST = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: db\ndata:\n  anything: {SECRET}\ntype: Opaque\n"


def escaped(text: str) -> str:
    return json.dumps({"result": {"content": [{"type": "text", "text": text}]}})


def test_a_clean_text_comes_back_as_the_same_object() -> None:
    body = b'{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}'
    assert MASKER.mask(body).text is body


def test_only_the_value_of_a_secret_is_replaced() -> None:
    masked = MASKER.mask(MANIFEST)
    (redaction,) = masked.redactions
    assert MANIFEST[redaction.start : redaction.end] == SECRET
    assert masked.text == MANIFEST.replace(SECRET, f"'{redaction.pseudonym}'")
    assert PSEUDONYM.fullmatch(redaction.pseudonym)


@pytest.mark.parametrize("levels", [1, 2, 3, 4])
def test_a_secret_in_yaml_in_strings_in_json_is_found_at_any_level(levels: int) -> None:
    text = MANIFEST
    for _ in range(levels):
        text = escaped(text)
    masked = MASKER.mask(text)
    assert SECRET not in masked.text
    assert json.loads(masked.text)
    assert len(masked.redactions) == 1
    assert text[masked.redactions[0].start : masked.redactions[0].end] == SECRET


def test_masking_twice_changes_nothing() -> None:
    once = MASKER.mask(escaped(MANIFEST)).text
    assert MASKER.mask(once) == masking.Masked(once, ())


def test_bytes_and_text_agree_and_offsets_count_in_their_own_unit() -> None:
    text = "résumé ☃ " + MANIFEST.replace("apiVersion", "\napiVersion")
    masked = MASKER.mask(text)
    raw = MASKER.mask(text.encode())
    assert raw.text == masked.text.encode()
    (one,), (two,) = masked.redactions, raw.redactions
    assert text[one.start : one.end] == SECRET
    assert text.encode()[two.start : two.end] == SECRET.encode()


def test_items_of_a_secret_list_have_no_kind_and_are_masked() -> None:
    text = json.dumps(
        {"kind": "SecretList", "items": [{"data": {"x": SECRET}}, {"stringData": {"y": "hello you"}}]}
    )
    assert [r.rule for r in MASKER.mask(text).redactions] == ["kubernetes-secret"] * 2


def test_a_config_map_beside_a_secret_keeps_its_data() -> None:
    items = [{"kind": "ConfigMap", "data": {"colour": "blue"}}, {"kind": "Secret", "data": {"x": SECRET}}]
    masked = MASKER.mask(json.dumps({"kind": "List", "items": items})).text
    assert "blue" in masked
    assert SECRET not in masked


def test_many_threads_share_one_masker() -> None:
    texts = [escaped(MANIFEST.replace("db", f"db-{n}")) for n in range(50)]
    expected = [MASKER.mask(text) for text in texts]
    results: dict[int, list[masking.Masked[str]]] = {}

    def work(number: int) -> None:
        results[number] = [MASKER.mask(text) for text in texts for _ in range(5)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results[n] == [e for e in expected for _ in range(5)] for n in range(8))


def test_the_profile_off_masks_nothing_and_an_unknown_one_is_an_error() -> None:
    assert masking.mask(MANIFEST, "off").text == MANIFEST
    with pytest.raises(ValueError, match="secrets\\+pii"):
        masking.mask(MANIFEST, "sercets")


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 random bytes"):
        masking.Masker(b"short")


def test_a_secret_is_masked_wherever_it_returns_in_its_text() -> None:
    secret = "Prl23Db#@x9"
    masked = MASKER.mask(f"password: {secret}\nI tried {secret}, and {secret} again; not {secret}long\n")
    assert len(masked.redactions) == 3
    assert len({redaction.pseudonym for redaction in masked.redactions}) == 1
    assert masked.text.endswith(f"not {secret}long\n")
