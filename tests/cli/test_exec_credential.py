"""kubectl gets its token by `sluicegate exec-credential`: by hand, and by kubectl itself where there is one."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sluicegate.login.exec_protocol import VARIABLE, claims_of, exec_credential, exec_info
from sluicegate.login.http import LoginError
from tests.cli.terminals import Person, Said, gateway_for
from tests.support.certificates import Authority
from tests.support.device_provider import DeviceProvider, device_provider

V1 = "client.authentication.k8s.io/v1"
KUBECTL = shutil.which("kubectl")


@pytest.fixture
async def provider() -> AsyncIterator[DeviceProvider]:
    """An issuer with the device flow."""
    async with device_provider() as provider:
        yield provider


@pytest.fixture
async def person(broker: str, provider: DeviceProvider, tmp_path: Path) -> AsyncIterator[Person]:
    """A person, and a gateway that gives session tokens and asks for no reason."""
    async with gateway_for(broker, provider, tmp_path, purpose_required=False) as person:
        yield person


def asked(*, interactive: bool, **cluster: str) -> str:
    """What kubectl says in the environment."""
    return json.dumps(
        {
            "apiVersion": V1,
            "kind": "ExecCredential",
            "spec": {"interactive": interactive, "cluster": cluster},
        }
    )


async def plugin(person: Person, *words: str, interactive: bool = False, **variables: str) -> Said:
    """One run of the plugin, as kubectl runs it."""
    said = {VARIABLE: asked(interactive=interactive), **variables}
    return await person.run("exec-credential", "demo", "--gateway", person.gateway, *words, **said)


def credential(said: Said) -> tuple[dict[str, Any], float]:
    """(the whole answer, seconds that its token is good for)."""
    assert said.code == 0, said.err
    answer = json.loads(said.out)
    ends = datetime.fromisoformat(answer["status"]["expirationTimestamp"])
    return answer, ends.timestamp() - time.time()


async def test_a_person_who_is_logged_in_gets_a_session_token(person: Person) -> None:
    assert (await person.login()).code == 0
    said = await plugin(person, "--purpose", "look at pods")
    answer, seconds = credential(said)
    assert (answer["apiVersion"], answer["kind"], said.err) == (V1, "ExecCredential", "")
    assert 850 < seconds <= 900
    principal = person.issuer.verify(answer["status"]["token"])
    assert (principal.subject, principal.connection) == (person.provider.subject, "demo")
    assert principal.purpose == "look at pods"
    assert answer["status"]["token"] not in person.tokens.read_text()


async def test_a_login_at_its_end_is_refreshed_without_a_word(person: Person) -> None:
    person.provider.lifetime_seconds = 30
    assert (await person.login()).code == 0
    for _ in range(2):
        assert credential(await plugin(person))[0]["status"]["token"]
    grants = [form.get("grant_type") for form in person.provider.asked]
    assert grants.count("refresh_token") == 2


async def test_nobody_is_asked_to_log_in_where_nobody_is_there(person: Person) -> None:
    said = await plugin(person)
    assert (said.code, said.out) == (1, "")
    assert f"sluicegate login --issuer ISSUER --gateway {person.gateway} --connection demo" in said.err
    assert "--token-file" in said.err
    assert person.provider.asked == []


async def test_who_is_there_logs_in_for_the_connection_and_the_answer_is_the_credential_alone(
    person: Person,
) -> None:
    said = await plugin(person, interactive=True)
    answer, _ = credential(said)
    assert person.issuer.verify(answer["status"]["token"]).subject == person.provider.subject
    assert "enter the code BDWP-HQPK" in said.err
    assert person.provider.asked[0]["resource"] == f"{person.gateway}/k8s/demo"
    assert (await plugin(person)).err == ""  # from now on nobody is asked


async def test_a_login_that_is_over_is_begun_again_by_who_is_there(person: Person) -> None:
    person.provider.lifetime_seconds = 30
    assert (await person.login()).code == 0
    person.provider.refresh_tokens.clear()
    over = await plugin(person)
    assert (over.code, "the login is over" in over.err) == (1, True)
    assert credential(await plugin(person, interactive=True))[0]["status"]["token"]


async def test_a_job_shows_the_token_that_it_was_given(person: Person, tmp_path: Path) -> None:
    now = int(time.time())
    own = person.provider.mint.token(sub="ci-job", iat=now, exp=now + 600, jti="job-1")
    file = tmp_path / "token"
    file.write_text(f"{own}\n")
    by_file, _ = credential(await plugin(person, "--token-file", str(file), interactive=True))
    by_variable, _ = credential(await plugin(person, SLUICEGATE_TOKEN=own))
    for answer in (by_file, by_variable):
        assert person.issuer.verify(answer["status"]["token"]).subject == "ci-job"
    session = by_file["status"]["token"]
    again, seconds = credential(await plugin(person, SLUICEGATE_TOKEN=session))
    assert again["status"]["token"] == session  # it is one already
    assert 500 < seconds <= 630  # as long as the job's own counts, with the leeway
    assert person.provider.asked == []
    file.write_text("")
    assert "is empty" in (await plugin(person, "--token-file", str(file))).err
    assert "cannot be read" in (await plugin(person, "--token-file", str(tmp_path / "none"))).err


async def test_without_session_tokens_the_access_token_itself_is_shown(
    broker: str, provider: DeviceProvider, tmp_path: Path
) -> None:
    async with gateway_for(broker, provider, tmp_path, session_tokens=False) as person:
        answer, seconds = credential(await plugin(person, interactive=True))
        assert claims_of(answer["status"]["token"])["sub"] == provider.subject
        assert 3_500 < seconds <= 3_600
        now = int(time.time())
        own = provider.mint.token(sub="ci-job", iat=now, exp=now + 600, jti="job-1")
        shown, _ = credential(await plugin(person, SLUICEGATE_TOKEN=own))
        assert shown["status"]["token"] == own


async def test_refusals_of_the_gateway_say_what_to_do(
    broker: str, provider: DeviceProvider, tmp_path: Path
) -> None:
    async with gateway_for(broker, provider, tmp_path) as person:
        assert (await person.login()).code == 0
        said = await plugin(person)
        assert (said.code, said.out, "say why with --purpose" in said.err) == (1, "", True)
        other = await person.run(
            *("exec-credential", "other", "--gateway", person.gateway, "--purpose", "x"),
            **{VARIABLE: asked(interactive=True)},
        )
        assert "invalid_target" in other.err
        away = await person.run(
            "exec-credential", "demo", "--gateway", "http://127.0.0.1:9", SLUICEGATE_TOKEN="x"
        )
        assert (away.code, "does not answer" in away.err) == (1, True)


@pytest.mark.skipif(KUBECTL is None, reason="there is no kubectl on this machine")
async def test_kubectl_itself_logs_in_by_a_kubeconfig_of_ours(
    broker: str, provider: DeviceProvider, tmp_path: Path
) -> None:
    assert KUBECTL
    authority = Authority(tmp_path)
    program = tmp_path / "sluicegate"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m sluicegate "$@"\n')
    program.chmod(0o755)
    async with gateway_for(
        broker, provider, tmp_path, purpose_required=False, tls=authority.issue("127.0.0.1")
    ) as person:
        file = tmp_path / "kubeconfig"
        made = await person.run(
            *("kubeconfig", "demo", "--url", person.gateway, "--ca-file", str(authority.ca)),
            *("--command", str(program), "--write", str(file)),
        )
        assert made.code == 0, made.err
        version = (KUBECTL, "--kubeconfig", str(file), "version", "-o", "json")
        nobody = await person.program(*version)
        assert "nobody is here to log in" in nobody.err
        now = int(time.time())
        own = provider.mint.token(sub="ci-job", iat=now, exp=now + 600, jti="job-1")
        job = await person.program(*version, SLUICEGATE_TOKEN=own)
        assert job.code == 0, job.err
        assert json.loads(job.out)["serverVersion"]["minor"] == "36"
        assert {(each.subject, each.connection) for each in person.calls} == {("ci-job", "demo")}


@pytest.mark.parametrize(
    "text", ["{", "[]", "{}", '{"apiVersion": "x"}', '{"apiVersion": "x", "spec": null}']
)
def test_what_is_no_question_of_kubectl_is_told(text: str) -> None:
    with pytest.raises(LoginError, match=VARIABLE):
        exec_info(text)


def test_the_answer_is_in_the_version_that_was_asked_in() -> None:
    beta = exec_info(json.dumps({"apiVersion": "client.authentication.k8s.io/v1beta1", "spec": {}}))
    assert json.loads(exec_credential(beta, "t", None)) == {
        "apiVersion": "client.authentication.k8s.io/v1beta1",
        "kind": "ExecCredential",
        "spec": {"interactive": False},
        "status": {"token": "t"},
    }
    assert exec_info("").version == V1
    with pytest.raises(LoginError, match="v1alpha1"):
        exec_info(json.dumps({"apiVersion": "client.authentication.k8s.io/v1alpha1", "spec": {}}))


def test_certificates_of_the_kubeconfig_vouch_for_the_gateway() -> None:
    said = {"certificate-authority-data": "UEVN"}
    assert exec_info(asked(interactive=True, **said)).ca_pem == "PEM"
    with pytest.raises(LoginError, match="certificate-authority-data"):
        exec_info(asked(interactive=True, **{"certificate-authority-data": "?"}))


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "a.W10.c", "a..c", "é.é.é"])
def test_any_text_is_no_token_that_says_something(token: str) -> None:
    assert claims_of(token) == {}
