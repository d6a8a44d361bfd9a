"""The program that a kubeconfig names for credentials, real ones: what it sees, what it gives, how long it may take,
and that nothing of what it says reaches a client."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from structlog.testing import capture_logs

from gateway.edge.credentials import CredentialError
from gateway.edge.credentials.kubeconfig import KubeConfigCredential
from gateway.sessions import Principal
from tests.gateway.kube_credentials.conftest import EXEC, Clock, Kube, printing, script

CANARY = "cAnArY-5e7a91d3"
TOKEN = '{"token": "t"}'


class Plugin:
    """A kubeconfig whose user is a script, and the injector of it."""

    def __init__(self, kube: Kube, clock: Clock, wall: Clock) -> None:
        self._kube = kube
        self._clock = clock
        self._wall = wall
        self.made: list[KubeConfigCredential] = []

    def __call__(self, body: str, seconds: float = 10, **more: Any) -> KubeConfigCredential:
        path = script(self._kube.folder, body)
        source = self._kube.write(exec=EXEC | {"command": str(path)} | more)
        source = type(source)(source.file, source.context, seconds)
        environ = {"PATH": os.environ["PATH"], "HOME": str(self._kube.folder), "GATEWAY_SECRET": CANARY}
        self.made.append(
            KubeConfigCredential(source, "prod", clock=self._clock, wall=self._wall, environ=environ)
        )
        return self.made[-1]


@pytest.fixture
async def plugin(kube: Kube, clock: Clock, wall: Clock) -> AsyncIterator[Plugin]:
    made = Plugin(kube, clock, wall)
    yield made
    for injector in made.made:
        await injector.close()


def counting(folder: Path) -> str:
    """Lines of a script that count its runs in a file and put the number into $N."""
    return f'echo run >> {folder}/runs; N=$(wc -l < {folder}/runs | tr -d " ")'


def runs(folder: Path) -> int:
    return len((folder / "runs").read_text().splitlines())


def numbered(folder: Path, ends: str) -> str:
    """A script that prints token-1, token-2, …, each good until `ends`."""
    status = f'{{"token": "token-\'$N\'", "expirationTimestamp": "{ends}"}}'
    return f"{counting(folder)}\n{printing(status)}"


async def refused(injector: KubeConfigCredential, ann: Principal) -> CredentialError:
    with pytest.raises(CredentialError) as raised:
        await injector.headers(ann, "")
    assert CANARY not in f"{raised.value}{raised.value!r}{raised.value.reason}{raised.value.__cause__}"
    return raised.value


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
async def test_a_programs_token_is_shown(plugin: Plugin, ann: Principal, version: str) -> None:
    api_version = f"client.authentication.k8s.io/{version}"
    injector = plugin(printing('{"token": "k8s-aws-v1.abc"}', version), apiVersion=api_version)
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer k8s-aws-v1.abc")]


async def test_it_sees_its_own_environment_and_a_little_of_ours(
    plugin: Plugin, kube: Kube, ann: Principal
) -> None:
    body = f"env > {kube.folder}/seen; pwd >> {kube.folder}/seen; {printing(TOKEN)}"
    await plugin(body, env=[{"name": "AWS_PROFILE", "value": "prod"}]).headers(ann, "")
    seen = dict(line.partition("=")[::2] for line in (kube.folder / "seen").read_text().splitlines())
    assert seen["AWS_PROFILE"] == "prod"
    assert seen["HOME"] == str(kube.folder)
    assert "GATEWAY_SECRET" not in seen
    assert json.loads(seen["KUBERNETES_EXEC_INFO"]) == {
        "kind": "ExecCredential",
        "apiVersion": "client.authentication.k8s.io/v1",
        "spec": {"interactive": False},
    }


async def test_it_is_told_of_the_cluster_where_the_kubeconfig_says_so(
    plugin: Plugin, kube: Kube, ann: Principal
) -> None:
    authority = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t"
    kube.cluster = {
        "server": "https://127.0.0.1:6443",
        "tls-server-name": "kubernetes",
        "certificate-authority-data": authority,
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "eu"}}],
    }
    body = f'echo "$KUBERNETES_EXEC_INFO" > {kube.folder}/seen; {printing(TOKEN)}'
    await plugin(body, provideClusterInfo=True).headers(ann, "")
    assert json.loads((kube.folder / "seen").read_text())["spec"] == {
        "interactive": False,
        "cluster": {
            "server": "https://127.0.0.1:6443",
            "tls-server-name": "kubernetes",
            "certificate-authority-data": authority,
            "config": {"audience": "eu"},
        },
    }


async def test_it_has_no_terminal_and_nothing_to_read(plugin: Plugin, kube: Kube, ann: Principal) -> None:
    body = f'read line; echo "$?" > {kube.folder}/seen; tty >> {kube.folder}/seen; {printing(TOKEN)}'
    await plugin(body).headers(ann, "")
    assert (kube.folder / "seen").read_text() == "1\nnot a tty\n"


async def test_its_arguments_are_no_shells(plugin: Plugin, kube: Kube, ann: Principal) -> None:
    body = f'printf "%s\\n" "$@" > {kube.folder}/seen; {printing(TOKEN)}'
    await plugin(body, args=["$(touch pwned)", "a b", "; id", "*"]).headers(ann, "")
    assert (kube.folder / "seen").read_text().splitlines() == ["$(touch pwned)", "a b", "; id", "*"]


async def test_it_runs_once_for_many_and_again_before_its_token_ends(
    plugin: Plugin, kube: Kube, ann: Principal, clock: Clock, wall: Clock
) -> None:
    injector = plugin(numbered(kube.folder, "2026-01-01T00:15:00Z"))
    tokens = await asyncio.gather(*(injector.headers(ann, "") for _ in range(50)))
    assert {headers[0][1] for headers in tokens} == {b"Bearer token-1"}
    assert runs(kube.folder) == 1
    for seconds in (700, 719):
        clock.now = 1_000 + seconds
        assert await injector.headers(ann, "") == [(b"authorization", b"Bearer token-1")]
    assert runs(kube.folder) == 1
    clock.now, wall.now = 1_000 + 721, wall.now + 721  # four fifths of a quarter of an hour
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer token-1")], "nobody waits for it"
    async with asyncio.timeout(30):
        while await injector.headers(ann, "") != [(b"authorization", b"Bearer token-2")]:
            await asyncio.sleep(0.01)


async def test_a_token_that_has_ended_is_never_shown(
    plugin: Plugin, kube: Kube, ann: Principal, clock: Clock, wall: Clock
) -> None:
    injector = plugin(numbered(kube.folder, "2026-01-01T00:15:00Z"))
    await injector.headers(ann, "")
    clock.now, wall.now = clock.now + 900, wall.now + 900
    assert "expired" in (await refused(injector, ann)).reason
    assert runs(kube.folder) == 2


async def test_a_token_of_no_end_is_asked_for_again_after_minutes(
    plugin: Plugin, kube: Kube, ann: Principal, clock: Clock
) -> None:
    status = '{"token": "token-\'$N\'"}'
    injector = plugin(f"{counting(kube.folder)}\n{printing(status)}")
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer token-1")]
    clock.now += 301
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer token-2")]


WRONG = {
    "nothing": ("true", "printed no JSON; run it by hand"),
    "no JSON": (f"echo token={CANARY}", "printed no JSON"),
    "a list": (f'echo "[\\"{CANARY}\\"]"', "printed no ExecCredential"),
    "another kind": (f'echo \'{{"kind": "{CANARY}"}}\'', "printed no ExecCredential"),
    "another version": (printing(f'{{"token": "{CANARY}"}}', "v1beta1"), "printed another version than the"),
    "no status": (printing("null"), "printed no `status`"),
    "an empty status": (printing("{}"), "printed neither a token nor a certificate"),
    "a token of two lines": (
        printing(f'{{"token": "a\\\\n{CANARY}"}}'),
        "printed a token that no header takes",
    ),
    "a token that is no text": (printing('{"token": 7}'), "printed a `token` that is no text"),
    "a certificate without key": (
        printing(f'{{"clientCertificateData": "{CANARY}"}}'),
        "printed a certificate without its key",
    ),
    "a key alone": (printing(f'{{"clientKeyData": "{CANARY}"}}'), "or a key alone"),
    "an end that is no time": (
        printing(f'{{"token": "{CANARY}", "expirationTimestamp": "tomorrow"}}'),
        "printed an `expirationTimestamp` that is no time",
    ),
    "an end of no zone": (
        printing(f'{{"token": "{CANARY}", "expirationTimestamp": "2026-01-01T00:15:00"}}'),
        "printed an `expirationTimestamp` that names no zone",
    ),
    "an end that has been": (
        printing(f'{{"token": "{CANARY}", "expirationTimestamp": "2025-12-31T23:59:59Z"}}'),
        "printed a credential that has expired",
    ),
    "too much": ("head -c 1100000 /dev/zero", "printed more than 1048576 bytes"),
    "an exit code": (f"echo {CANARY}; exit 3", "ended with exit code 3"),
    "a signal": ("kill -9 $$", "ended by signal 9"),
}


@pytest.mark.parametrize(("body", "told"), WRONG.values(), ids=WRONG.keys())
async def test_a_program_that_gives_nothing_good_is_told_and_what_it_prints_is_not(
    plugin: Plugin, ann: Principal, body: str, told: str
) -> None:
    with capture_logs() as logs:
        error = await refused(plugin(body), ann)
    assert error.reason.startswith("its credential program ")
    assert told in error.reason
    assert CANARY not in str(logs)


async def test_what_it_says_on_stderr_is_in_the_log_masked_and_in_no_answer(
    plugin: Plugin, ann: Principal
) -> None:
    token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IiJ9.eyJpc3MiOiJrdWJlcm5ldGVzL3NlcnZpY2VhY2NvdW50In0.c2lnbmF0dXJl"
    with capture_logs() as logs:
        error = await refused(plugin(f"echo 'login first: old token {token} ended' >&2; exit 1"), ann)
    assert error.reason == "its credential program ended with exit code 1"
    (entry,) = logs
    assert entry["event"] == "credential_unavailable"
    assert entry["detail"].startswith("stderr: login first: old token [masked:jwt:")
    assert token not in str(logs)


async def test_a_flood_on_stderr_holds_nothing_up(plugin: Plugin, ann: Principal) -> None:
    injector = plugin(f"head -c 1000000 /dev/zero | tr '\\0' x >&2; {printing(TOKEN)}")
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer t")]


async def test_a_program_that_is_not_there_is_told_with_the_hint_in_the_log(
    kube: Kube, clock: Clock, ann: Principal
) -> None:
    source = kube.write(exec=EXEC | {"command": "no-such-plugin", "installHint": "get it at the portal"})
    injector = KubeConfigCredential(source, "prod", clock=clock)
    with capture_logs() as logs, pytest.raises(CredentialError, match="is not installed on the gateway"):
        await injector.headers(ann, "")
    assert logs[0]["detail"] == "get it at the portal"


async def test_a_program_that_may_not_be_run_is_told(plugin: Plugin, kube: Kube, ann: Principal) -> None:
    injector = plugin("true")
    (kube.folder / "plugin").chmod(0o644)
    assert (await refused(injector, ann)).reason.endswith("could not be started: Permission denied")


async def test_a_program_that_hangs_is_killed_with_all_it_has_started(
    plugin: Plugin, kube: Kube, ann: Principal
) -> None:
    mine = kube.folder / "pids"
    injector = plugin(f"echo $$ > {mine}; sleep 600 & echo $! >> {mine}; wait", seconds=1)
    began = time.monotonic()
    assert (await refused(injector, ann)).reason == "its credential program did not end within 1 s"
    assert time.monotonic() - began < 8
    for pid in map(int, mine.read_text().split()):
        assert await gone(pid)


async def test_what_it_leaves_behind_is_killed_too(plugin: Plugin, kube: Kube, ann: Principal) -> None:
    body = f"sleep 600 >/dev/null 2>&1 & echo $! > {kube.folder}/pid; {printing(TOKEN)}"
    assert await plugin(body).headers(ann, "")
    assert await gone(int((kube.folder / "pid").read_text()))


async def gone(pid: int) -> bool:
    """Whether a process has ended; its new parent may not have buried it yet."""
    async with asyncio.timeout(30):
        while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.01)
    return True


async def test_a_program_under_way_is_ended_with_the_gateway(
    plugin: Plugin, kube: Kube, ann: Principal
) -> None:
    injector = plugin(
        f"echo $$ > {kube.folder}/pid.new; mv {kube.folder}/pid.new {kube.folder}/pid; sleep 600"
    )
    asking = asyncio.create_task(injector.headers(ann, ""))
    async with asyncio.timeout(30):
        while not (kube.folder / "pid").exists():
            await asyncio.sleep(0.01)
    await injector.close()
    assert await gone(int((kube.folder / "pid").read_text()))
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_after_a_failure_it_is_left_alone_for_a_second(
    plugin: Plugin, kube: Kube, ann: Principal, clock: Clock
) -> None:
    injector = plugin(f"{counting(kube.folder)}; exit 1")
    for _ in range(5):
        await refused(injector, ann)
    assert runs(kube.folder) == 1
    clock.now += 1
    await refused(injector, ann)
    assert runs(kube.folder) == 2


async def test_another_program_in_the_kubeconfig_is_asked_at_once(
    plugin: Plugin, kube: Kube, ann: Principal, clock: Clock
) -> None:
    injector = plugin(printing('{"token": "old"}'))
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer old")]
    other = script(kube.folder, printing('{"token": "new"}'), "other")
    kube.write(exec=EXEC | {"command": str(other)})
    clock.now += 1
    assert await injector.headers(ann, "") == [(b"authorization", b"Bearer new")]
