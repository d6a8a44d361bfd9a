"""Speed of masking on one core, beside a plain loop of `re` over all patterns. Times are processor time.

python -m benchmarks.masking [--gitleaks gitleaks.toml]
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.masking.documents import clean, results, secret
from masking import Masker
from masking.rules import built_in

_KEY = b"benchmark, 32 bytes of nothing.."


def rate(work: Callable[[bytes], object], bodies: Sequence[bytes], seconds: float) -> float:
    """Megabytes a second of processor time, over whole rounds of at least `seconds` together."""
    for body in bodies[:20]:
        work(body)
    size, begin = 0, time.process_time()
    while time.process_time() - begin < seconds:
        for body in bodies:
            work(body)
            size += len(body)
            if time.process_time() - begin > 4 * seconds:
                break
    return size / 1e6 / (time.process_time() - begin)


def median_us(work: Callable[[bytes], object], bodies: Sequence[bytes], rounds: int = 5) -> float:
    """Microseconds for one body, at the median."""
    times = []
    for body in list(bodies) * rounds:
        begin = time.perf_counter()
        work(body)
        times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1e6


def plain_re(patterns: Sequence[str]) -> Callable[[bytes], object]:
    """The usual way: each pattern over the whole text."""
    compiled = [re.compile(pattern) for pattern in patterns]

    def scan(body: bytes) -> list[object]:
        text = body.decode()
        return [match for pattern in compiled for match in pattern.finditer(text)]

    return scan


def gitleaks(path: Path) -> list[str]:
    """The patterns of a gitleaks configuration that Python's `re` understands."""
    patterns = []
    for rule in tomllib.loads(path.read_text())["rules"]:
        pattern = str(rule.get("regex", "")).replace("[[:alnum:]]", "[0-9A-Za-z]").replace(r"\z", r"\Z")
        flags = "".join(sorted(set("".join(re.findall(r"\(\?([ims]+)\)", pattern)))))
        pattern = (f"(?{flags})" if flags else "") + re.sub(r"\(\?[ims]+\)", "", pattern)
        try:
            re.compile(pattern)
        except re.error:
            continue
        patterns.append(pattern)
    return patterns


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.masking", description=__doc__)
    parser.add_argument("--gitleaks", type=Path, help="a gitleaks.toml to run beside, in plain re")
    parser.add_argument("--seconds", type=float, default=1.0, help="for each line")
    arguments = parser.parse_args()
    masker = Masker(_KEY)
    mixed, without = results(300, every=10), results(300, every=0)
    size = statistics.mean(map(len, mixed))
    print(f"Kubernetes-like MCP results of {size:.0f} bytes on average; one core, processor time")
    print(f"{'one result in ten with a secret':46s}{rate(masker.mask, mixed, arguments.seconds):10.1f} MB/s")
    print(f"{'clean results':46s}{rate(masker.mask, without, arguments.seconds):10.1f} MB/s")
    print(
        f"{'all with a secret':46s}{rate(masker.mask, results(200, every=1), arguments.seconds):10.1f} MB/s"
    )
    own = sorted({rule.source for rule in built_in() if rule.id != "service-key"})
    print(
        f"{f'our {len(own)} patterns in plain re':46s}{rate(plain_re(own), mixed, arguments.seconds):10.3f} MB/s"
    )
    if arguments.gitleaks:
        theirs = gitleaks(arguments.gitleaks)
        label = f"gitleaks, {len(theirs)} patterns in plain re"
        print(f"{label:46s}{rate(plain_re(theirs), mixed, arguments.seconds):10.3f} MB/s")
    print(f"{'2 KB, median: clean':46s}{median_us(masker.mask, [clean(n) for n in range(90)]):10.1f} µs")
    print(
        f"{'2 KB, median: with a secret':46s}{median_us(masker.mask, [secret(n) for n in range(90)]):10.1f} µs"
    )
    curve(masker)


def curve(masker: Masker) -> None:
    """Time against size, up to ten megabytes: the last column would grow if it were not linear."""
    print(f"\n{'bytes':>12s}{'seconds':>10s}{'µs a KB':>10s}")
    text = b"\n".join(results(100, every=10))
    for size in (10_000, 100_000, 1_000_000, 10_000_000):
        body = (text * (size // len(text) + 1))[:size]
        begin = time.process_time()
        masker.mask(body)
        seconds = time.process_time() - begin
        print(f"{size:12,d}{seconds:10.4f}{seconds / size * 1e9:10.1f}")


if __name__ == "__main__":
    main()
