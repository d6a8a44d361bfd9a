"""Whether a tool can be called at all, for its listing."""

from typing import Final

from gateway.policy.conditions import FailedError
from gateway.policy.contexts import Plan
from gateway.policy.engine import Policy, Rule
from gateway.policy.facts import Call

ARGUMENTS: Final = ("tool", "arguments")


def could_pass(policy: Policy, call: Call) -> bool:
    """Whether `call`, whose arguments are not known yet, can be allowed or held: False where all of them are denied.

    A rule that looks at arguments may hold or not; so it only counts where it would let a call pass.
    """
    for rule in policy.rules:
        if not _named(rule, call):
            continue
        if any(path[:2] == ARGUMENTS for path in rule.condition.needs.paths):
            if rule.verdict.action != "deny":
                return True
        else:
            held = _held(rule, call)
            if held is None:
                return False
            if held:
                return rule.verdict.action != "deny"
    return policy.default.action != "deny"


def _named(rule: Rule, call: Call) -> bool:
    tools, methods = rule.condition.needs.tools, rule.condition.needs.methods
    return (tools is None or call.tool.name in tools) and (methods is None or call.mcp.method in methods)


def _held(rule: Rule, call: Call) -> bool | None:
    """Whether the rule's condition holds; None where it cannot be computed, which denies."""
    needs = rule.condition.needs
    context, unfit = Plan(needs.paths, needs.functions).build(call)
    try:
        return None if not unfit.isdisjoint(needs.paths) else rule.condition.compute(context)
    except FailedError:
        return None
