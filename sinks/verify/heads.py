"""Signed tree heads of one partition: which are believed, and what is found about those that are not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from schemas.merkle import HASH_BYTES
from schemas.notes import Note, NoteError, TreeHead, open_head, open_note, open_signatures
from sinks.verify.findings import Finding, Kind, Report
from sinks.verify.policy import Policy


@dataclass(frozen=True, slots=True)
class Head:
    """A believed tree head, and the witnesses of the policy that vouch for it."""

    tree: TreeHead
    note: str
    witnesses: frozenset[str] = frozenset()

    @property
    def base(self) -> int:
        """Offset of leaf 0; -1 where the note does not say."""
        said = self.tree.extension("base")
        return int(said) if said.isdecimal() else -1

    @property
    def signed_at(self) -> str:
        """What the note says, UTC."""
        return self.tree.extension("time")


class Judge:
    """Judges the notes of one partition by the keys of the policy."""

    def __init__(self, partition: int, policy: Policy, report: Report) -> None:
        self._partition = partition
        self._origin = policy.origin(partition)
        self._keys = policy.keys_of(partition)
        self._witnesses = policy.witnesses
        self._certificates = policy.certificates
        self.stamped_at = ""  # by the newest time-stamp
        self._report = report

    def head(self, note: str | bytes, where: str) -> Head | None:
        """The head in `note` when the log signed it; else a finding, and None."""
        try:
            opened = open_note(note)
            tree = open_head(opened.text)
        except NoteError as error:
            self._found(Kind.BAD_SIGNATURE, f"{where} holds no signed note: {error}")
            return None
        if tree.origin != self._origin:
            self._found(Kind.UNKNOWN_KEY, f"{where} is of the log {tree.origin}, not {self._origin}")
        elif any(key.signed(opened) for key in self._keys):
            return Head(tree, str(opened), self._vouching(opened))
        elif {key.key_id for key in self._keys} & {line.key_id for line in opened.signatures}:
            self._found(Kind.BAD_SIGNATURE, f"the signature of {where} (size {tree.size}) does not fit")
        else:
            shown = ", ".join(line.key_id.hex() for line in opened.signatures)
            self._found(
                Kind.UNKNOWN_KEY, f"{where} (size {tree.size}) is signed by no key of the policy: {shown}"
            )
        return None

    def of_record(self, record: Mapping[str, Any]) -> Head | None:
        """The head of a stored checkpoint; a finding where its columns say something else than its note."""
        where = f"checkpoint of size {record['tree_size']}"
        head = self.head(record["note"], where)
        if head is None:
            return None
        columns = (record["origin"], record["tree_size"], record["root_hash"], record["base_offset"])
        if columns != (head.tree.origin, head.tree.size, head.tree.root, head.base):
            self._found(Kind.MODIFIED, f"the columns of the {where} say something else than its signed note")
        return head

    def of_anchor(self, record: Mapping[str, Any]) -> Head | None:
        """The head that an anchor has, with the cosignatures that it brought."""
        where = f"anchor ({record['anchor_kind']}) of size {record['tree_size']}"
        head = self.head(record["note"], where)
        if head is not None and record["anchor_kind"] == "rfc3161":
            self._stamp(record, where)
        if head is None or record["anchor_kind"] != "witness":
            return head
        try:
            brought = Note(head.tree.text, open_signatures(record["evidence"]))
        except NoteError:
            self._found(Kind.BAD_SIGNATURE, f"the cosignature of the {where} cannot be read")
            return head
        mine = {key.key_id for key in self._witnesses} & {line.key_id for line in brought.signatures}
        vouching = self._vouching(brought)
        if mine and not vouching:
            self._found(Kind.BAD_SIGNATURE, f"the cosignature of the {where} does not fit")
        return Head(head.tree, head.note, head.witnesses | vouching)

    def _stamp(self, record: Mapping[str, Any], where: str) -> None:
        from sinks.verify.stamps import stamp_fault, stamped_at  # noqa: PLC0415  # it takes its time to import

        fault = stamp_fault(record["evidence"], record["note"], self._certificates)
        if fault:
            self._found(Kind.BAD_SIGNATURE, f"the time-stamp of the {where} does not verify: {fault}")
        else:
            self.stamped_at = stamped_at(record["evidence"])

    def _vouching(self, note: Note) -> frozenset[str]:
        return frozenset(key.name for key in self._witnesses if key.signed(note))

    def _found(self, kind: Kind, detail: str) -> None:
        self._report.add(Finding(kind, self._partition, detail=detail))


def whole_hashes(joined: bytes, count: int) -> list[bytes] | None:
    """`joined` as `count` hashes; None when it is not that many."""
    if len(joined) != count * HASH_BYTES:
        return None
    return [joined[at : at + HASH_BYTES] for at in range(0, len(joined), HASH_BYTES)]
