"""The store's address, and who may own an embedded one."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sinks.clickhouse import ClickHouseAddress, StoreAwayError, StoreError, StoreOwner, quoted


@pytest.fixture
def temporary_files_kept() -> Iterator[None]:
    """Owning a store moves this process's temporary files; the other tests want theirs back."""
    before, variable = tempfile.tempdir, os.environ.get("TMPDIR")
    yield
    tempfile.tempdir = before
    os.environ.pop("TMPDIR", None)
    if variable is not None:
        os.environ["TMPDIR"] = variable


def test_an_address_names_its_database_and_hides_its_password() -> None:
    address = ClickHouseAddress("clickhouse://writer:s%40cret@store.example:8124/trail")

    assert (address.embedded, address.database) == (False, "trail")
    assert str(address) == "clickhouse://store.example:8124/trail"
    assert ClickHouseAddress("clickhouses://store.example").database == "audit"
    assert str(ClickHouseAddress("clickhouses://store.example")) == "clickhouses://store.example:8443/audit"


@pytest.mark.parametrize("dsn", ["", "postgres://x/y", "clickhouse:///audit", "embedded"])
def test_an_address_that_leads_nowhere_is_refused(dsn: str) -> None:
    with pytest.raises(ValueError, match=r"clickhouse\.dsn"):
        ClickHouseAddress(dsn)


def test_a_server_that_does_not_answer_is_away_and_named_without_its_password() -> None:
    with pytest.raises(StoreAwayError, match=r"127\.0\.0\.1:1/audit does not answer") as fault:
        ClickHouseAddress("clickhouse://writer:hidden@127.0.0.1:1/audit").connect()
    assert "hidden" not in str(fault.value)


def test_one_owner_at_a_time_with_private_temporary_files(tmp_path: Path, temporary_files_kept: None) -> None:
    address = ClickHouseAddress("embedded", tmp_path)
    left_over = tmp_path / "clickhouse.tmp" / "rows"
    left_over.parent.mkdir()
    left_over.write_text("a kill -9 left this")
    first, second = StoreOwner(address), StoreOwner(address)

    first.acquire()
    assert tempfile.gettempdir() == str(tmp_path / "clickhouse.tmp")
    assert not left_over.exists()
    with pytest.raises(StoreError, match=f"is open in process {os.getpid()}"):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_directory_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "clickhouse").write_text("a file where the store should be")

    with pytest.raises(StoreError, match=r"the store directory .*clickhouse cannot be used"):
        StoreOwner(ClickHouseAddress("embedded", tmp_path)).acquire()


def test_an_identifier_is_quoted_whatever_it_holds() -> None:
    assert quoted("a`b\\c") == "`a\\`b\\\\c`"
