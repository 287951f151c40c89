"""The options that ``loopnet batch`` and ``loopnet grid`` share: names, limits and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from loopnet_cli.cli.options import MAX_SEED

MAX_WORKERS = 1024


class EngineKind(StrEnum):
    """Who does the work."""

    local = "local"
    dask = "dask"


def _run(metavar: str | None, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel="Run", **more)


Jobs = Annotated[
    int | None,
    _run("N", "Worker processes, of one thread each. Default: one a core.", "--jobs", "-j", min=1, max=MAX_WORKERS),
]
Resume = Annotated[
    bool, _run(None, "Go on: leave out rows that the record calls done and whose files are unchanged.", "--resume")
]
RetryFailed = Annotated[bool, _run(None, "Do only the rows that the record calls failed.", "--retry-failed")]
DryRun = Annotated[bool, _run(None, "Check all rows and say what would be made; write nothing.", "--dry-run", "-n")]
FailFast = Annotated[bool, _run(None, "Begin no other row after one that failed.", "--fail-fast")]
Engine = Annotated[
    EngineKind,
    _run("local|dask", "Worker processes of this machine, or the workers of a dask cluster (docs/SCALING.md)."),
]
Scheduler = Annotated[
    str | None, _run("ADDRESS", "The dask scheduler: tcp://HOST:PORT, or its scheduler file (.json).", "--scheduler")
]
RecordFile = Annotated[Path | None, _run("FILE", "Where to keep what became of each row (JSON Lines).", "--record")]
Seed = Annotated[
    int | None,
    _run(
        "N",
        "Rows without a seed get N, N + 1, ... by their number. Default: random, kept in the record.",
        min=0,
        max=MAX_SEED,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object at the end on stdout: what became of it.")]
