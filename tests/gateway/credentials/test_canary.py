"""A secret that is followed through everything that can go wrong: it is in no log, error, repr or trace."""

import asyncio
import logging
import traceback
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from gateway.edge.credentials import CredentialError, Injector, credential_for
from gateway.sessions import Principal
from gateway.settings import (
    ClientCredentials,
    Connection,
    Credential,
    FixedCredential,
    GatewaySettings,
    IdentitySettings,
    SecretSource,
    SessionTokens,
    TokenExchange,
)
from tests.gateway.credentials.provider import Provider, answering
from tests.gateway.credentials.test_client_credentials import BAD_ANSWERS

CANARY = "cAnArY-5e7a91d3"
CALLERS = "cAnArY-callers-88c1"
GIVEN = "cAnArY-given-09fe"
SECRETS = [
    form
    for secret in (CANARY, CALLERS, GIVEN)
    for form in (secret, b64encode(f"gateway:{secret}".encode()).decode()[12:-4], secret.encode().hex())
]


@dataclass
class Words:
    """All that was said."""

    said: list[str]

    def hold_no_canary(self) -> None:
        assert self.said
        assert not [text for text in self.said for secret in SECRETS if secret in text]


@pytest.fixture
def words(caplog: pytest.LogCaptureFixture) -> Iterator[Words]:
    caplog.set_level(logging.DEBUG)
    heard = Words([])
    with capture_logs() as logs:
        yield heard
    heard.said += [str(entry) for entry in logs]
    heard.said += [f"{record.getMessage()} {record.exc_text or ''}" for record in caplog.records]
    heard.hold_no_canary()


def seen_of(value: object, depth: int = 4) -> list[str]:
    """The repr of something and of what it is made of, as a debugger or an error reporter shows it."""
    inner = list(vars(value).values()) if hasattr(value, "__dict__") and depth else []
    inner += [part for each in inner if isinstance(each, dict) for part in each.values()]
    return [repr(value), str(value), *(text for part in inner for text in _objects(part, depth))]


def _objects(part: object, depth: int) -> list[str]:
    return seen_of(part, depth - 1) if type(part).__module__.startswith("gateway.") else []


async def tried(injector: Injector, principal: Principal, words: Words) -> None:
    """One use, good or not; all it says is kept."""
    try:
        await injector.headers(principal, CALLERS)
    except CredentialError as error:
        words.said += [error.reason, "".join(traceback.format_exception(error)), *seen_of(error)]
    words.said += seen_of(injector)


def credentials(source: SecretSource, url: str) -> dict[str, Credential]:
    return {
        "bearer": FixedCredential("bearer", source),
        "basic": FixedCredential("basic", source, username="app"),
        "header": FixedCredential("header", source, header="x-api-key"),
        "client_credentials": ClientCredentials(url, "gateway", source),
        "token_exchange": TokenExchange(url, "gateway", source),
    }


@pytest.mark.parametrize("kind", credentials(SecretSource(), ""))
async def test_a_secret_in_use_is_seen_nowhere(
    kind: str, tokens: Provider, tmp_path: Path, ann: Principal, words: Words
) -> None:
    file = tmp_path / "secret"
    file.write_text(CANARY)
    tokens.behave = answering(access_token=GIVEN, token_type="Bearer", expires_in=100)
    credential = credentials(SecretSource(file=file), tokens.url)[kind]
    connection = Connection("a", upstream="http://127.0.0.1:1/", credential=credential)
    words.said += [repr(connection), str(GatewaySettings("", 0, (connection,)))]
    injector = credential_for(connection, "oidc")
    await tried(injector, ann, words)
    await tried(injector, ann, words)
    await injector.close()


@pytest.mark.parametrize(
    "content",
    [f"{CANARY}\r\nX: y", f"{CANARY}\x00", f"{CANARY}ä", CANARY * 9_000],
    ids=["two lines", "NUL", "not ASCII", "long"],
)
@pytest.mark.parametrize("kind", credentials(SecretSource(), ""))
async def test_a_secret_that_cannot_be_used_is_not_told(
    kind: str, content: str, tokens: Provider, tmp_path: Path, ann: Principal, words: Words
) -> None:
    file = tmp_path / "secret"
    file.write_text(content)
    credential = credentials(SecretSource(file=file), tokens.url)[kind]
    connection = Connection("a", upstream="http://127.0.0.1:1/", credential=credential)
    await tried(credential_for(connection, "oidc"), ann, words)


REFUSALS = BAD_ANSWERS | {
    "an echo of the secret": (
        answering(400, error=CANARY, error_description=f"{CANARY} and {CALLERS} are wrong"),
        "",
    ),
    "a token that no header takes": (answering(access_token=f"{GIVEN}\n", token_type="Bearer"), ""),
    "another type": (answering(access_token=GIVEN, token_type=GIVEN), ""),
    "an ended token": (answering(access_token=GIVEN, token_type="Bearer", expires_in=GIVEN), ""),
}


@pytest.mark.parametrize("answer", REFUSALS)
@pytest.mark.parametrize("kind", ["client_credentials", "token_exchange"])
async def test_a_failing_provider_makes_nobody_tell_a_secret(
    kind: str,
    answer: str,
    tokens: Provider,
    monkeypatch: pytest.MonkeyPatch,
    ann: Principal,
    words: Words,
) -> None:
    monkeypatch.setenv("PROVIDER_SECRET", CANARY)
    tokens.behave = REFUSALS[answer][0]
    credential = credentials(SecretSource(env="PROVIDER_SECRET"), tokens.url)[kind]
    connection = Connection("a", upstream="http://127.0.0.1:1/", credential=credential)
    asyncio.get_running_loop().set_debug(True)
    await tried(credential_for(connection, "oidc"), ann, words)
    assert tokens.asked[0].secret == CANARY


def test_keys_and_environments_are_in_no_repr() -> None:
    key = b"cAnArY" * 6
    settings = GatewaySettings(
        "",
        0,
        (Connection("a", command=("a",), env=(("TOKEN", CANARY),)),),
        identity=IdentitySettings(session_tokens=SessionTokens(key)),
        masking_key=key,
    )
    assert "canary" not in repr(settings).lower()
