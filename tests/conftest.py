"""What every test may use."""

import sys

import pytest

pytest_plugins = ["tests.support.broker"]


@pytest.fixture(autouse=True)
def streams_stay_open() -> None:
    """The SDK's servers end every stream of a process in which any server was once told to stop; nothing takes that
    back."""
    module = sys.modules.get("sse_starlette.sse")
    if module is not None:
        module.AppStatus.should_exit = False
