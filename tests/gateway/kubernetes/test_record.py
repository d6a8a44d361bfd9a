"""What of a request goes on the record in the client's own words is masked there (G7)."""

from typing import Any

from gateway.drafting import Drafting, MaskingFailedError
from gateway.sessions import Principal
from masking import Masker
from schemas.frames import Redaction
from tests.gateway.kubernetes.shapes import POD, call, request

TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
MASKER = Masker(b"k" * 32)


def mask_text(text: str) -> tuple[str, list[Redaction]]:
    masked = MASKER.mask(text.encode("latin-1", "replace"))
    return masked.text.decode("latin-1"), [{}] * len(masked.redactions)  # type: ignore[typeddict-item]


def recorded(attributes: Any, mask: Any = mask_text) -> Any:
    drafting = Drafting("e", request("GET", POD), Principal("", "", ""), "prod", mask)
    drafting.add_written(attributes)
    return drafting.base["attributes"]


def test_a_secret_in_a_selector_a_name_or_a_header_is_not_on_the_record() -> None:
    path = f"/api/v1/namespaces/prod/configmaps?labelSelector=token%3D{TOKEN}"
    assert TOKEN not in str(recorded(call("GET", path).attributes))
    assert TOKEN not in str(recorded(call("GET", f"/api/v1/namespaces/prod/configmaps/{TOKEN}").attributes))
    headers = [(b"kubectl-command", TOKEN.encode()), (b"impersonate-user", TOKEN.encode())]
    assert TOKEN not in str(recorded(call("GET", POD, headers=headers).attributes))


def test_what_is_no_secret_stays_as_it_is() -> None:
    attributes = call(
        "GET", "/api/v1/namespaces/prod/configmaps/имя".replace("имя", "%D0%B8%D0%BC%D1%8F")
    ).attributes
    assert recorded(attributes) == dict(sorted(attributes.items()))
    assert recorded(attributes)["k8s.objectRef.name"] == "имя"


def test_without_masking_nothing_of_it_is_kept() -> None:
    def failing(_text: str) -> Any:
        raise MaskingFailedError("away")

    assert set(recorded(call("GET", POD).attributes, failing).values()) == {"[not masked, so not kept]"}
