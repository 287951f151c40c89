"""Fuzzing for as long as asked: ``make fuzz``, or ``python tests/fuzz/long.py --seconds 60 [--only NAME ...]``.

Each target gets so many seconds, with inputs that were not tried before. An input that fails is made small, kept in
``build/fuzz`` and told; the exit code is 1 then. With ``--table FILE`` the counts of all targets are written into a
Markdown file, between two marks.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]

import targets  # noqa: E402
import workers  # noqa: E402
from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: E402

ROUND = 2000
BEGIN, END = "<!-- counts: begin -->", "<!-- counts: end -->"
KEPT = Path(__file__).parents[2] / "build" / "fuzz"


def fuzz(target: targets.Target, worker: workers.Worker, seconds: float, first: int) -> tuple[Counter[str], float, str]:
    """Try inputs for so long; return how many came to what, the longest time, and the failure that ended it."""
    counts: Counter[str] = Counter()
    longest = 0.0
    end = time.monotonic() + seconds
    failure = ""
    strategy = target.inputs()
    number = first
    while time.monotonic() < end and not failure:

        @seed(number)
        @settings(
            max_examples=ROUND, deadline=None, database=None, suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink], report_multiple_bugs=False,
        )  # fmt: skip
        @given(strategy)
        def attempt(content: bytes) -> None:
            nonlocal longest, smallest
            if time.monotonic() > end and not smallest:
                return
            verdict = worker.attempt(target.check, content)
            counts[verdict.kind] += 1
            longest = max(longest, verdict.seconds)
            if verdict.kind == "failed":
                smallest = (content, verdict.told)
                raise AssertionError(verdict.told)

        smallest: tuple[bytes, str] | tuple[()] = ()
        try:
            attempt()
        except (AssertionError, ExceptionGroup):  # the latter where it does not fail each time
            content, failure = smallest or (b"", "?")
            KEPT.mkdir(parents=True, exist_ok=True)
            (KEPT / target.name).write_bytes(content)
        number += 1
    return counts, longest, failure


def table(rows: list[tuple[targets.Target, Counter[str], float, str]]) -> str:
    """Return the counts as a table."""
    lines = [
        "| what is tried | inputs | taken | refused | failures left | longest (s) |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    total: Counter[str] = Counter()
    for target, counts, longest, failure in rows:
        total += counts
        tried = sum(counts.values())
        lines.append(
            f"| {target.title} (`{target.name}`) | {tried:,} | {counts['accepted']:,} | {counts['refused']:,} "
            f"| {int(bool(failure))} | {longest:.2f} |"
        )
    left = sum(bool(row[3]) for row in rows)
    longest = max(row[2] for row in rows)
    tried = sum(total.values())
    lines.append(f"| **all** | {tried:,} | {total['accepted']:,} | {total['refused']:,} | {left} | {longest:.2f} |")
    return "\n".join(lines)


def write_table(path: Path, text: str) -> None:
    """Put the table between the marks of a file."""
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for each target")
    parser.add_argument(
        "--only", nargs="*", default=[], choices=[target.name for target in targets.TARGETS], metavar="NAME"
    )
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31), help="to try the same again")
    parser.add_argument("--table", type=Path, help="a Markdown file to write the counts into; not with --only")
    asked = parser.parse_args()
    running = {name: workers.Worker(name) for name in ("checks", "command_checks")}
    rows = []
    print(f"seed {asked.seed}", flush=True)
    for target in targets.TARGETS:
        if asked.only and target.name not in asked.only:
            continue
        counts, longest, failure = fuzz(target, running[target.module], asked.seconds, asked.seed)
        rows.append((target, counts, longest, failure))
        print(f"{target.name}: {sum(counts.values())} inputs, {dict(counts)}, longest {longest:.2f} s", flush=True)
        if failure:
            print(f"FAILED, see {KEPT / target.name}\n{failure}", flush=True)
    for worker in running.values():
        worker.close()
    if asked.table and not asked.only:
        write_table(asked.table, table(rows))
    return int(any(row[3] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
