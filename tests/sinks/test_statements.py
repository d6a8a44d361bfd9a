"""Which SQL a person may send."""

import pytest

from sinks.readers import ReadError
from sinks.statements import check_statement

ALLOWED = [
    "SELECT 1",
    "select count() from v_frames where body like '%; drop table x%';",
    "WITH 1 AS one SELECT one -- a ; in a comment\n",
    "(SELECT 1) UNION ALL (SELECT 2)",
    "SHOW TABLES",
    "DESCRIBE v_sessions",
    "EXPLAIN SELECT 1",
    "SELECT * FROM numbers(10)",
    "SELECT file, url FROM (SELECT 1 AS file, 2 AS url)",
    "SELECT 'file(''/etc/passwd'')'",
    "SELECT `format` FROM (SELECT 1 AS `format`)",
    "SELECT /* file('x') */ 1",
]
REFUSED = [
    "",
    "  ;; ",
    "SELECT 1; SELECT 2",
    "INSERT INTO v_frames VALUES (1)",
    "DROP TABLE frames_stored",
    "ALTER TABLE frames_stored DELETE WHERE 1",
    "SYSTEM SHUTDOWN",
    "SET readonly = 0",
    "SELECT 1 SETTINGS readonly = 0",
    "SELECT 1 INTO OUTFILE '/tmp/x'",
    "SELECT 1 FORMAT CSV",
    "SELECT file('/etc/passwd')",
    "SELECT * FROM file('/etc/passwd', 'CSV')",
    "SELECT * FROM FILE ('/etc/passwd', 'CSV')",
    "SELECT * FROM file/**/('/etc/passwd')",
    "SELECT * FROM `file`('/etc/passwd')",
    "SELECT * FROM url('http://169.254.169.254/')",
    "SELECT * FROM s3('https://x/y')",
    "SELECT * FROM remoteSecure('h', 'd', 't')",
    "SELECT * FROM executable('id', TSV, 'x String')",
    "SELECT * FROM Python(x)",
    'SELECT * FROM default."/etc/passwd"',
    "SELECT sleepEachRow(3) FROM numbers(1000)",
    "SELECT 'open",
    "SELECT $$x$$",
    "SELECT 1 /* never closed; DROP TABLE x",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_one_reading_statement_passes(sql: str) -> None:
    assert check_statement(sql) == sql.strip().rstrip(";").rstrip()


@pytest.mark.parametrize("sql", REFUSED)
def test_anything_else_is_refused_with_a_reason(sql: str) -> None:
    with pytest.raises(ReadError) as refusal:
        check_statement(sql)
    assert str(refusal.value)


def test_a_statement_beyond_the_limit_is_refused() -> None:
    with pytest.raises(ReadError, match="longer than 64 KB"):
        check_statement(f"SELECT '{'x' * 70_000}'")
