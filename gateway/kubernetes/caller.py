"""What headers say: whom the caller wants to be, which kubectl command sends it, in what form its body is.

Sources: k8s.io/api/authentication/v1/types.go (Impersonate-*), k8s.io/apiserver/pkg/endpoints/filters/impersonation;
kubectl's headers: KEP 859.
"""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote

from gateway.frames.headers import Headers
from gateway.kubernetes.problem import NotReadError

TEXT_CHARACTERS_MAX: Final = 256
_GROUP: Final = b"impersonate-group"
_ONCE: Final = {b"impersonate-user": "user", b"impersonate-uid": "uid"}
_EXTRA: Final = b"impersonate-extra-"
_READ: Final = {b"kubectl-command": "command", b"kubectl-session": "session", b"content-type": "content_type"}


@dataclass(slots=True)
class Impersonated:
    """Whom the request wants to act as."""

    user: str = ""
    uid: str = ""
    groups: list[str] = field(default_factory=list)
    extra: dict[str, list[str]] = field(default_factory=dict)

    def facts(self) -> dict[str, Any]:
        """As rules see it."""
        return {"user": self.user, "uid": self.uid, "groups": self.groups, "extra": self.extra}


@dataclass(slots=True)
class Said:
    """What the headers of one request say; `impersonated` is None where no Impersonate-* header is there."""

    content_type: str = ""
    command: str = ""
    session: str = ""
    impersonated: Impersonated | None = None


def read_headers(headers: Headers) -> Said:
    """Raises NotReadError where a header that counts once is there twice."""
    said = Said()
    seen: set[bytes] = set()
    for name, value in headers:
        if name in _READ:
            _once(said, name, value, seen)
        elif name.startswith(b"impersonate-"):
            said.impersonated = said.impersonated or Impersonated()
            _impersonate(said.impersonated, name, value)
    return said


def _once(said: Said, name: bytes, value: bytes, seen: set[bytes]) -> None:
    attribute = _READ[name]
    if name in seen:  # of an empty one too: the API server takes the first
        raise _twice(name)
    seen.add(name)
    text = _text(name, value)
    if (
        attribute != "content_type"
    ):  # for people only: what anybody may write there is cut to what can be read
        text = "".join(filter(str.isprintable, text))[:TEXT_CHARACTERS_MAX]
    setattr(said, attribute, text)


def _impersonate(whom: Impersonated, name: bytes, value: bytes) -> None:
    text = _text(name, value)
    if not text:  # the API server may take it for none, and the request for one of the gateway's own
        raise NotReadError(f"the header {name.decode('latin-1')} is empty; leave it out")
    if name == _GROUP:
        whom.groups.append(text)
    elif name in _ONCE:
        if getattr(whom, _ONCE[name]):
            raise _twice(name)
        setattr(whom, _ONCE[name], text)
    elif name.startswith(_EXTRA):
        key = unquote(name.removeprefix(_EXTRA).decode("latin-1")).lower()
        whom.extra.setdefault(key, []).append(text)
    else:
        raise NotReadError(f"there is no header {name.decode('latin-1')} at the API server; leave it out")


def _text(name: bytes, value: bytes) -> str:
    try:
        return value.strip(b" \t").decode("utf-8")
    except UnicodeDecodeError:
        raise NotReadError(f"the header {name.decode('latin-1')} is no UTF-8") from None


def _twice(name: bytes) -> NotReadError:
    return NotReadError(f"the header {name.decode('latin-1')} is there twice; send it once")
