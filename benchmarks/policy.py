"""What policy costs one call: `python -m benchmarks.policy [--json]`.

Rules of six common kinds, of which none matches, or the last: the whole list is gone through. Beside the engine stand
the ways that were not taken, for the same rules and call: each condition with a context of its own, all with one
context but nothing ruled out before, and all chained into one expression. Of one process, in microseconds.
"""

import argparse
import gc
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cel

from gateway.policy import Around, Call, Policy, calls_of, read_policy
from gateway.policy.contexts import Plan
from gateway.policy.facts import ConnectionFacts, HttpFacts, PrincipalFacts, SessionFacts

COUNTS = (1, 10, 50, 200)
ROUNDS = 3_000
BODY = (
    b'{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"pods_list","arguments":'
    b'{"namespace":"default","labelSelector":"app=web","limit":50}}}'
)
KINDS: dict[str, Callable[[int], str]] = {
    "tool and group": lambda i: f"tool.name == 'tool_{i}' && 'sre' in principal.groups",
    "prefix": lambda i: f"mcp.method == 'tools/call' && tool.name.startsWith('delete_{i}')",
    "argument": lambda i: f"has(tool.arguments.namespace) && tool.arguments.namespace == 'team-{i}'",
    "group by loop": lambda i: f"principal.groups.exists(g, g.startsWith('group-{i}')) && time.hour > 30",
    "annotation": lambda i: (
        f"has(tool.annotations.destructiveHint) && tool.annotations.destructiveHint && {i} > 0"
    ),
    "pattern": lambda i: f"tool.name.matches('^(drop|wipe)_{i}(_|$)')",
}
MIXED = list(KINDS.values())
MATCHING = "tool.name == 'pods_list' && 'oncall' in principal.groups && tool.arguments.namespace == 'default'"


def policy_of(count: int, kind: Callable[[int], str] | None = None, *, last_matches: bool = False) -> Policy:
    """`count` rules of one kind, or of all in turn; none matches, or the last one."""
    whens = [(kind or MIXED[i % len(MIXED)])(i + 1) for i in range(count)]
    if last_matches:
        whens[-1] = MATCHING
    rules = [{"name": f"rule-{i}", "when": when, "deny": "no"} for i, when in enumerate(whens)]
    return read_policy(json.dumps({"default": "allow", "rules": rules}), Path("benchmark.yaml"))


def around() -> Around:
    """A principal with a few groups, and a tool as a server lists it."""
    return Around(
        PrincipalFacts("https://issuer.example", "ada", ("sre", "dev", "oncall"), "agent", "ada@example.com"),
        ConnectionFacts("prod", labels={"env": "prod"}),
        HttpFacts("POST", "/mcp/prod", peer="127.0.0.1:4444"),
        SessionFacts("session", calls=3),
        now=1_700_000_000.0,
        tools=lambda _name: ({"readOnlyHint": True, "destructiveHint": False}, "pinned"),
    )


def measured(work: Callable[[], Any], rounds: int = ROUNDS) -> tuple[float, float]:
    """(median, 99th percentile) of one run of `work`, in microseconds."""
    work()
    took: list[int] = []
    gc.disable()
    for _ in range(rounds):
        started = time.perf_counter_ns()
        work()
        took.append(time.perf_counter_ns() - started)
    gc.enable()
    cut = statistics.quantiles(took, n=100)
    return statistics.median(took) / 1000, cut[98] / 1000


def ways_not_taken(policy: Policy, call: Call) -> dict[str, Callable[[], Any]]:
    """The same rules, computed otherwise."""
    plans = [Plan(rule.condition.needs.paths, ()) for rule in policy.rules]
    programs = [rule.condition.program for rule in policy.rules]
    whole = Plan({path for rule in policy.rules for path in rule.condition.needs.paths}, ())
    chain = "".join(f"({rule.condition.text}) ? {i} : " for i, rule in enumerate(policy.rules)) + "-1"

    def own_contexts() -> None:
        for plan, program in zip(plans, programs, strict=True):
            program.execute(plan.build(call)[0])

    def one_context() -> None:
        context, _ = whole.build(call)
        for program in programs:
            program.execute(context)

    ways: dict[str, Callable[[], Any]] = {"own contexts": own_contexts, "one context": one_context}
    if len(programs) <= 50:  # the parser takes no deeper chain
        chained = cel.compile(chain)
        ways["chained"] = lambda: chained.execute(whole.build(call)[0])
    return ways


def main() -> None:
    """Prints a table, or with --json one object a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    as_json = parser.parse_args().json
    facts = around()
    (call,) = calls_of(BODY, facts)
    show(as_json, "request to call", 0, *measured(lambda: calls_of(BODY, facts)))
    for count in COUNTS:
        policy = policy_of(count)
        median, tail = measured(lambda policy=policy: policy.judge(call))  # type: ignore[misc]
        show(as_json, "all kinds", count, median, tail)
        late = policy_of(count, last_matches=True)
        show(as_json, "the last matches", count, *measured(lambda policy=late: policy.judge(call)))  # type: ignore[misc]
        for name, way in ways_not_taken(policy, call).items():
            show(as_json, f"  {name}", count, *measured(way, ROUNDS // 10), median)
    for name, kind in KINDS.items():
        policy = policy_of(50, kind)
        show(as_json, name, 50, *measured(lambda policy=policy: policy.judge(call)))  # type: ignore[misc]


def show(  # noqa: PLR0917 (the columns of a line, in order)
    as_json: bool, what: str, rules: int, median: float, tail: float, engine: float | None = None
) -> None:
    """One line; `engine` is the engine's own median, for the ratio."""
    if as_json:
        row = {"what": what.strip(), "rules": rules, "median_us": round(median, 2), "p99_us": round(tail, 2)}
        print(json.dumps(row))
        return
    ratio = f"  {median / engine:5.1f} times the engine" if engine else ""
    print(f"{what:<18} {rules:>4} rules  {median:8.1f} µs  p99 {tail:8.1f} µs{ratio}")


if __name__ == "__main__":
    main()
