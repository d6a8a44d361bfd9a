"""What a session remembers, frame by frame: learned in one, masked where it returns, the same in a repeat."""

import base64
import json
from pathlib import Path

from masking.deep import KNOWN_MAX, DeepMasker
from processors.deadline import Deadline
from processors.late import late
from processors.masking_step import Audited, step
from processors.masks import masks
from processors.memory import HELD_MAX, LEARNED_MAX, SESSION_SECONDS, Memory, outlived
from processors.settings import ProcessorSettings
from schemas.codec import codec
from tests.masking.kinds import KINDS, made
from tests.processors.making import frame_value

KEY = b"the masking key of the tests, 32"
LIMIT = 4 * 1024 * 1024
USE = masks(ProcessorSettings(Path(), KEY, profiles={"open": "off"}), Deadline(5))
SECRET = made("returns", 20)
INLINE = DeepMasker(KEY, "secrets").mask(KINDS["dotenv"](SECRET).encode())
"""What the gateway would have recorded of a frame that gave the secret away."""
HIDDEN = b'{"result":"' + base64.b64encode(SECRET.encode()) + b'"}'


def redactions() -> list[dict[str, object]]:
    """The gateway's redactions of `INLINE`."""
    return [
        {"path": "", "rule": row.rule, "start": 0, "end": 1, "pseudonym": row.pseudonym}
        for row in INLINE.redactions
    ]


def run(memory: Memory, offset: int, value: bytes) -> Audited:
    """The audit record of the frame at this offset."""
    done = step(value, memory.partition, offset, USE, LIMIT, memory)
    assert isinstance(done, Audited)
    return done


def learned(offset: int = 5) -> Memory:
    """A session that has seen the secret pass masked."""
    memory = Memory(2)
    run(memory, offset, frame_value(1, INLINE.text, redactions=redactions(), direction="response"))
    return memory


def test_what_one_frame_gave_away_is_masked_where_it_returns_hidden() -> None:
    done = run(learned(), 6, frame_value(2, HIDDEN, direction="response"))
    assert [row["rule"] for row in done.deep] == ["returned:base64"]
    assert base64.b64encode(SECRET.encode()) not in done.value
    assert done.deep[0]["pseudonym"][-7:-1] == INLINE.redactions[0].pseudonym[-7:-1]


def test_other_sessions_do_not_know_it() -> None:
    assert not run(Memory(2), 6, frame_value(2, HIDDEN)).deep


def test_a_repeat_of_an_earlier_frame_does_not_know_what_came_later() -> None:
    memory = learned(5)
    assert run(memory, 4, frame_value(0, HIDDEN)) == run(Memory(2), 4, frame_value(0, HIDDEN))
    assert run(memory, 5, frame_value(1, HIDDEN)) == run(Memory(2), 5, frame_value(1, HIDDEN))


def test_the_row_holds_digests_and_nothing_of_the_secret() -> None:
    row = json.dumps(learned().row())
    assert row == json.dumps([2, [[INLINE.redactions[0].pseudonym[-7:-1], 5, 1_790_000_000]]])
    assert Memory.restored(2, json.loads(row)).known(6, 1_790_000_001) == learned().known(6, 1_790_000_001)


def test_a_row_of_another_partition_is_not_believed() -> None:
    assert not Memory.restored(3, learned().row()).entries


def test_what_only_looks_like_a_pseudonym_teaches_nothing() -> None:
    memory = Memory(2)
    run(memory, 1, frame_value(1, b"see [masked:token:abcdef]"))
    assert not memory.entries


def test_a_secret_that_the_inline_pass_let_through_is_remembered_too() -> None:
    memory = Memory(2)
    run(memory, 1, frame_value(1, KINDS["dotenv"](SECRET).encode()))
    assert run(memory, 2, frame_value(2, HIDDEN)).deep


def test_a_session_forgets_after_its_time() -> None:
    later = 1_790_000_000_000_000 + (SESSION_SECONDS + 1) * 1_000_000
    memory = learned()
    assert not run(memory, 6, frame_value(2, HIDDEN, recorded_at=later)).deep
    assert not outlived(memory.row(), later // 1_000_000)
    assert outlived(memory.row(), later // 1_000_000 + 3600)


def test_a_session_holds_so_much_and_no_more() -> None:
    memory = Memory(0)
    for offset in range(1000):
        memory.learn([f"{offset * 1000 + n:06x}" for n in range(LEARNED_MAX + 9)], offset, 0)
    assert len(memory.entries) == HELD_MAX
    assert len(memory.known(1000, 0)) == KNOWN_MAX
    assert len(json.dumps(memory.row())) < 32_000


def test_unchanged_memory_is_not_written_and_a_repeat_is() -> None:
    memory = Memory.restored(2, learned(5).row())
    run(memory, 6, frame_value(2, INLINE.text, redactions=redactions()))
    assert not memory.changed
    run(memory, 5, frame_value(1, INLINE.text, redactions=redactions()))
    assert memory.changed


def test_a_late_redaction_is_a_finding_with_its_rule_and_evidence() -> None:
    value = frame_value(2, HIDDEN, direction="response")
    done = run(learned(), 6, value)
    sent = late(done)
    assert sent == late(run(learned(), 6, value))
    (finding,) = [codec("finding").decode(row.value) for row in sent]
    assert (finding["rule"], finding["severity"]) == ("late-redaction", "high")
    assert "rule: returned:base64" in finding["evidence"]
    assert "frame: 0190a8c0-0000-7000-8000-000000000002" in finding["evidence"]
    assert SECRET not in str(finding)


def test_the_same_secret_again_is_the_same_finding() -> None:
    ids = set()
    for number in (2, 3):
        done = run(learned(), 4 + number, frame_value(number, HIDDEN, direction="response"))
        ids |= {codec("finding").decode(row.value)["finding_id"] for row in late(done)}
    assert len(ids) == 1


def test_what_a_request_carried_did_not_go_to_the_client() -> None:
    done = run(learned(), 6, frame_value(2, HIDDEN, direction="request"))
    assert done.deep
    assert not late(done)


def test_a_rule_that_the_profile_leaves_on_purpose_is_masked_in_the_trail_and_not_late() -> None:
    salt = "$6$" + made("salt", 16) + "$" + made("hash", 86)
    body = f"root:{salt}:19000:0:99999:7:::\n".encode()
    done = run(Memory(2), 1, frame_value(1, body, direction="response"))
    assert [row["rule"] for row in done.deep] == ["password-hash"]
    assert not done.late


def test_a_connection_without_masking_stays_as_it_is() -> None:
    done = run(learned(), 6, frame_value(2, HIDDEN, connection="open", direction="response"))
    assert not done.deep
    assert HIDDEN in done.value
