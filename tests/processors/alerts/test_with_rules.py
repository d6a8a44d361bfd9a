"""What the anomaly engine writes as a rule's response is what is carried out."""

from __future__ import annotations

from typing import get_args

import pytest

from processors.alerts.responses import answer, wanted_of
from processors.alerts.settings import Responses
from processors.anomaly.finding import Answer
from tests.processors.alerts.making import T0, finding


@pytest.mark.parametrize("act", get_args(Answer))
def test_every_response_that_a_rule_may_name_is_carried_out(act: str) -> None:
    wanted = wanted_of(f"{act} 3600s")
    assert wanted is not None
    assert (wanted.act, wanted.seconds) == (act, 3_600)
    made = answer(finding(facts={"response": f"{act} 3600s"}), Responses(on=True), [], T0)
    assert made.outcome == "done"
