"""Time-stamps of checkpoints, by a real authority."""

from __future__ import annotations

from pathlib import Path

import pytest
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from schemas.checkpoints import anchor_record
from sinks.verify.findings import Kind, Verdict
from sinks.verify.stamps import stamp_fault, stamped_at
from tests.processors.checkpoints.authority import Authority
from tests.verify.recorded import START_US, copied, policy, signed, source


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for all."""
    return Authority(tmp_path_factory.mktemp("time") / "authority")


def stamp(authority: Authority, note: str) -> bytes:
    """A stamp of `note`."""
    builder = TimestampRequestBuilder().data(note.encode()).hash_algorithm(HashAlgorithm.SHA256)
    return authority.answer(builder.nonce(nonce=True).cert_request(cert_request=True).build().as_bytes())


def test_a_stamp_is_for_one_note_by_an_authority_that_is_believed(
    authority: Authority, tmp_path: Path
) -> None:
    response = stamp(authority, "a note")
    certificate = authority.ca.read_text()
    stranger = Authority(tmp_path / "stranger").ca.read_text()

    assert stamp_fault(response, "a note", [certificate]) == ""
    assert stamp_fault(response, "a note", []) == ""
    assert stamp_fault(response, "another note", [certificate]) == "it is for something else"
    assert stamp_fault(response, "a note", [stranger]) != ""
    assert stamp_fault(b"\x30\x03\x02\x01\x00", "a note", [certificate]) != ""
    assert stamped_at(response).startswith("20")


def test_a_check_tells_when_a_checkpoint_was_stamped_and_finds_a_stamp_of_something_else(
    authority: Authority,
) -> None:
    last = signed(1, source().values[1])[-1]
    believed = policy(certificates=(authority.ca.read_text(),))
    for note, verdict in ((last["note"], Verdict.SOUND), ("something else", Verdict.TAMPERED)):
        evidence = stamp(authority, note)
        with copied() as trail:
            record = anchor_record(last, "rfc3161", "tsa", evidence, note=last["note"], at=START_US + 20_000)
            trail.put_checkpoints(record, first=9_000)

            report = trail.check(believed)

        assert report.verdict is verdict
        assert (report.coverage[1].stamped_at != "") is (verdict is Verdict.SOUND)
        assert (Kind.BAD_SIGNATURE in report.counts) is (verdict is Verdict.TAMPERED)
