"""G10: whatever is done to the stored trail is found by a check with keys from elsewhere, and named."""

from __future__ import annotations

import pytest

from sinks.verify.findings import Kind
from tests.verify.attacks import ATTACKS, Attack
from tests.verify.recorded import copied
from tests.verify.table import BEGIN, END, PAGE, table

HONEST = [(Kind.EXPIRED_BY_POLICY, 0, 20, 21), (Kind.EXPIRED_BY_POLICY, 0, 25, 25)]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_abuse_82_every_attack_on_the_store_gives_the_findings_that_the_table_says(attack: Attack) -> None:
    with copied() as trail:
        attack.does(trail)

        report = trail.check(attack.believed(), attack.outside())

    found = [(one.kind, one.partition, one.first_offset, one.last_offset) for one in report.findings]
    besides = [one for one in found if one not in HONEST]
    assert (sorted(besides), report.verdict) == (sorted(attack.says), attack.verdict), report.findings


def test_the_table_in_the_docs_is_that_of_these_attacks() -> None:
    assert f"{BEGIN}\n{table()}\n{END}" in PAGE.read_text("utf-8"), "run python -m tests.verify.table"
