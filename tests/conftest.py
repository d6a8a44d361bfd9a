"""What every test may use."""

import signal

import pytest

pytest_plugins = ["tests.support.broker"]


@pytest.fixture(autouse=True)
def no_server_of_before() -> None:
    """A test with two servers may leave the signals to the one that it stopped first. The SDK's servers take that one
    for their own, and end every stream."""
    for number, usual in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        server = getattr(signal.getsignal(number), "__self__", None)
        if getattr(server, "should_exit", False):
            signal.signal(number, usual)
