"""``loopnet batch``: a table in, a loop a row out."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from loopnet_cli.cli import options
from loopnet_cli.cli import row_options as own
from loopnet_cli.cli.outputs import STDOUT
from loopnet_cli.errors import UsageError


class JobsFormat(StrEnum):
    """Formats of tables."""

    csv = "csv"
    jsonl = "jsonl"
    yaml = "yaml"


def batch(
    jobs_file: Annotated[
        str, typer.Argument(metavar="JOBS", help="A table: .csv, .jsonl or .yaml; - is stdin, with --format.")
    ],
    *,
    format: Annotated[
        JobsFormat | None,
        typer.Option(
            metavar="csv|jsonl|yaml", help="Format of the table. Default: by its name.", rich_help_panel="Files"
        ),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--directory",
            "-C",
            metavar="DIR",
            help="Where the paths in the table begin. Default: the current folder.",
            rich_help_panel="Files",
        ),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option("--out-dir", "-d", metavar="DIR", help="Folder for rows that name none.", rich_help_panel="Files"),
    ] = None,
    overwrite: options.Overwrite = False,
    report: options.Report = None,
    report_audio: options.ReportAudio = None,
    jobs: own.Jobs = None,
    seed: own.Seed = None,
    resume: own.Resume = False,
    retry_failed: own.RetryFailed = False,
    dry_run: own.DryRun = False,
    fail_fast: own.FailFast = False,
    record: own.RecordFile = None,
    engine: own.Engine = own.EngineKind.local,
    scheduler: own.Scheduler = None,
    as_json: own.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Make many loops: a row a loop, in worker processes.

    Columns are called like the options of generate and transfer, and take the
    same values; inputs are MIDI files and grids. A row with a rhythm is a
    transfer. All rows are checked before the first is rendered. What became of
    each is kept in JOBS.record.jsonl. See docs/BATCH.md.
    """
    from loopnet_cli.cli.rows import Wishes, do_rows
    from loopnet_cli.engine import chosen_engine
    from loopnet_cli.jobs.files import format_of, read_jobs
    from loopnet_cli.jobs.plan import Common

    chosen = format.value if format is not None else format_of(jobs_file)
    if chosen is None:
        raise UsageError(f"cannot tell the format of {jobs_file}: say --format csv, jsonl or yaml")
    folder = (directory or Path()).absolute()
    if not folder.is_dir():
        raise UsageError(f"--directory {directory}: there is no such folder")
    found = chosen_engine(engine.value, jobs, scheduler)
    rows = read_jobs(jobs_file, chosen, sys.stdin.buffer)
    is_file = jobs_file != STDOUT
    do_rows(
        rows,
        Wishes(
            Common(folder, out_dir, seed, overwrite, measure=report is not None),
            found,
            record if record is not None or not is_file else Path(f"{jobs_file}.record.jsonl"),
            resume, retry_failed, dry_run, fail_fast,
            report, report_audio or options.ReportAudioMode.embed, as_json, quiet,
        ),
        title=Path(jobs_file).name if is_file else "batch",
        reserved=[Path(jobs_file)] if is_file else [],
    )  # fmt: skip
