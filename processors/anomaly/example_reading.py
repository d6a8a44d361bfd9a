"""Examples of a rule: calls it must find and calls it must not, written short and expanded here.

    examples:
      fires:
        twenty in twenty minutes:
          - {times: 20, every: 1m, principal: "|ann", object: "default/Secret/s{n}", sensitive: true}

`at` is when the first comes, `every` how far apart they are; `{n}` in text counts from 0. Times begin on a Monday
morning, 5 January 2026, 09:00 UTC.
"""

from dataclasses import fields as fields_of
from datetime import UTC, datetime

from processors.anomaly.observation import Observation
from processors.anomaly.rules import Example
from processors.anomaly.source import Spot
from processors.anomaly.units import duration_of

START_US = int(datetime(2026, 1, 5, 9, tzinfo=UTC).timestamp()) * 1_000_000
CALLS_MAX = 5_000
_TUPLES = ("groups", "pseudonyms")
_FIELDS = tuple(each.name for each in fields_of(Observation) if each.name != "at")


def read_examples(spot: Spot) -> tuple[Example, ...]:
    """The examples under `fires` and `silent`, by name."""
    found = []
    for kind, spots in spot.fields(("fires", "silent")).items():
        for name, calls in spots.fields().items():
            rows = [row for each in calls.items() for row in _calls(each)]
            if len(rows) > CALLS_MAX:
                calls.fault(f"has more than {CALLS_MAX} calls")
            found.append(Example(name, kind == "fires", tuple(rows[:CALLS_MAX])))
    return tuple(found)


def observations(example: Example) -> list[Observation]:
    """The calls of an example, in the order of time."""
    rows = sorted(enumerate(example.calls), key=lambda pair: (pair[1]["at"], pair[0]))
    return [Observation(**{"frame_id": f"frame-{place}", **row}) for place, row in rows]  # type: ignore[arg-type]


def _calls(spot: Spot) -> list[dict[str, object]]:
    fields = spot.fields(("times", "every", "at", *_FIELDS))
    times = int(fields.pop("times").number(1, "a whole number of at least 1")) if "times" in fields else 1
    every = duration_of(fields.pop("every")) if "every" in fields else 0
    first = START_US + (duration_of(fields.pop("at")) if "at" in fields else 0)
    base = {name: _value(name, each) for name, each in fields.items()}
    if "principal" not in base:
        spot.fault('a call needs a `principal`, such as "|ann"')
    return [
        {**{name: _counted(value, n) for name, value in base.items()}, "at": first + n * every}
        for n in range(min(times, CALLS_MAX + 1))
    ]


def _value(name: str, spot: Spot) -> object:
    if name in _TUPLES:
        return tuple(each.text("text") for each in spot.items())
    value = spot.value()
    if value is None:
        spot.fault("must be a plain value")
    return value


def _counted(value: object, n: int) -> object:
    if isinstance(value, tuple):
        return tuple(_counted(each, n) for each in value)
    return value.replace("{n}", str(n)) if isinstance(value, str) else value
