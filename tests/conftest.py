"""What every test may use."""

import signal

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.broker"]

# how fast a shared machine is at the moment is no property of what is tested
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(autouse=True)
def no_server_of_before() -> None:
    """A test with two servers may leave the signals to the one that it stopped first. The SDK's servers take that one
    for their own, and end every stream."""
    for number, usual in ((signal.SIGTERM, signal.SIG_DFL), (signal.SIGINT, signal.default_int_handler)):
        server = getattr(signal.getsignal(number), "__self__", None)
        if getattr(server, "should_exit", False):
            signal.signal(number, usual)
