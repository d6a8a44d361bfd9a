"""Rules to verdict, pure: a call's facts in, the first rule that matches out.

    file ─▶ source (YAML with places) ─▶ load ─▶ rules ─▶ syntax, checks (faults), needs (what a condition looks at)
    body ─▶ calls ─▶ engine (which rules can match) ─▶ contexts (facts as CEL values) ─▶ first that holds ─▶ Verdict

Nothing here reads a clock or keeps what it saw; only `load_policy` reads a file.
"""

from gateway.policy.calls import Around, ToolLookup, UnreadableError, calls_of
from gateway.policy.conditions import Condition, ConditionError
from gateway.policy.engine import Part, Policy, Rule, Step
from gateway.policy.facts import Call
from gateway.policy.load import load_policy, read_policy
from gateway.policy.problems import PolicyError, Problem
from gateway.policy.verdict import ALLOWED, Verdict

__all__ = [
    "ALLOWED",
    "Around",
    "Call",
    "Condition",
    "ConditionError",
    "Part",
    "Policy",
    "PolicyError",
    "Problem",
    "Rule",
    "Step",
    "ToolLookup",
    "UnreadableError",
    "Verdict",
    "calls_of",
    "load_policy",
    "read_policy",
]
