"""What proposals on retention say: rules, a hold, its release, an erasure. As canonical JSON in the records. Pure."""

import hmac
import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from schemas.codec import CodecError
from schemas.people import identity
from schemas.retention import RetentionKind
from schemas.retention_rules import Rules, canonical_json, rules_of

CONTENT_CHARACTERS_MAX = 200_000


@dataclass(frozen=True, slots=True)
class Hold:
    """What may not be forgotten: all that fits every part that is given. Times are UTC in microseconds."""

    connection: str = ""
    session_id: str = ""
    issuer: str = ""
    subject: str = ""
    since: int | None = None
    until: int | None = None

    def __str__(self) -> str:
        said = [f"{name} {value}" for name, value in asdict(self).items() if value not in ("", None)]
        return ", ".join(said) or "everything"


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whose data are taken out: a person, by the pseudonym that `person_mark` gives (the name itself is not on the
    record, which stays), or all of one session."""

    person: str = ""
    session_id: str = ""

    def __str__(self) -> str:
        return f"session {self.session_id}" if self.session_id else f"the person {self.person[:12]}"


Content = tuple[str, Rules] | Hold | str | Erasure


def rules_content(base: str, rules: Rules) -> str:
    """`rules`, proposed in place of those with the version `base` ('' for none)."""
    return canonical_json({"base": base, "rules": rules.plain()})


def hold_content(hold: Hold) -> str:
    """A hold."""
    return canonical_json(asdict(hold))


def release_content(hold_id: str) -> str:
    """The end of the hold with this id."""
    return canonical_json({"hold_id": hold_id})


def erasure_content(erasure: Erasure) -> str:
    """An erasure."""
    return canonical_json(asdict(erasure))


def person_mark(key: bytes, issuer: str, subject: str) -> str:
    """What stands for a person in records of erasure: 64 hex digits. Nobody without `key` can tell who it is."""
    said = identity(issuer, subject).encode()
    return hmac.new(key, b"sluicegate:erasure:1\0" + said, sha256).hexdigest()


def content_of(kind: RetentionKind, text: str) -> Any:
    """What `text` says: (base, Rules), a Hold, the id of a hold, or an Erasure. Raises CodecError."""
    if len(text) > CONTENT_CHARACTERS_MAX:
        raise CodecError("broken retention act: its content is too long")
    try:
        found = json.loads(text)
        if canonical_json(found) != text:
            raise CodecError("broken retention act: its content is not in canonical form")
        return _content(kind, found)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CodecError(f"broken retention act: its content is no {kind}") from error


def _content(kind: RetentionKind, found: Any) -> Content:
    match kind:
        case "rules":
            return str(found["base"]), rules_of(found["rules"])
        case "hold":
            return _hold(found)
        case "release":
            return str(UUID(found["hold_id"]))
        case "erasure":
            return _erasure(found)


def _hold(found: Any) -> Hold:
    hold = Hold(**found)
    texts = (hold.connection, hold.session_id, hold.issuer, hold.subject)
    times = [moment for moment in (hold.since, hold.until) if moment is not None]
    if not all(isinstance(text, str) for text in texts) or not all(type(moment) is int for moment in times):
        raise CodecError("broken retention act: a hold is of names and times")
    if hold.session_id:
        UUID(hold.session_id)
    return hold


def _erasure(found: Any) -> Erasure:
    erasure = Erasure(**found)
    if bool(erasure.person) == bool(erasure.session_id):
        raise CodecError("broken retention act: an erasure is of a person or of a session")
    if erasure.session_id:
        UUID(erasure.session_id)
    elif len(bytes.fromhex(erasure.person)) != sha256().digest_size:
        raise CodecError("broken retention act: a person is named by 64 hex digits")
    return erasure
