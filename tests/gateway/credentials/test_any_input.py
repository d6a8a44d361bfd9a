"""Whatever stands in a secret's file or in a provider's answer: a header that can be sent, or a clear refusal."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.fixed import Fixed
from gateway.edge.credentials.secret import Secret
from gateway.edge.credentials.token import LIFE_SECONDS_MAX, token_of
from gateway.edge.identity.strictjson import strict_object
from gateway.sessions import Principal
from gateway.settings import FixedCredential, SecretSource

ANN = Principal("https://id.example.com", "ann", "jti-1")
SENDABLE = re.compile(rb"[\x20-\x7e]+")
CONTENTS = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1).map(str.encode),
)


@pytest.mark.parametrize("kind", ["bearer", "basic", "header"])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=CONTENTS, ending=st.sampled_from([b"", b"\n", b"\r\n"]))
def test_a_secret_becomes_a_header_or_a_refusal(
    tmp_path: Path, kind: str, content: bytes, ending: bytes
) -> None:
    file = tmp_path / "secret"
    file.write_bytes(content + ending)
    source = SecretSource(file=file)
    injector = Fixed(FixedCredential(kind, source, "app", "x-key"), Secret(source, "a"))  # type: ignore[arg-type]
    try:
        ((_, value),) = asyncio.run(injector.headers(ANN, ""))
    except CredentialError as refused:
        assert refused.reason.startswith("its secret ")  # noqa: PT017 - either way is good
        return
    assert SENDABLE.fullmatch(value)
    assert kind == "basic" or value.endswith(content.removesuffix(b"\n").removesuffix(b"\r"))


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=10)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=3,
)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "access_token": st.one_of(JSON, st.just("a.b-c_d")),
            "token_type": st.one_of(JSON, st.sampled_from(["Bearer", "bearer", "N_A"])),
            "expires_in": st.one_of(JSON, st.sampled_from(["60", 60, 1e300, -1])),
        },
    )
)
def test_an_answer_becomes_a_token_or_a_refusal(answer: dict[str, Any]) -> None:
    try:
        token = token_of(strict_object(json.dumps(answer).encode()))
    except (CredentialError, ValueError) as refused:
        assert "a.b-c_d" not in str(refused)  # noqa: PT017 - either way is good
        return
    assert SENDABLE.fullmatch(token.header)
    assert 0 < token.life_seconds <= LIFE_SECONDS_MAX
