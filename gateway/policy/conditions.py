"""One condition: text to something that can be computed for a call."""

from functools import cached_property
from typing import Final

import cel

from gateway.policy.checks import Fault, faults_of
from gateway.policy.contexts import Plan
from gateway.policy.facts import Call
from gateway.policy.guards import Guard, guards_of
from gateway.policy.needs import Needs, needs_of
from gateway.policy.syntax import Node, parse
from gateway.policy.tokens import SyntaxProblemError

UNFIT: Final = "what it looks at is too large, holds a number of more than 64 bits, or could not be decoded"
_WHERE: Final = "<input>:"


class ConditionError(ValueError):
    """A text that is no condition. `faults` has each thing wrong with its place, in characters from 0."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"at character {fault.offset + 1}: {fault.text}" for fault in faults))
        self.faults = faults


class FailedError(Exception):
    """A condition could not be computed for this call. The text never shows what the request brought."""


class Compiled:
    """A condition that passed all checks. Raises ConditionError."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree: Node = _tree(text)
        self.needs: Needs = needs_of(self.tree)
        self.program = _program(text)
        self.steady, self.varying = guards_of(self.tree)

    @property
    def guards(self) -> tuple[Guard, ...]:
        """All its guards."""
        return self.steady + self.varying

    @cached_property
    def plan(self) -> Plan:
        """What puts the facts that it looks at, and no others, before it."""
        return Plan(self.needs.paths, self.needs.functions)

    def compute_alone(self, call: Call) -> bool:
        """Whether it holds for `call`, with a context of its own. Raises FailedError."""
        context, unfit = self.plan.build(call)
        if not unfit.isdisjoint(self.needs.paths):
            raise FailedError(UNFIT)
        return self.compute(context)

    def compute(self, context: cel.Context) -> bool:
        """Whether it holds. Raises FailedError."""
        try:
            held = self.program.execute(context)
        except BaseException as error:
            # a panic within the library is no Exception, and must close as well
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise FailedError(_told(error, self.text)) from None
        if held is True or held is False:
            return held
        raise FailedError("it gave neither true nor false")


class Condition:
    """A condition that stands alone, as `access.when`. Raises ConditionError."""

    def __init__(self, text: str) -> None:
        self._compiled = Compiled(text)

    def holds(self, call: Call) -> bool:
        """Whether it is true of `call`; what cannot be computed is false."""
        try:
            return self._compiled.compute_alone(call)
        except FailedError:
            return False


def _tree(text: str) -> Node:
    try:
        tree = parse(text)
    except SyntaxProblemError as error:
        raise ConditionError([Fault(error.offset, error.text)]) from None
    faults = faults_of(tree)
    if faults:
        raise ConditionError(faults)
    return tree


def _program(text: str) -> cel.Program:
    try:
        return cel.compile(text)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise  # a panic within the library is no Exception, and must refuse the text as well
        raise ConditionError([_library_fault(text, str(error))]) from None


def _library_fault(text: str, told: str) -> Fault:
    """`… ERROR: <input>:LINE:COLUMN: what` as a place in the text."""
    line, _, rest = told.partition(_WHERE)[2].partition(":")
    column, _, what = rest.partition(":")
    reason = what.partition("\n")[0].partition(", expecting")[0].partition(" expecting ")[0].strip()
    if not (line.isdigit() and column.isdigit()):
        return Fault(0, "is not read by CEL")
    before = text.split("\n")[: int(line) - 1]
    return Fault(
        sum(len(each) + 1 for each in before) + int(column) - 1, reason.lower() or "is not read by CEL"
    )


def _told(error: BaseException, text: str) -> str:
    """Why, in words that hold no value of the request."""
    if isinstance(error, KeyError):
        key = str(error.args[0]) if error.args else ""
        return (
            f"`{key}` is not there; test it with has() first" if key and key in text else "a key is not there"
        )
    if isinstance(error, TypeError):
        return "an operator or function got a value of a kind that it does not take"
    if isinstance(error, IndexError):
        return "a list has no such member"
    if isinstance(error, ArithmeticError):
        return "a division by zero or a number out of range"
    if "Undefined" in str(error):
        return "a function got a value of a kind that it does not take"
    return "a function could not be computed"
