"""The functions that rules may call: what they find, what they let be, and that they take linear time."""

import time
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.policy.functions import CHARACTERS_MAX, name_parts, path_parts, path_within, sql_verbs
from gateway.policy.shell import shell_commands


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


@pytest.mark.parametrize("read", [sql_verbs, shell_commands], ids=lambda each: each.__name__)
@pytest.mark.parametrize(
    "unit", ["'", "'\\", "/*", "(", "; DELETE ", "--", '"\\"', "$$", "/* * ", "$(", "-c 'a "]
)
def test_reading_takes_time_in_proportion_to_the_length(unit: str, read: Callable[[str], object]) -> None:
    text = unit * (CHARACTERS_MAX // len(unit))
    started = time.thread_time()  # of the processor: other processes may have the machine
    read(text)
    assert time.thread_time() - started < 2.0


@settings(deadline=None)  # for a busy machine
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


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("/Home/Ada/.SSH/id", ["home", "ada", ".ssh", "id"]),
        ("C:\\Users\\ada", ["c:", "users", "ada"]),
        ("file:///srv/%2essh", ["srv", "%2essh", "srv", ".ssh"]),
        ("", []),
    ],
)
def test_a_path_is_cut_into_its_names(path: str, parts: list[str]) -> None:
    assert path_parts(path) == parts


def test_a_name_is_cut_into_its_words() -> None:
    assert name_parts("pods,Secrets core/v1/secret.x-y_z") == [
        "pods",
        "secrets",
        "core",
        "v1",
        "secret",
        "x-y_z",
    ]


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("git push -f", [["git", "push", "-f"]]),
        ("cd a && git status; ls | wc -l", [["cd", "a"], ["git", "status"], ["ls"], ["wc", "-l"]]),
        ("git commit -m 'push --force; rebase'", [["git", "commit", "-m", "push --force; rebase"]]),
        ("gi\\t pu''sh", [["git", "push"]]),
        ("bash -c 'git push -f'", [["bash", "-c", "git push -f"], ["git", "push", "-f"]]),
        ('echo "$(git push -f)"', [["echo", "$(git push -f)"], ["$"], ["git", "push", "-f"]]),
        ("echo `id`", [["echo"], ["id"]]),
        ("", []),
    ],
)
def test_a_shell_line_is_cut_into_the_commands_that_it_runs(line: str, commands: list[list[str]]) -> None:
    assert shell_commands(line) == commands
