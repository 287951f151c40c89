"""``loopnet grid``: rhythms and ranges of options in, a loop for every combination out."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from loopnet_cli.cli import generate, options
from loopnet_cli.cli import row_options as own
from loopnet_cli.cli.inputs import expand_inputs
from loopnet_cli.cli.outputs import STDOUT
from loopnet_cli.errors import AudioError, UsageError
from loopnet_cli.version import __version__

if TYPE_CHECKING:
    from loopnet_cli.jobs.files import Row, Value
    from loopnet_cli.jobs.plan import Plan
    from loopnet_cli.jobs.run import Summary
    from loopnet_cli.jobs.sweep import Sweep

NOT_PASSED_ON = ("output", "out_dir", "skip_existing")
"""Options of ``generate`` that a grid has not, beside those that it has itself."""
INDEX = "index.json"
RECORD = "index.record.jsonl"
MAX_LOOPS = 1_000


def with_options_of_generate(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of ``generate`` that it has not itself; it receives them as a dict, ``passed_on``."""
    hints = get_type_hints(command, include_extras=True)
    mine = inspect.signature(command).parameters
    others = [
        parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
        for parameter in inspect.signature(generate.generate).parameters.values()
        if parameter.name not in mine
        and parameter.name not in NOT_PASSED_ON
        and parameter.annotation is not typer.Context
    ]
    parameters: list[inspect.Parameter] = []
    for parameter in mine.values():
        parameters += others if parameter.name == "passed_on" else [parameter.replace(annotation=hints[parameter.name])]
    defaults = {parameter.name: parameter.default for parameter in others}

    @wraps(command)
    def called(**values: Any) -> None:
        passed = {name: values.pop(name) for name in defaults}
        command(passed_on={k: v for k, v in passed.items() if v is not None and v != defaults[k]}, **values)

    # Typer reads the one or the other, by version
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return called


@with_options_of_generate
def grid(
    inputs: options.Inputs,
    *,
    sweep: Annotated[
        list[str],
        typer.Option(
            "--sweep",
            "-s",
            metavar="OPTION=VALUES",
            help="An option of generate and its values: brightness=0:1:5 (from 0 to 1, 5 values), kit=a,b,c, or with "
            "semicolons where values have commas: 'chroma=C,Eb;Am'. May be given many times.",
            rich_help_panel="Sweep",
        ),
    ],
    folder: Annotated[
        Path,
        typer.Option(
            "--out-dir",
            "-o",
            "-d",
            metavar="DIR",
            help="Folder for the loops, made if missing.",
            rich_help_panel="Files",
        ),
    ],
    name: Annotated[
        str | None,
        typer.Option(
            metavar="TEMPLATE",
            help="Names of loops; fields: those of generate, and what is swept. Default: {stem} and all that is swept.",
            rich_help_panel="Files",
        ),
    ] = None,
    most: Annotated[
        int,
        typer.Option(
            "--max", metavar="N", help="Refuse to make more loops than this.", min=1, max=10**6, rich_help_panel="Sweep"
        ),
    ] = MAX_LOOPS,
    overwrite: options.Overwrite = False,
    report: options.Report = None,
    report_audio: options.ReportAudio = None,
    jobs: own.Jobs = None,
    resume: own.Resume = False,
    retry_failed: own.RetryFailed = False,
    dry_run: own.DryRun = False,
    fail_fast: own.FailFast = False,
    record: own.RecordFile = None,
    engine: own.Engine = own.EngineKind.local,
    scheduler: own.Scheduler = None,
    passed_on: Mapping[str, Any],
    as_json: own.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Make a loop for every combination of values.

    All other options are those of generate and hold for every loop; without
    --seed, all loops get the same random one. DIR/index.json says which loop
    has which values. See docs/BATCH.md.
    """
    from loopnet_cli.cli.rows import Wishes, do_rows
    from loopnet_cli.engine import chosen_engine
    from loopnet_cli.jobs.plan import Common, check_row
    from loopnet_cli.jobs.sweep import number_or_text, parse_sweeps

    found = chosen_engine(engine.value, jobs, scheduler)
    if STDOUT in inputs:
        raise UsageError("grid reads its rhythms many times, standard input (-) can be read once: name a file")
    rhythms = expand_inputs(inputs)
    sweeps = parse_sweeps(sweep, len(rhythms), most)
    kept = record if record is not None else folder / RECORD
    cells = _cells(passed_on)
    if "seed" not in cells and all(other.option != "seed" for other in sweeps):
        cells["seed"] = str(_one_seed(kept if resume or retry_failed else None))
    common = Common(Path().absolute(), overwrite=overwrite, measure=report is not None)
    cells |= {"out_dir": str(folder)}
    template = _template(name, sweeps, passed_on)
    for row in _probes(rhythms[0].source, cells, sweeps):
        check_row(row, common)
    rows, places = _rows(rhythms, cells, sweeps, template)
    index = folder / INDEX
    if index.exists() and not (overwrite or resume or retry_failed or dry_run):
        raise AudioError(f"{index} exists: use --overwrite, --resume, or another folder")

    def axes(row: Row) -> Mapping[str, str | float]:
        return {key: number_or_text(value) for key, value in places[row.number].items()}

    do_rows(
        rows,
        Wishes(
            common, found, kept, resume, retry_failed, dry_run, fail_fast,
            report, report_audio or options.ReportAudioMode.embed, as_json, quiet,
        ),
        title=f"{rhythms[0].stem}: {', '.join(other.option for other in sweeps)}",
        reserved=[index],
        axes=axes,
        finish=lambda plan, summary: _write_index(index, sweeps, places, plan, summary),
    )  # fmt: skip


def _cells(passed_on: Mapping[str, Any]) -> dict[str, Value]:
    """Return options as the cells of a row: as they would be typed."""
    cells: dict[str, Value] = {}
    for key, value in passed_on.items():
        if value is False or value == []:
            continue
        cells[key] = [_typed(item) for item in value] if isinstance(value, list | tuple) else _typed(value)
    return cells


def _typed(value: Any) -> str:
    if value is True:
        return "true"
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(value.value if isinstance(value, Enum) else value)


def _one_seed(record: Path | None) -> int:
    """Return the seed of all loops: that of the run which is gone on with, else a random one."""
    from loopnet_cli.cli.checks import chosen_seed
    from loopnet_cli.jobs.record import read_record

    known = {} if record is None else read_record(record)
    return chosen_seed(next((entry.seed for entry in known.values()), None))


def _template(
    name: str | None, sweeps: list[Sweep], passed_on: Mapping[str, Any]
) -> Callable[[Mapping[str, str]], str]:
    """Return what makes the names of a combination's loops."""
    from loopnet_cli.jobs.sweep import default_name, filled

    wanted = default_name(sweeps, passed_on.get("variations", 1)) if name is None else name
    return lambda values: filled(wanted, values)


def _probes(source: str, cells: Mapping[str, Value], sweeps: list[Sweep]) -> list[Row]:
    """Return one row for each value, so that a wrong one is told once, and not with every combination."""
    from loopnet_cli.jobs.files import Row

    first = {sweep.option: sweep.values[0] for sweep in sweeps}
    rows = [
        Row(1, 0, _merged(source, cells, {**first, sweep.option: value}), f"--sweep {sweep.option}={value}")
        for sweep in sweeps
        for value in sweep.values
    ]
    return rows


def _merged(source: str, cells: Mapping[str, Value], values: Mapping[str, str]) -> dict[str, Value]:
    swept = {option.replace("-", "_") for option in values}
    given = {key: value for key, value in cells.items() if key not in swept}
    return {"inputs": source, **given, **values}


def _rows(
    rhythms: list[Any],
    cells: Mapping[str, Value],
    sweeps: list[Sweep],
    template: Callable[[Mapping[str, str]], str],
) -> tuple[list[Row], dict[int, dict[str, str]]]:
    """Return all rows, and what tells each apart."""
    from loopnet_cli.jobs.files import Row
    from loopnet_cli.jobs.sweep import combinations, filled

    rows: list[Row] = []
    places: dict[int, dict[str, str]] = {}
    for rhythm in rhythms:
        for values in combinations(sweeps):
            number = len(rows) + 1
            own_cells = _merged(rhythm.source, cells, values)
            own_cells["name"] = template(values)
            if isinstance(own_cells.get("plot"), str):
                own_cells["plot"] = filled(str(own_cells["plot"]), values, "--plot")
            shown = " ".join(f"{key}={value}" for key, value in values.items())
            places[number] = {"input": rhythm.stem, **values} if len(rhythms) > 1 else values
            rows.append(Row(number, 0, own_cells, f"{rhythm.label} {shown}" if len(rhythms) > 1 else shown))
    return rows, places


def _write_index(
    path: Path, sweeps: list[Sweep], places: Mapping[int, Mapping[str, str]], plan: Plan, summary: Summary
) -> None:
    """Write which loop has which values: a JSON file with paths relative to its own folder."""
    from loopnet_cli.audio.files import make_folder, write_whole

    ended = {outcome.planned.key: outcome for outcome in summary.outcomes}
    loops = []
    for planned in plan.rows:
        outcome, before = ended.get(planned.key), planned.before
        error, status, files = None, "not begun", {}
        made: list[Any] = []
        if outcome is not None:
            error, status = outcome.error, "done" if outcome.error is None else "failed"
            files, made = dict(outcome.files), list(outcome.loops if outcome.error is None else ())
        elif before is not None:
            status, error = before.status, before.line.get("error")
            files, made = dict(before.files), before.line.get("loops") or []
        loops.append(
            {
                "values": dict(places[planned.row.number]),
                "seed": planned.seed,
                "status": status,
                "error": error,
                "files": [
                    {"path": _beside(loop, path), "sha256": files[loop]}
                    for loop in made
                    if isinstance(loop, str) and loop in files
                ],
            }
        )
    content = {
        "format": "loopnet-grid",
        "version": 1,
        "loopnet": __version__,
        "sweeps": {sweep.option: list(sweep.values) for sweep in sweeps},
        "loops": loops,
    }
    make_folder(path.parent)
    write_whole(path, (json.dumps(content, indent=1) + "\n").encode())


def _beside(loop: str, index: Path) -> str:
    found = Path(loop)
    return found.relative_to(index.parent).as_posix() if found.is_relative_to(index.parent) else found.as_posix()
