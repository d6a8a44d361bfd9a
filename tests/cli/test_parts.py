"""`sluicegate up` runs every part, and each tells of itself where it should."""

from __future__ import annotations

from urllib.request import urlopen

import pytest

from sluicegate.embedded.datadir import read_state
from sluicegate.names import PROCESSORS
from sluicegate.settings import load
from sluicegate.settings.probes import port_file
from tests.cli.conftest import Asked

pytestmark = pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine


def got(url: str) -> tuple[int, str]:
    with urlopen(url, timeout=20) as answer:
        return answer.status, answer.read().decode()


def test_every_part_runs_in_the_order_in_which_it_is_needed(trail: Asked) -> None:
    state = read_state(trail.config.parent / "var")
    names = list(state.pids)
    assert set(names) == {
        "kafka",
        "processors-0",
        "approvals-0",
        "anomaly-0",
        "alerts-0",
        "checkpoints-0",
        "sink",
        "console",
        "gateway",
    }
    assert (names[:2], names[-1]) == (["kafka", "processors-0"], "gateway")
    assert state.addresses.keys() == {"gateway", "console", "approvals", "kafka"}


@pytest.mark.parametrize("name", PROCESSORS)
def test_a_processor_is_ready_and_tells_what_it_counts(trail: Asked, name: str) -> None:
    file = port_file(trail.config.parent / "var", name, 0)  # type: ignore[arg-type]
    address = f"http://127.0.0.1:{file.read_text().strip()}"
    assert got(f"{address}/readyz") == (200, "ready\n")
    assert "# TYPE sluicegate_" in got(f"{address}/metrics")[1]


def test_people_can_decide_where_the_file_says(trail: Asked) -> None:
    settings = load(trail.config)
    assert got(f"http://{settings.approvals.listen}/readyz")[0] == 200
    answer = trail.run("approvals", "list")
    assert answer.exit_code == 0, answer.output
