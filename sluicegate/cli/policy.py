"""`policy`: rules checked, tested, explained on what was recorded, and tried on the trail before use."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from sluicegate.cli.failures import USAGE, Failure, told
from sluicegate.cli.options import DEFAULT_FILE, AsJson, ConfigFile, settings_of
from sluicegate.cli.output import inert, print_json, print_line, print_table
from sluicegate.cli.policy_terms import held_by, terms_of
from sluicegate.cli.reading import answer

if TYPE_CHECKING:
    from gateway.policy import Call, Policy, Step
    from gateway.policy.facts import ConnectionFacts
    from gateway.policy.recorded import Annotations
    from sinks.readers import Reader
    from sluicegate.cli.policy_replay import Outcome
    from sluicegate.cli.policy_trail import Judged
    from sluicegate.settings import Settings

commands = typer.Typer(no_args_is_help=True, help="Rules: what may be called, by whom.")

_AGE = re.compile(r"(\d{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_MASKED = (
    "Recorded bodies are masked copies: a rule on a secret's own text may judge the live call otherwise."
)


@commands.command()
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Policy files.", show_default=False)],
) -> None:
    """Read policy files as the gateway does, and tell everything that is wrong with them."""
    problems = []
    for file in files:
        try:
            policy = _policy(file)
        except Failure as failure:
            problems.append(str(failure))
        else:
            print_line(f"{file}: good, {len(policy.rules)} rules, version {policy.version}")
            _print_held(policy)
    if problems:
        raise Failure("the policy is not good:\n" + "\n".join(problems), USAGE)


@commands.command()
def test(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder with files of expectations.", exists=True)
    ],
) -> None:
    """Judge the calls of a folder's expectations, and tell where a verdict is not the expected one."""
    from gateway.policy import PolicyError  # noqa: PLC0415
    from sluicegate.cli.policy_expectations import expectation_files, read_expectations  # noqa: PLC0415

    files = expectation_files(folder)
    if not files:
        raise Failure(f"{folder} has no expectations: YAML files with `policy` and `expect`", USAGE)
    passed = failed = 0
    for file in files:
        with told(PolicyError, OSError, code=USAGE):
            expectations = read_expectations(file)
        for case in expectations.cases:
            verdict, differences = case.differences(expectations.policy)
            if not differences:
                passed += 1
                continue
            failed += 1
            print_line(f"{case.file}:{case.line}: {case.name}")
            for key, expected, got in differences:
                print_line(f"  - {key}: {expected}")
                print_line(f"  + {key}: {got}")
            if verdict.reason:
                print_line(f"    {verdict.reason}")
    print_line(f"{passed} as expected, {failed} not")
    if failed:
        raise typer.Exit(1)


@commands.command()
def explain(
    exchange_id: Annotated[UUID, typer.Argument(metavar="ID", help="The exchange's id.")],
    policy_file: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="These rules, not those of the connection."),
    ] = None,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Tell which rule decides on a recorded exchange, and why those before it do not match.

    Recorded bodies are masked copies: rules on secret values may differ.
    """
    from gateway.policy import UnreadableError  # noqa: PLC0415
    from gateway.policy.recorded import calls_from_recorded  # noqa: PLC0415

    settings = settings_of(config)
    judged, annotations = answer(config, lambda reader: _one(reader, str(exchange_id)))
    if judged is None:
        raise Failure(
            f"the trail has no request of an exchange {exchange_id}; `sluicegate frames` shows those it has"
        )
    policy = _policy(policy_file or _file_of(settings, judged.connection))
    _print_recorded(judged, policy)
    with told(UnreadableError):
        calls = calls_from_recorded(judged.request, _facts_of(settings, judged.connection), annotations)
    for call in calls:
        _print_steps(policy, call)
    if judged.request.secrets:
        print_line(_MASKED)


@commands.command()
def replay(
    policy_file: Annotated[Path, typer.Argument(metavar="NEW", help="The policy to try.")],
    since: Annotated[str, typer.Option(metavar="AGE", help="As 90m, 24h, 7d, or an ISO time (UTC).")] = "7d",
    connection: Annotated[str, typer.Option(help="Over this connection.")] = "",
    as_json: AsJson = False,
    config: ConfigFile = DEFAULT_FILE,
) -> None:
    """Judge the recorded requests by a policy that is not in force, and show what would change.

    Recorded bodies are masked copies: rules on secret values may differ. What a session did is counted from the first
    request read.
    """
    from sluicegate.cli.policy_replay import Replay  # noqa: PLC0415
    from sluicegate.cli.policy_trail import annotations_of, judged_requests  # noqa: PLC0415

    policy, settings, start = _policy(policy_file), settings_of(config), _start(since)
    names = [connection] if connection else [each.name for each in settings.connections]

    async def run(reader: "Reader") -> "Outcome":
        known = {name: await annotations_of(reader, name) for name in names}
        judging = Replay(policy, lambda name: _facts_of(settings, name), known)
        return await judging.over(judged_requests(reader, start, connection))

    outcome = answer(config, run)
    if as_json:
        print_json(outcome.rows())
    else:
        _print_outcome(outcome, policy)


async def _one(reader: "Reader", exchange_id: str) -> "tuple[Judged | None, Annotations]":
    from sluicegate.cli.policy_trail import annotations_of, request_of  # noqa: PLC0415

    judged = await request_of(reader, exchange_id)
    return judged, await annotations_of(reader, judged.connection) if judged else {}


def _policy(file: Path) -> "Policy":
    from typing import get_args  # noqa: PLC0415

    from gateway.policy import PolicyError, load_policy  # noqa: PLC0415
    from sluicegate.settings.masking import Profile  # noqa: PLC0415

    with told(PolicyError, code=USAGE):
        return load_policy(file, get_args(Profile))


def _file_of(settings: "Settings", connection: str) -> Path:
    for each in settings.connections:
        if each.name == connection and each.policy:
            return each.policy
    raise Failure(
        f"the configuration names no policy for the connection {connection}; give one with --policy", USAGE
    )


def _facts_of(settings: "Settings", connection: str) -> "ConnectionFacts":
    """What rules know of a connection, as it is configured now; one that is gone has its name alone."""
    from gateway.policy.facts import ConnectionFacts  # noqa: PLC0415

    for each in settings.connections:
        if each.name == connection:
            return ConnectionFacts(each.name, each.kind, each.owner, dict(each.labels))
    return ConnectionFacts(connection)


def _start(since: str) -> datetime:
    from sinks.readers import ReadError  # noqa: PLC0415
    from sinks.spans import moment  # noqa: PLC0415

    age = _AGE.fullmatch(since)
    if age:
        return datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
    try:
        return moment(since)
    except ReadError:
        raise Failure(f"--since {since}: write an age as 90m, 24h, 7d, or an ISO time", USAGE) from None


def _print_held(policy: "Policy") -> None:
    for names, terms in held_by(policy):
        print_line(f"held by {', '.join(names)}:")
        _print_terms(terms)


def _print_terms(terms: list[str]) -> None:
    for line in terms:
        print_line(f"    {inert(line)}")


def _print_recorded(judged: "Judged", policy: "Policy") -> None:
    from sluicegate.cli.policy_trail import moment_of  # noqa: PLC0415

    print_line(f"{moment_of(judged.micros)}  {judged.asked} by {judged.subject} over {judged.connection}")
    rule = f" by rule {judged.rule}" if judged.rule else ""
    print_line(f"then: {judged.verdict}{rule}{f' ({judged.reason_code})' if judged.reason_code else ''}")
    if judged.policy_version == policy.version:
        print_line(f"policy: version {policy.version}, as then")
    else:
        then = judged.policy_version or "none"
        print_line(
            f"policy: version {policy.version}; then it was another one ({then}), so the verdicts may differ"
        )
    if not judged.whole:
        print_line("a part of the request is not stored: what follows is about what is")


def _print_steps(policy: "Policy", call: "Call") -> None:
    verdict = policy.judge(call)
    print_line("")
    for step in policy.explain(call):
        print_line(f"{step.rule.name}: {_said(step)}")
        for part in step.parts:
            print_line(f"    {part.gave:<6}  {' '.join(part.text.split())}")
    reason = f": {verdict.reason}" if verdict.reason else ""
    print_line(f"verdict: {verdict.action} by {inert(verdict.rule)}{reason}")
    if verdict.action == "hold":
        _print_terms(terms_of(verdict.hold))


def _said(step: "Step") -> str:
    if step.failure:
        return f"could not be computed: {step.failure}"
    return "matches" if step.matched else "does not match"


def _print_outcome(outcome: "Outcome", policy: "Policy") -> None:
    changed = sum(outcome.changed.values())
    print_line(f"policy version {policy.version}: {outcome.requests} requests judged, {changed} would change")
    for action, count in sorted(outcome.same.items()):
        print_line(f"  {count} stay {action}")
    if outcome.partial:
        print_line(f"  {outcome.partial} not judged: a part of them is not stored")
    if changed:
        rows = [
            (
                row["requests"],
                f"{row['was']} by {row['was_rule'] or 'no rule'}",
                f"{row['would_be']} by {row['would_be_rule'] or 'no rule'}",
                "; ".join(
                    f"{each['exchange_id']} {each['asked']} ({each['principal']})" for each in row["examples"]
                ),
            )
            for row in outcome.rows()
        ]
        print_table(("requests", "was", "would be", "for example"), rows, empty="")
    print_line(_MASKED)
