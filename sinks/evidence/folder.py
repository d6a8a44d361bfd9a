"""The folder that an auditor takes: pages for people, tables for their tools, and a manifest that binds them.

    index.html            the framework, its controls, how complete and how sound the trail is
    controls/ID.html      one control and what speaks to it
    exhibits/NAME.html    one exhibit: the question, how many rows, the sample (NAME.csv, NAME.sample.csv)
    verification.json     what `sluicegate verify` found; completeness.json: recorded, processed, stored
    manifest.json         what was asked, when, by which version; the SHA-256 of every file

It appears whole under its name or not at all.
"""

import csv
import io
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sinks.evidence.catalogue import Framework
from sinks.evidence.gather import ROWS_MAX, Asked, Found

SHOWN_MAX = 50
_FORMULA = re.compile(r"\s*[=+\-@|%\t\r＋－＝＠]")
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class FolderError(RuntimeError):
    """The folder cannot be written. The text says why."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How sound and how complete the trail was when it was asked. `verification` and `completeness` are as their
    commands give them with --json; `verdict` in a word; `faults` what an auditor has to know first."""

    verdict: str
    verification: Sequence[Mapping[str, Any]]
    completeness: Sequence[Mapping[str, Any]]
    faults: Sequence[str] = ()


class Folder:
    """One folder in the making, beside the place where it will stand. Raises FolderError where something is."""

    def __init__(self, target: Path, framework: Framework, asked: Asked) -> None:
        if target.exists():
            raise FolderError(f"{target} is there already; name another folder")
        self.target, self.framework, self.asked = target, framework, asked
        self.digests: dict[str, str] = {}
        self._draft = self.target.with_name(f".{self.target.name}.{os.getpid()}")
        self._pages = Environment(
            loader=PackageLoader("sinks.evidence"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._pages.filters["shown"] = shown

    def write(self, found: Mapping[str, Found], proof: Proof) -> str:
        """All of it; gives the SHA-256 of the manifest. Raises FolderError."""
        try:
            self._draft.mkdir(parents=True)
            self._write(found, proof)
            self._draft.replace(self.target)
        except OSError as exc:
            raise FolderError(f"{self.target} cannot be written: {exc.strerror or exc}") from exc
        finally:
            shutil.rmtree(self._draft, ignore_errors=True)
        return sha256((self.target / "manifest.json").read_bytes()).hexdigest()

    def _write(self, found: Mapping[str, Found], proof: Proof) -> None:
        for each in found.values():
            name = each.exhibit.name
            self._put(f"exhibits/{name}.csv", table(each.columns, each.rows))
            self._put(f"exhibits/{name}.sample.csv", table(each.columns, each.sample))
            self._page(
                f"exhibits/{name}.html", "exhibit.html", found=each, rows_max=ROWS_MAX, shown_max=SHOWN_MAX
            )
        for control in self.framework.controls:
            exhibits = [found[name] for name in control.exhibits]
            self._page(
                f"controls/{filename(control.id)}.html", "control.html", control=control, exhibits=exhibits
            )
        self._put("verification.json", _lines(proof.verification))
        self._put("completeness.json", _lines(proof.completeness))
        names = {control.id: f"controls/{filename(control.id)}.html" for control in self.framework.controls}
        self._page("index.html", "index.html", proof=proof, found=found, names=names)
        self._put("manifest.json", json.dumps(self._manifest(found, proof), indent=1) + "\n")

    def _manifest(self, found: Mapping[str, Found], proof: Proof) -> dict[str, Any]:
        return {
            "framework": self.framework.title,
            "since": self.asked.since,
            "until": self.asked.until,
            "sample": self.asked.sample,
            "seed": self.asked.seed,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "sluicegate": version("sluicegate"),
            "verdict": proof.verdict,
            "populations": {name: each.population for name, each in found.items()},
            "files": dict(sorted(self.digests.items())),
        }

    def _page(self, name: str, template: str, **context: Any) -> None:
        depth = "../" if "/" in name else ""
        page = self._pages.get_template(template)
        self._put(name, page.render(root=depth, framework=self.framework, asked=self.asked, **context))

    def _put(self, name: str, text: str) -> None:
        path, content = self._draft / name, text.encode()
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.digests[name] = sha256(content).hexdigest()


def filename(control: str) -> str:
    """A control's id as a name of a file."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", control).strip("-")


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """CSV (RFC 4180). No cell is a formula: strangers wrote what is recorded."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, (bool, int, float)):
        return value
    text = shown(value)
    return f"'{text}" if _FORMULA.match(text) else text


def shown(value: Any) -> str:
    """A value for a page or a table: lists and maps as JSON, what cannot be seen as its code point."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)
