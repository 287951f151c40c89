"""``loopnet transfer``: the rhythm of one thing in the sound of another."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from loopnet_cli.cli import analyze_options as hearing
from loopnet_cli.cli import loops, options, pairs
from loopnet_cli.cli import transfer_options as own
from loopnet_cli.cli.checks import (
    check_targets,
    chosen_book,
    chosen_chroma,
    chosen_finish,
    chosen_map,
    chosen_naming,
    chosen_seed,
)
from loopnet_cli.cli.host import host_of
from loopnet_cli.cli.inputs import parse_meter
from loopnet_cli.cli.kits import chosen_kit
from loopnet_cli.cli.knobs import combine, knob_options
from loopnet_cli.cli.models_chosen import STUDIO, chosen_model, chosen_voices, model_label
from loopnet_cli.cli.sources import Kind, Source, check_stdin, rhythm_sources, timbre_sources
from loopnet_cli.cli.workshop import Wishes, Workshop
from loopnet_cli.errors import UsageError
from loopnet_cli.pattern.model import Pattern


@knob_options
def transfer(
    context: typer.Context,
    *,
    rhythm: own.Rhythms,
    timbre: own.Timbres,
    output: options.Output = None,
    out_dir: options.OutDir = None,
    name: own.Name = own.DEFAULT_NAME,
    stems: options.Stems = None,
    plot: own.Plot = None,
    report: options.Report = None,
    report_audio: options.ReportAudio = None,
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    bpm: own.Bpm = None,
    bars: own.Bars = None,
    meter: own.Meter = None,
    rhythm_bpm: own.RhythmBpm = None,
    rhythm_bars: own.RhythmBars = None,
    rhythm_start: own.RhythmStart = None,
    rhythm_end: own.RhythmEnd = None,
    drum_map: options.DrumMap = "auto",
    quantize: own.Quantize = None,
    strength: hearing.Strength = 1.0,
    swing: hearing.Swing = 0.5,
    only: own.Only = None,
    timbre_start: own.TimbreStart = None,
    timbre_end: own.TimbreEnd = None,
    amount: own.Amount = 1.0,
    model: own.Model = STUDIO,
    own_kit: own.OwnKit = None,
    chroma: own.Chroma = None,
    chroma_from: own.ChromaFrom = None,
    seed: options.Seed = None,
    knob_list: own.Knobs = None,
    knobs: Mapping[str, str | None],
    repeat: options.Repeat = 1,
    format: options.FileFormat = None,
    subtype: options.Bits = options.Subtype.int24,
    sample_rate: options.SampleRate = None,
    normalize: options.Normalize = "peak",
    as_json: options.AsJson = False,
    quiet: options.Quiet = False,
) -> None:
    """Play the rhythm of one thing in the sound of another.

    The rhythm comes from a recording, a MIDI file or a grid; the sound from a
    recording or a kit. The result is a seamless loop of the rhythm's bars at
    its tempo. Pitch comes with the sound: chroma is imposed only if asked for.
    """
    host = host_of(context)
    check_targets(output, out_dir, plot, as_json=as_json, overwrite=overwrite, skip_existing=skip_existing)
    book = chosen_book(report, report_audio, output, overwrite=overwrite, skip_existing=skip_existing)
    finish = chosen_finish(output, name, format, subtype, sample_rate=sample_rate, normalize=normalize, repeat=repeat)
    _check_part("rhythm", rhythm_start, rhythm_end)
    _check_part("timbre", timbre_start, timbre_end)
    if chroma is not None and chroma_from is not None:
        raise UsageError("--chroma and --chroma-from both say which pitches: use one of them")
    if own_kit is not None and amount == 1:
        raise UsageError("--own-kit says where --amount starts from: use --amount below 1 with it")
    chosen = chosen_model(model, stems)
    wishes = Wishes(
        drum_map=chosen_map(drum_map),
        meter=parse_meter(meter),
        tempo=bpm,
        bars=bars,
        quantize=_grid(quantize, strength, swing),
        rhythm={"bpm": rhythm_bpm, "bars": rhythm_bars, "start": rhythm_start, "end": rhythm_end},
        timbre={"start": timbre_start, "end": timbre_end},
    )
    rhythms, timbres = rhythm_sources(rhythm), timbre_sources(timbre)
    pitches_from = timbre_sources([chroma_from], "--chroma-from") if chroma_from is not None else []
    check_stdin([*rhythms, *timbres, *pitches_from])
    _check_told("rhythm", rhythms, wishes.rhythm)
    _check_told("timbre", timbres, wishes.timbre)
    if len(pitches_from) > 1:
        raise UsageError(f"--chroma-from {chroma_from} names {len(pitches_from)} files: name one")
    if output is not None and len(rhythms) * len(timbres) > 1:
        raise UsageError(f"-o names one file for {len(rhythms) * len(timbres)} loops: use --out-dir and --name")
    order = pairs.Order(
        amount=amount,
        own_kit=None if own_kit is None else chosen_kit(own_kit),
        knobs=combine(knobs, knob_list or (), "--set"),
        chroma=chosen_chroma(chroma),
        chroma_from=pitches_from[0] if pitches_from else None,
        only=chosen_voices(only, "--only"),
        seed=chosen_seed(seed),
    )
    tally = loops.Tally(host.console(quiet), host.tell)
    workshop = Workshop(wishes, tally.console, host, chosen)
    naming = chosen_naming(output, out_dir, name, stems, plot, finish)
    jobs = pairs.plan(rhythms, timbres, naming, order, workshop, tally, model=model_label(model))
    read = [source.input.path for source in (*rhythms, *timbres, *pitches_from) if source.input.path is not None]
    if Path(drum_map).suffix:
        read.append(Path(drum_map))
    outputs = [job.output for job in jobs] + ([] if book is None else [book.output])
    if not host.accept(outputs, read, "e.g. by {rhythm} and {timbre} in --name"):
        return
    if not overwrite:
        if book is not None and skip_existing:
            book.add_files([job.output for job in jobs], tally)
        jobs = loops.drop_existing(jobs, tally, skip=skip_existing)
    if jobs:
        pairs.run(jobs, order, workshop, finish, tally, as_json=as_json, book=book)
    if book is not None:
        book.write(
            [source.name for source in rhythms],
            " in the sound of " + (timbres[0].name if len(timbres) == 1 else f"{len(timbres)} sounds"),
            tally,
        )
    loops.close(tally)


def _check_part(what: str, start: float | None, end: float | None) -> None:
    if start is not None and end is not None and end <= start:
        raise UsageError(f"--{what}-end {end:g} must lie after --{what}-start {start:g}")


def _check_told(what: str, sources: list[Source], told: Mapping[str, object]) -> None:
    """Refuse what would be told to nobody: only recordings are listened to."""
    given = [key for key, value in told.items() if value is not None]
    if given and all(source.kind is not Kind.RECORDING for source in sources):
        raise UsageError(f"--{what}-{given[0]} is about recordings, and {sources[0].label} is none")


def _grid(steps: int | None, strength: float, swing: float) -> tuple[int, float, float] | None:
    if steps is None:
        if strength != 1.0 or swing != 0.5:
            raise UsageError("--strength and --swing say how to quantize: use --quantize 16 with them")
        return None
    from loopnet_cli.analysis.rhythm import quantized

    quantized(Pattern(()), steps, strength=strength, swing=swing)  # says what is wrong with them
    return steps, strength, swing
