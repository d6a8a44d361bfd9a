"""The functions that rules may call: what they find, what they let be, and that they take linear time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.policy.functions import path_within, sql_verbs


@pytest.mark.parametrize(
    ("text", "verbs"),
    [
        ("select 1", ["SELECT"]),
        ("  -- remark\n/* and this */ DROP TABLE t", ["DROP"]),
        ("SELECT 1; drop table t;", ["SELECT", "DROP"]),
        ("SELECT 'a; DROP TABLE t'", ["SELECT"]),
        ('SELECT "a; DROP TABLE t", `; DROP` FROM x', ["SELECT"]),
        ("SELECT 'it''s'; DROP TABLE t", ["SELECT", "DROP"]),
        ("SELECT 5--1; DROP TABLE t", ["SELECT", "DROP"]),  # MySQL: no comment without a space
        ("/*!50000 DROP TABLE t */", ["DROP"]),
        ("SELECT '\\'; DROP TABLE t --'", ["SELECT", "DROP"]),  # standard SQL: the text ends at \'
        ("SELECT 'a\\'; DROP TABLE t; --'", ["SELECT", "DROP"]),
        ("DO $$ BEGIN DROP TABLE t; END $$", ["DO", "DROP", "END"]),
        ("WITH a AS (DELETE FROM t) SELECT 1 WHERE true", ["WITH", "DELETE", "DELETE_ALL"]),
        ("WITH a AS (SELECT 1) DELETE FROM t WHERE x IN (SELECT 1)", ["WITH", "DELETE"]),
        ("DELETE FROM t", ["DELETE", "DELETE_ALL"]),
        ("DELETE FROM t WHERE id = 1", ["DELETE"]),
        ("DELETE FROM t USING (SELECT 1 WHERE true) s", ["DELETE", "DELETE_ALL"]),
        ("update t set a = 1", ["UPDATE", "UPDATE_ALL"]),
        ("EXPLAIN ANALYZE DELETE FROM t", ["EXPLAIN", "DELETE", "DELETE_ALL"]),
        ("SELECT * FROM t FOR UPDATE", ["SELECT"]),
        ("(((SELECT 1)))", ["SELECT"]),
        ("", []),
        (";;;", []),
    ],
)
def test_the_statements_of_a_text_are_found(text: str, verbs: list[str]) -> None:
    assert sql_verbs(text) == verbs


@pytest.mark.parametrize("unit", ["'", "'\\", "/*", "(", "; DELETE ", "--", '"\\"', "$$", "/* * "])
def test_reading_sql_takes_time_in_proportion_to_its_length(unit: str) -> None:
    text = unit * (200_000 // len(unit))
    started = time.perf_counter()
    sql_verbs(text)
    assert time.perf_counter() - started < 2.0


@given(st.text(alphabet="'\"`;()-/*\\ \n$aDROPdelete!M", max_size=60))
def test_any_text_gives_verbs_in_capitals(text: str) -> None:
    assert all(verb == verb.upper() for verb in sql_verbs(text))


@pytest.mark.parametrize(
    ("path", "root", "within"),
    [
        ("/srv/work", "/srv/work", True),
        ("/srv/work/a/b", "/srv/work/", True),
        ("file:///srv/work/a", "/srv/work", True),
        ("/srv/work/./a/../b", "/srv/work", True),
        ("//srv/work/a", "/srv/work", True),
        ("/anything", "/", True),
        ("/srv/workshop", "/srv/work", False),
        ("/srv/work/../other", "/srv/work", False),
        ("/srv/work/..\\..\\etc", "/srv/work", False),
        ("/srv/work/%2e%2e/etc", "/srv/work", False),
        ("/srv/work/a\x00b", "/srv/work", False),
        ("srv/work/a", "/srv/work", False),
        ("~/a", "/srv/work", False),
        ("", "/srv/work", False),
        ("/srv/work", "", False),
    ],
)
def test_a_path_is_within_a_folder_or_not(path: str, root: str, within: bool) -> None:
    assert path_within(path, root) is within
