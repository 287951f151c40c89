"""``loopnet generate``: rhythms in, loops out."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

import typer

from loopnet_cli.audio.levels import parse_normalize
from loopnet_cli.audio.write import check_format
from loopnet_cli.cli import batch, options, produce
from loopnet_cli.cli.console import Console
from loopnet_cli.cli.inputs import expand_inputs, parse_meter
from loopnet_cli.cli.kits import chosen_kit
from loopnet_cli.cli.knobs import combine, knob_options
from loopnet_cli.cli.outputs import DEFAULT_NAME, STDOUT, check_clashes, choose_format
from loopnet_cli.errors import LoopnetError, PatternError, UsageError


@knob_options
def generate(
    inputs: options.Inputs,
    *,
    output: options.Output = None,
    out_dir: options.OutDir = None,
    name: options.Name = DEFAULT_NAME,
    stems: options.Stems = None,
    plot: options.Plot = None,
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    drum_map: options.DrumMap = "auto",
    bpm: options.Bpm = None,
    bars: options.Bars = None,
    meter: options.Meter = None,
    kit: options.Kit = None,
    chroma: options.Chroma = None,
    seed: options.Seed = None,
    variations: options.Variations = 1,
    timbre: options.Timbre = None,
    knobs: Mapping[str, str | None],
    repeat: options.Repeat = 1,
    format: options.FileFormat = None,
    subtype: options.Bits = options.Subtype.int24,
    sample_rate: options.SampleRate = None,
    normalize: options.Normalize = "peak",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Make seamless drum loops from rhythms.

    Files that exist are never replaced unless --overwrite is given. Each WAV
    carries its tempo, loop points and all settings.
    """
    console = Console(quiet)
    if overwrite and skip_existing:
        raise UsageError("--overwrite and --skip-existing contradict each other")
    if output is not None and out_dir is not None:
        raise UsageError("-o names one file, --out-dir a folder: use one of them")
    if output == STDOUT and as_json:
        raise UsageError("-o - and --json both want standard output: use one of them")
    if output == STDOUT and sys.stdout.isatty():
        raise UsageError("-o - would print a WAV on the terminal: redirect it, or name a file")
    if plot is not None and not plot.lower().endswith(".png"):
        raise UsageError(f"--plot {plot}: the picture is a PNG, call it .png")
    mode, target = parse_normalize(normalize)
    file_format = choose_format(format and format.value, name if output in (None, STDOUT) else output)
    check_format(file_format, subtype.value)
    finish = produce.Finish(sample_rate, mode, target, repeat, file_format, subtype.value)
    if seed is None:
        # short enough to be typed again
        seed = secrets.randbelow(1_000_000)
    if seed + variations - 1 > options.MAX_SEED:
        raise UsageError(f"--seed {seed} with {variations} variations passes the last seed, {options.MAX_SEED}")

    sound = produce.Sound(chosen_kit(kit), combine(knobs, timbre or ()), _chroma(chroma))
    words = expand_inputs(inputs)
    if output is not None and len(words) * variations > 1:
        raise UsageError(f"-o names one file for {len(words) * variations} loops: use --out-dir and --name")
    tally = batch.Tally(console)
    rhythms = batch.read_rhythms(
        words, tally, drum_map=_drum_map(drum_map), tempo=bpm, bars=bars, meter=parse_meter(meter)
    )
    naming = batch.Naming(
        path=None if output in (None, STDOUT) else Path(output or ""),
        to_stdout=output == STDOUT,
        folder=out_dir or Path(),
        template=name,
        ending=f".{file_format}",
        stems_folder=stems,
        plot=plot,
    )
    jobs = batch.plan(rhythms, naming, kit=sound.kit.name, seed=seed, variations=variations)
    read_files = [item.path for item in words if item.path is not None]
    if Path(drum_map).suffix:
        read_files.append(Path(drum_map))
    check_clashes([job.output for job in jobs], read_files)
    if not overwrite:
        jobs = batch.drop_existing(jobs, tally, skip=skip_existing)
    if jobs:
        from loopnet_cli.synthesis import load_studio

        batch.run(load_studio(), jobs, sound, finish, tally, as_json=as_json)
    _close(tally)


def _close(tally: batch.Tally) -> None:
    """Sum the run up where it had more than one loop, and leave with its exit code."""
    if tally.written + tally.skipped + tally.failed > 1 or tally.skipped:
        loops = "1 loop" if tally.written == 1 else f"{tally.written} loops"
        parts = [f"{loops} written"]
        parts += [f"{tally.skipped} skipped"] if tally.skipped else []
        parts += [f"{tally.failed} failed"] if tally.failed else []
        tally.console.info(", ".join(parts))
    if tally.bug is not None:
        raise tally.bug
    if tally.failed:
        raise typer.Exit(LoopnetError.exit_code)


def _chroma(text: str | None) -> tuple[float, ...] | None:
    if text is None:
        return None
    from loopnet_cli.chroma_names import parse_chroma

    return tuple(parse_chroma(text))


def _drum_map(text: str) -> str | Mapping[int, str]:
    from loopnet_cli.pattern.maps import drum_map, find_drum_map

    try:
        if text == "auto":
            return text
        if Path(text).suffix.lower() in (".toml", ".json"):
            return find_drum_map(text)
        drum_map(text)
    except PatternError as error:
        raise UsageError(f"--map: {error}") from error
    return text
