"""``loopnet dataset``: data sets of bars, from recordings or rendered."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from loopnet_cli.cli import dataset_options as options
from loopnet_cli.cli import dataset_report as report
from loopnet_cli.cli import row_options
from loopnet_cli.cli.console import Console, tell_json
from loopnet_cli.errors import DatasetError

if TYPE_CHECKING:
    from loopnet_cli.data.making import Plan, Summary
    from loopnet_cli.engine import Engine

app = typer.Typer(help="Make data sets of bars to train and test on, and look into them.", no_args_is_help=True)


@app.command("build")
def build(
    folders: options.Folders,
    *,
    output: options.Output,
    tempos: options.Tempos = None,
    tempo_range: options.TempoRange = "120:140",
    fold: options.Fold = False,
    confidence: options.Confidence = 0.99,
    seed: options.SplitSeed = 0,
    no_studio: options.NoStudio = False,
    rejected: options.RejectedFile = None,
    workers: options.Workers = None,
    engine: row_options.Engine = row_options.EngineKind.local,
    scheduler: row_options.Scheduler = None,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a data set from folders of loops: those of sure tempo, stretched to 130 BPM, cut into bars.

    A run that was interrupted goes on where it stopped when it is started
    again. What is left out is listed with its reason; see docs/DATASET.md.
    """
    from loopnet_cli.data import build as building
    from loopnet_cli.data.curation import BuildSettings
    from loopnet_cli.data.tempo_table import read_tempo_table

    chosen = _engine(engine, workers, scheduler)
    console = Console(quiet)
    low, high = building.parse_range(tempo_range)
    settings = BuildSettings(low, high, fold, confidence, seed, not no_studio)
    table = None if tempos is None else read_tempo_table(tempos)
    plan = building.plan_build(folders, output, settings, table)
    if table is not None and table.unused:
        names = ", ".join(table.unused[:3]) + (", ..." if len(table.unused) > 3 else "")
        console.warn(f"{tempos}: {len(table.unused)} of {len(table.entries)} files are not there: {names}")
    _make(plan, console, chosen, overwrite, as_json, rejected, "files")


@app.command("render")
def render(
    *,
    output: options.Output,
    bars: options.Bars,
    seed: options.Seed = 0,
    patterns: options.Patterns = None,
    material: options.Material = None,
    activations: options.Activations = options.Labels.exact,
    no_studio: options.NoStudio = False,
    workers: options.Workers = None,
    engine: row_options.Engine = row_options.EngineKind.local,
    scheduler: row_options.Scheduler = None,
    overwrite: options.Overwrite = False,
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a data set of rendered bars, whose labels are exact.

    A tenth of the bars are test bars, by kits that play no other bar. A run
    that was interrupted goes on where it stopped when it is started again.
    """
    from loopnet_cli.data.rendered import RenderSettings, plan_render

    chosen = _engine(engine, workers, scheduler)
    names = [None if folder is None else str(folder) for folder in (material, patterns)]
    settings = RenderSettings(seed, names[0], names[1], activations.value, not no_studio)
    _make(plan_render(bars, output, settings), Console(quiet), chosen, overwrite, as_json, None, "blocks")


@app.command("inspect")
def inspect(dataset: options.Dataset, *, as_json: options.AsJson = False) -> None:
    """Say what is in a data set: bars, loops, tempos, features, and what was left out."""
    from loopnet_cli.data.inspect import inspect_store
    from loopnet_cli.data.probe import probe

    probe(dataset)
    found = inspect_store(dataset)
    if as_json:
        tell_json(found)
    else:
        report.show(report.inspect_lines(found), sys.stdout, columns=report.inspect_columns(found))


def _engine(kind: row_options.EngineKind, workers: int | None, scheduler: str | None) -> Engine | None:
    """Return who does the work; None for this process alone."""
    from loopnet_cli.engine import chosen_engine

    if workers == 0 and kind is row_options.EngineKind.local and scheduler is None:
        return None
    return chosen_engine(kind.value, workers, scheduler, "--workers")


def _make(
    plan: Plan,
    console: Console,
    engine: Engine | None,
    overwrite: bool,
    as_json: bool,
    rejected: Path | None,
    what: str,
) -> None:
    """Make a data set, show how far it is, and what came of it."""
    from loopnet_cli.data.making import EmptyDatasetError, make

    if rejected is not None and rejected.exists() and not overwrite:
        raise DatasetError(f"{rejected} exists: use --overwrite")
    try:
        with console.progress(len(plan.tasks), what) as advance:
            summary = make(plan, engine, overwrite=overwrite, advance=advance)
    except EmptyDatasetError as error:
        _tell(error.summary, console, as_json, rejected)
        raise
    _tell(summary, console, as_json, rejected)
    console.info(f"wrote {plan.target}")


def _tell(summary: Summary, console: Console, as_json: bool, rejected: Path | None) -> None:
    from loopnet_cli.audio.files import write_whole
    from loopnet_cli.data.build import rejected_csv

    if rejected is not None:
        write_whole(rejected, rejected_csv(summary.rejected))
    if not console.quiet:
        report.show(report.summary_lines(summary), sys.stderr)
    if as_json:
        tell_json(report.summary_plain(summary))
