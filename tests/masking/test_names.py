"""Names and addresses in the deep pass: by the model and by what stands around them, on prose and on nothing else."""

import json
import subprocess
import sys
from itertools import pairwise

import pytest

from masking.deep import DeepMasker
from masking.names_context import in_context
from masking.names_deep import MODEL_CHARS_MAX, Names, available
from masking.names_model import NamesModel, windows
from masking.names_text import prose, stretches

KEY = b"a key for tests, 32 bytes long.."


@pytest.fixture(scope="module")
def names() -> Names:
    """The detector with its model."""
    pytest.importorskip("onnxruntime")
    pytest.importorskip("tokenizers")
    return Names(NamesModel())


@pytest.fixture(scope="module")
def masker(names: Names) -> DeepMasker:
    """The deep pass of a connection with personal data."""
    return DeepMasker(KEY, "secrets+pii", [names])


PROSE = {
    "My name is Ingeborg Lindqvist, nice to meet you.": ["Ingeborg Lindqvist"],
    "Please send the parcel to Mrs. Okonkwo by Friday.": ["Mrs. Okonkwo"],
    "She has worked for Blue Harbor Logistics since 2009.": ["Blue Harbor Logistics", "2009"],
    "We moved here from Reykjavik, she is Icelandic.": ["Reykjavik", "Icelandic"],
    "Ship it to 221 Baker Street, Apt. 14, London.": ["221 Baker Street", "Apt. 14", "London"],
    "The patient is a 47-year-old from Portugal.": ["47", "Portugal"],
    "His date of birth is 4/12/1958.": ["4/12/1958"],
    "Wyślij to na ul. Piotrkowska 22, proszę. Dziękuję!": ["ul. Piotrkowska 22"],
}


@pytest.mark.parametrize("text", PROSE)
def test_what_tells_of_a_person_is_masked(masker: DeepMasker, text: str) -> None:
    masked = masker.mask(text)
    for secret in PROSE[text]:
        assert secret not in masked.text
    assert all(row.rule.startswith("name:") for row in masked.redactions)


TECHNICAL = (
    "NAME                 READY   STATUS    RESTARTS   AGE\nweb-7d9f8c6b5-x2x9z  1/1     Running   0          3d",
    "2026-03-01T10:00:00Z INFO  reconciled deployment default/paris in 12ms",
    'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: austin\ndata:\n  region: "sydney"\n',
    "error: failed to pull image docker.io/library/jordan:1.2.3: manifest unknown",
    "List the pods in a namespace of the Kubernetes cluster. Use the label selector to filter.",
    "Helm Release Notes: Thank you for installing Redis! Your release is named cache.",
    "kubectl get pods -n london --selector app=florence",
    '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"madison","namespace":"victoria"}}',
)


@pytest.mark.parametrize("text", TECHNICAL)
def test_what_a_machine_wrote_stays(masker: DeepMasker, text: str) -> None:
    assert masker.mask(text).text == text


def test_a_name_inside_json_inside_json_goes_and_both_stay_json(masker: DeepMasker) -> None:
    inner = json.dumps({"note": 'Please call "JJ" Müller\nRegards,\nAnnelise Müller'})
    body = json.dumps({"result": {"content": [{"type": "text", "text": inner}]}}).encode()
    masked = masker.mask(body)
    note = json.loads(json.loads(masked.text)["result"]["content"][0]["text"])["note"]
    assert "Annelise" not in note
    assert note.startswith('Please call "JJ"')
    assert masked.redactions[-1].path == "$.result.content[0].text"


def test_masking_again_changes_nothing(masker: DeepMasker) -> None:
    for text in PROSE:
        once = masker.mask(text).text
        assert masker.mask(once).text == once


def test_a_repeat_is_the_same(names: Names) -> None:
    text = " ".join(PROSE)
    assert names.entities(text) == names.entities(text) == Names(NamesModel()).entities(text)


def test_a_person_named_once_is_known_in_the_rest_of_the_text(names: Names) -> None:
    text = "My name is Thandiwe Mokoena. As agreed, Mokoena will pay."
    assert [text[one.start : one.end] for one in names.entities(text)] == ["Thandiwe Mokoena", "Mokoena"]


def test_profiles_without_personal_data_run_no_dear_detector(names: Names) -> None:
    text = next(iter(PROSE))
    assert DeepMasker(KEY, "secrets", [names]).mask(text).text == text


def test_without_the_model_the_rules_still_work() -> None:
    text = "Please send the parcel to Mrs. Okonkwo by Friday."
    assert [text[one.start : one.end] for one in Names(None).entities(text)] == ["Mrs. Okonkwo", "Friday"]


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masking.names_model.find_spec", lambda _name: None)
    names, reason = available()
    assert "install the extra `names`" in reason
    assert names.entities("Dear Mrs. Okonkwo, hello")


def test_the_model_opens_no_socket() -> None:
    """In a process of its own, which an audit hook ends at the first socket; native code would leave one open."""
    pytest.importorskip("onnxruntime")
    script = (
        "import sys, os\n"
        "sys.addaudithook(lambda event, _: os._exit(9) if event.startswith('socket.') else None)\n"
        "from masking.names_deep import entities\n"
        "assert entities('My name is Ingeborg Lindqvist.')\n"
        "paths = [f'/proc/self/fd/{fd}' for fd in os.listdir('/proc/self/fd')]\n"
        "held = [os.readlink(path) for path in paths if os.path.lexists(path)]\n"
        "assert not [name for name in held if name.startswith('socket:')], held\n"
        "assert 'arcjet' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", script], timeout=60, check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_long_texts_are_read_in_windows_that_overlap() -> None:
    text = "word " * 1000
    places = list(windows(text))
    assert places[0][0] == 0
    assert places[-1][1] == len(text)
    assert all(start < before_end for (_, before_end), (start, _) in pairwise(places))
    assert list(windows("x" * 5000))[-1][1] == 5000


def test_a_name_at_the_border_of_a_window_is_found(names: Names) -> None:
    for pad in range(440, 490, 7):
        text = (
            "so it goes " * (pad // 11) + "and my colleague Ingeborg Lindqvist said hello to everyone there."
        )
        assert any("Lindqvist" in text[one.start : one.end] for one in names.entities(text)), pad


def test_what_the_model_reads_of_one_text_is_bounded(names: Names) -> None:
    text = "nothing of note here. " * 2000 + "my colleague ingeborg went home"
    assert len(text) > MODEL_CHARS_MAX
    assert not list(names(text))


@pytest.mark.parametrize(
    "text", ["A-" * 1000, "Aa " * 660, "   \n" * 500, "> >\n" * 500, "The 1 Aa & " * 180]
)
def test_no_text_makes_the_rules_run_wild(text: str) -> None:
    assert len(list(in_context(text))) < 2000


def test_only_prose_is_looked_at() -> None:
    assert prose("Please call Anna tomorrow")
    assert not prose("a=1 b=2 c=3 hello")
    assert not prose("single")
    assert prose(">Ingeborg Lindqvist\n>12 Harbour Road\n>Bergen\n")
    assert [part.text for part in stretches('{"a":"two words","b":"one"}')] == ["two words"]


FIELDS = {
    '{"first_name": "ingeborg", "LastName": "Lindqvist", "id": 7}': ["ingeborg", "Lindqvist"],
    '{"address": "12 Harbour Road", "city": "Bergen", "postal-code": "5003"}': [
        "12 Harbour Road",
        "Bergen",
        "5003",
    ],
    '{"text": "{\\"surname\\": \\"M\\\\u00fcller\\", \\"dob\\": \\"1970-02-03\\"}"}': [
        "u00fcller",
        "1970-02-03",
    ],
    "first_name: Ingeborg\nzip: '5003'\nage: 41\n": ["Ingeborg", "5003"],
    '{"name": "Ingeborg Lindqvist", "manager": "Ola Nordmann"}': ["Ingeborg Lindqvist", "Ola Nordmann"],
}


@pytest.mark.parametrize("text", FIELDS)
def test_fields_of_a_person_are_masked_by_their_names(text: str) -> None:
    masked = DeepMasker(KEY, "secrets+pii", [Names(None)]).mask(text)
    for value in FIELDS[text]:
        assert value not in masked.text
    if text.startswith("{"):
        assert json.loads(masked.text).keys() == json.loads(text).keys()


@pytest.mark.parametrize(
    "text",
    [
        '{"kind":"Pod","metadata":{"name":"web-7d9f","namespace":"prod"},"status":{"addresses":[{"address":"10.0.0.1"}]}}',
        '{"name": "list_pods", "displayName": "List pods", "city": "${CITY}", "first_name": null, "zip": "string"}',
        "name: web\nlocation: eu-west-1\nowner: platform\nfirst_name: {{ .Values.name }}\n",
    ],
)
def test_fields_that_hold_no_person_stay(text: str) -> None:
    assert DeepMasker(KEY, "secrets+pii", [Names(None)]).mask(text).text == text
