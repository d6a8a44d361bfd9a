"""A kubeconfig file: entries put into it, everything else in it as it was, written whole or not at all.

The file is changed as a tree of nodes and not as values: a scalar that YAML could read in two ways (`0123`, `yes`,
a date) keeps its very text.
"""

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.representer import SafeRepresenter

from sluicegate.cli.kubeconfig_entries import MEMBERS_OF_OURS, Entries, is_ours

_COMMENT = re.compile(r"^\s*#|\s#", re.MULTILINE)
_WIDE = 1_000_000  # a line is not folded: certificates are one word of some thousand characters


class KubeconfigError(RuntimeError):
    """A kubeconfig cannot be used or changed. The message says which and what to do."""


def merged(text: str, added: Entries, *, use: bool, where: str = "the file") -> str:
    """`text`, a kubeconfig or '', with the entries in it. `use` makes their context the current one; where there is
    none it becomes that in any case. Raises KubeconfigError."""
    root = _parsed(text, where)
    for section, key, value in added.sections():
        _put(_sequence(root, section, where), added, (section, key, value), where)
    current = _find(root, "current-context")
    if use or not isinstance(current, ScalarNode) or not current.value:
        _set(root, "current-context", _node(added.name))
    return yaml.serialize(root, Dumper=yaml.SafeDumper, width=_WIDE, allow_unicode=True) or ""


def written(file: Path, added: Entries, *, use: bool) -> Path | None:
    """Puts the entries into `file`, made where there is none, mode 0600. Gives the copy that was kept of a file
    with comments, None where there were none. Raises KubeconfigError and OSError."""
    target = file.expanduser().resolve()  # behind a link, the file that it leads to
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(target):
        before = _read(target)
        after = merged(before, added, use=use, where=str(file))
        kept = _copy(target, before) if _COMMENT.search(before) and before != after else None
        _replace(target, after)
    return kept


def usual_file(environment: str) -> Path:
    """The file that kubectl changes: the first of KUBECONFIG, else ~/.kube/config."""
    named = next(filter(None, environment.split(os.pathsep)), "")
    return Path(named) if named else Path.home() / ".kube" / "config"


def _parsed(text: str, where: str) -> MappingNode:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        raise KubeconfigError(
            f"{where} is no YAML, so nothing was changed: {str(exc).splitlines()[0]}"
        ) from exc
    if root is None:
        return _node({"apiVersion": "v1", "kind": "Config", "preferences": {}})  # type: ignore[return-value]
    kind = _find(root, "kind") if isinstance(root, MappingNode) else None
    if not isinstance(root, MappingNode) or (kind is not None and kind.value != "Config"):
        raise KubeconfigError(f"{where} is no kubeconfig (kind: Config), so nothing was changed")
    return root


def _sequence(root: MappingNode, section: str, where: str) -> SequenceNode:
    found = _find(root, section)
    if found is None or found.value in ("", "null", "~"):
        found = _node([])
        found.flow_style = False  # type: ignore[attr-defined]
        _set(root, section, found)
    if not isinstance(found, SequenceNode):
        raise KubeconfigError(f"{where}: {section} is no list, so nothing was changed")
    return found


def _put(entries: SequenceNode, added: Entries, part: tuple[str, str, dict[str, Any]], where: str) -> None:
    """A part as an entry of its section; members of an entry of ours that we say nothing of stay."""
    section, key, value = part
    there = next((each for each in entries.value if _name(each) == added.name), None)
    if there is None:
        if not entries.value:
            entries.flow_style = False
        entries.value.append(_node({"name": added.name, key: value}))
        return
    inner = _find(there, key)
    if not is_ours(added, section, _plain(inner)):
        raise KubeconfigError(
            f"{where}: {section} has {added.name}, which is not Sluicegate's; choose another name with --context"
        )
    if not isinstance(inner, MappingNode):
        _set(there, key, _node(value))
        return
    for gone in MEMBERS_OF_OURS - set(value):
        inner.value = [pair for pair in inner.value if pair[0].value != gone]
    for member, said in value.items():
        _set(inner, member, _node(said))


def _name(entry: Node) -> str:
    found = _find(entry, "name") if isinstance(entry, MappingNode) else None
    return str(found.value) if isinstance(found, ScalarNode) else ""


def _find(mapping: Node, key: str) -> Node | None:
    return next((value for name, value in mapping.value if name.value == key), None)


def _set(mapping: Node, key: str, value: Node) -> None:
    for at, (name, _) in enumerate(mapping.value):
        if name.value == key:
            mapping.value[at] = (name, value)
            return
    if not mapping.value:
        mapping.flow_style = False  # type: ignore[attr-defined]
    mapping.value.append((_node(key), value))


def _node(value: Any) -> Node:
    return SafeRepresenter(default_flow_style=False, sort_keys=False).represent_data(value)


def _plain(node: Node | None) -> Any:
    """The values of a node. An empty mapping is what kubectl makes of an entry without one."""
    if node is None:
        return {}
    text = yaml.serialize(node, Dumper=yaml.SafeDumper)
    return yaml.safe_load(text) or {}


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as exc:
        raise KubeconfigError(f"{file} is no UTF-8 text, so nothing was changed") from exc


def _copy(file: Path, text: str) -> Path:
    """The file as it was, beside it: comments do not outlive a change."""
    kept = file.with_name(f"{file.name}.before-sluicegate")
    _replace(kept, text)
    return kept


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """The lock that kubectl takes too, so that neither loses what the other writes."""
    lock = file.with_name(f"{file.name}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError as exc:
        raise KubeconfigError(
            f"{lock} is there: something changes the file now; try again, or remove the lock when nothing does"
        ) from exc
    try:
        yield
    finally:
        with suppress(FileNotFoundError):
            lock.unlink()
