"""The policy in force: good files only, followed as they change, the last good one kept."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.edge.policies import Policies
from gateway.policy import Call, PolicyError
from gateway.settings import Connection

DENY, ALLOW = "default: deny\n", "default: allow\n"


class Told:
    """What `on_change` was told, in order, with a way to wait for it."""

    def __init__(self) -> None:
        self.all: list[tuple[str, str, tuple[str, ...]]] = []
        self._news = asyncio.Event()

    def __call__(self, connection: str, version: str, problems: tuple[str, ...]) -> None:
        self.all.append((connection, version, problems))
        self._news.set()

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(20):
            while not met():
                await self._news.wait()
                self._news.clear()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "policy.yaml"
    found.write_text(DENY)
    return found


def put(file: Path, text: str) -> None:
    """Replaces a file as deployments do: written beside it, then moved over it."""
    beside = file.with_suffix(".new")
    beside.write_text(text)
    os.replace(beside, file)


def connections(file: Path) -> list[Connection]:
    return [Connection("a", policy_file=file), Connection("b", policy_file=file), Connection("free")]


def action(policies: Policies, connection: str) -> str:
    policy = policies.of(connection)
    return policy.judge(Call()).action if policy else "none"


def test_a_bad_file_stops_the_start(file: Path) -> None:
    file.write_text("default: maybe")
    with pytest.raises(PolicyError, match=r"policy.yaml:1:10: must say"):
        Policies(connections(file))


async def test_what_is_in_force_is_told_at_the_start(file: Path) -> None:
    told = Told()
    policies = Policies(connections(file), told)
    policies.start()
    await policies.stop()
    assert [(name, problems) for name, _, problems in told.all] == [("a", ()), ("b", ())]
    assert {version for _, version, _ in told.all} == {policies.version("a")}
    assert (policies.of("free"), policies.version("free"), policies.of("unknown")) == (None, "", None)


async def test_a_changed_file_is_in_force_within_moments_for_all_its_connections(file: Path) -> None:
    told = Told()
    policies = Policies(connections(file), told)
    policies.start()
    put(file, ALLOW)
    await told.until(lambda: len(told.all) == 4)
    assert [action(policies, name) for name in ("a", "b", "free")] == ["allow", "allow", "none"]
    await policies.stop()


async def test_a_file_that_turns_bad_leaves_the_last_good_policy_and_is_told_once(file: Path) -> None:
    told = Told()
    policies = Policies(connections(file)[:1], told)
    policies.start()
    before = policies.version("a")
    put(file, "default: maybe")
    await told.until(lambda: len(told.all) == 2)
    await policies.reload()
    assert told.all[1:] == [("a", before, (f"{file}:1:10: must say `allow` or `deny`",))]
    assert (action(policies, "a"), policies.problems("a")) == ("deny", told.all[1][2])
    put(file, ALLOW)
    await told.until(lambda: len(told.all) == 3)
    assert (action(policies, "a"), policies.problems("a")) == ("allow", ())
    await policies.stop()


async def test_a_file_that_goes_away_leaves_the_last_good_policy(file: Path) -> None:
    told = Told()
    policies = Policies(connections(file)[:1], told)
    os.remove(file)
    await policies.reload()
    assert action(policies, "a") == "deny"
    assert "cannot be read" in told.all[0][2][0]
    put(file, DENY)
    await policies.reload()
    assert told.all[-1] == ("a", policies.version("a"), ())


async def test_a_change_that_decides_nothing_is_no_change(file: Path) -> None:
    told = Told()
    policies = Policies(connections(file), told)
    put(file, "# a remark\n" + DENY)
    await policies.reload()
    assert told.all == []
