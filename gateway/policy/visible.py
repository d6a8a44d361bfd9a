"""Whether a tool can be called at all, for its listing."""

from typing import Final

from gateway.policy.conditions import FailedError
from gateway.policy.engine import Policy
from gateway.policy.facts import Call

ARGUMENTS: Final = ("tool", "arguments")


def could_pass(policy: Policy, call: Call) -> bool:
    """Whether `call`, whose arguments are not known yet, can be allowed or held: False where all of them are denied.

    A rule that looks at arguments may hold or not; so it only counts where it would let a call pass.
    """
    for rule in policy.rules:
        if not rule.can_match(call):
            continue
        if any(path[:2] == ARGUMENTS for path in rule.condition.needs.paths):
            if rule.verdict.action != "deny":
                return True
            continue
        try:
            if rule.condition.compute_alone(call):
                return rule.verdict.action != "deny"
        except FailedError:  # what cannot be computed denies
            return False
    return policy.default.action != "deny"
