"""What takes its time to import is imported where a connection uses it, and nowhere else."""

import subprocess
import sys

import pytest

LIBRARIES = ("botocore", "google.auth", "urllib3.poolmanager")
MAKE = (
    "from gateway.edge.credentials import credential_for\n"
    "from gateway.settings import *\n"
    "credential_for(Connection('a', upstream='https://a.example', credential={}), 'none')\n"
)


def loaded(program: str) -> set[str]:
    """Which of the libraries are loaded when the program has run."""
    told = f"{program}\nimport sys\nprint(*(name for name in {LIBRARIES!r} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", told], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


def test_a_gateway_without_a_cloud_loads_none_of_their_libraries() -> None:
    assert loaded("import gateway.app, sluicegate.settings.parts, sluicegate.settings.rules") == set()


@pytest.mark.parametrize(
    ("credential", "library"),
    [
        ("EksToken('prod', AwsIdentity('eu-west-1'))", "botocore"),
        ("SigV4('s3', AwsIdentity('eu-west-1'))", "botocore"),
        ("GoogleToken()", "google.auth"),
    ],
)
def test_a_connection_of_a_cloud_loads_its_library_when_it_is_made(credential: str, library: str) -> None:
    assert library in loaded(MAKE.format(credential))
