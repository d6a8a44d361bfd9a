"""What every test may use."""

import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.broker", "tests.support.ports"]

# how fast a shared machine is at the moment is no property of what is tested
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


# Folders whose tests share what takes long to start: where tests run in several processes, one has them all.
TOGETHER = ("cli", "console/web_inbox", "gateway/approvals", "gateway/holding")
HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Says what runs in one process where `-n` asks for several: the tests of a file, or of such a folder."""
    for item in items:
        name = item.path.relative_to(HERE).as_posix()
        folder = next((each for each in TOGETHER if name.startswith(f"{each}/")), name)
        item.add_marker(pytest.mark.xdist_group(folder))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Keys that are made anew, records and sets differ from one process to the next; names of tests may not."""
    odd = isinstance(val, set | frozenset | bytes) or (isinstance(val, str) and len(val) > 60)
    return argname if odd else None


@pytest.fixture(autouse=True)
def no_server_of_before() -> None:
    """A test with two servers may leave the signals to the one that it stopped first. The SDK's servers take that one
    for their own, and end every stream."""
    for number, usual in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        server = getattr(signal.getsignal(number), "__self__", None)
        if getattr(server, "should_exit", False):
            signal.signal(number, usual)
