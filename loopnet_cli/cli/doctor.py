"""``loopnet doctor``: what works here, what does not, and what helps."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from loopnet_cli.cli.console import one_line, tell_json
from loopnet_cli.diagnosis import BROKEN, MISSING, OK, Finding, diagnose

_MARKS = {OK: ("ok", "green"), MISSING: ("--", "yellow"), BROKEN: ("XX", "red")}
_WIDTH = 28


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    fast: Annotated[
        bool, typer.Option("--fast", help="Leave out what takes seconds: loading libraries, a timed bar, the device.")
    ] = False,
) -> None:
    """Look at the installation: versions, weights and their checksums, programs, devices, a timed bar.

    Marks: ok works, -- is missing but not needed by `generate`, XX is broken. The exit code is 1 if something is
    broken. Under what does not work stands the command that helps.
    """
    found: list[Finding] = []
    for finding in diagnose(fast=fast):
        found.append(finding)
        if not as_json:
            _print(finding)
    broken = [finding.name for finding in found if finding.status == BROKEN]
    if as_json:
        tell_json({"ok": not broken, "checks": [asdict(finding) for finding in found]})
    elif broken:
        print(f"\nbroken: {', '.join(broken)}")
    else:
        missing = [finding.name for finding in found if finding.status == MISSING]
        print("\nall that is needed works" + (f"; not there: {', '.join(missing)}" if missing else ""))
    if broken:
        raise typer.Exit(1)


def _print(finding: Finding) -> None:
    mark, colour = _MARKS[finding.status]
    if sys.stdout.isatty():
        mark = typer.style(mark, fg=colour)
    print(f"{mark}  {finding.name:<{_WIDTH}} {one_line(finding.found)}", flush=True)
    if finding.fix:
        print(f"{'':{_WIDTH + 4}} -> {one_line(finding.fix)}", flush=True)
