"""Acts are listed from the store of a whole stack."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Asked

pytestmark = pytest.mark.timeout(300)  # the whole stack starts here, perhaps on a busy machine


def acts(trail: Asked, count: int, *words: str) -> list[dict[str, Any]]:
    """The acts that are asked for, once the store has `count` of them."""
    return trail.rows(count, "admin", "list", *words)


def test_what_an_operator_did_is_in_the_store(trail: Asked) -> None:
    session = str(uuid4())
    killed = trail.run("sessions", "kill", session, "--reason", "odd\x1b[31m calls")
    assert killed.exit_code == 0, killed.output
    done, asked = acts(trail, 2, "--target", session)
    assert (done["action"], done["outcome"], asked["outcome"]) == ("session.kill", "done", "asked")
    assert done["actor_kind"] == "cli"
    assert acts(trail, 1, "--target", session, "--limit", "1") == [done]
    assert acts(trail, 0, "--target", session, "--action", "principal.block") == []
    assert acts(trail, 0, "--target", session, "--actor", "nobody") == []
    table = trail.run("admin", "list", "--target", session)
    assert session in table.stdout
    assert "\x1b" not in table.stdout
    trail.counted(f"v_admin WHERE target = '{session}'", 2)
