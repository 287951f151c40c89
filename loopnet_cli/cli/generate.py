"""``loopnet generate``: rhythms in, loops out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import typer

from loopnet_cli.cli import loops, options, produce
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
from loopnet_cli.cli.inputs import expand_inputs, parse_meter
from loopnet_cli.cli.kits import chosen_kit
from loopnet_cli.cli.knobs import combine, knob_options
from loopnet_cli.cli.models_chosen import (
    STUDIO,
    check_stretching,
    chosen_model,
    chosen_voices,
    loaded_model,
    model_label,
)
from loopnet_cli.cli.outputs import DEFAULT_NAME
from loopnet_cli.errors import UsageError
from loopnet_cli.synthesis.kit_mix import kit_label, turned


@knob_options
def generate(
    context: typer.Context,
    inputs: options.Inputs,
    *,
    output: options.Output = None,
    out_dir: options.OutDir = None,
    name: options.Name = DEFAULT_NAME,
    stems: options.Stems = None,
    plot: options.Plot = None,
    report: options.Report = None,
    report_audio: options.ReportAudio = None,
    overwrite: options.Overwrite = False,
    skip_existing: options.SkipExisting = False,
    drum_map: options.DrumMap = "auto",
    bpm: options.Bpm = None,
    bars: options.Bars = None,
    meter: options.Meter = None,
    isolate: options.Isolate = None,
    model: options.Model = STUDIO,
    kit: options.Kit = None,
    chroma: options.Chroma = None,
    seed: options.Seed = None,
    variations: options.Variations = 1,
    timbre: options.Timbre = None,
    knobs: Mapping[str, str | None],
    refine: options.Refine = 0,
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
    host = host_of(context)
    check_targets(output, out_dir, plot, as_json=as_json, overwrite=overwrite, skip_existing=skip_existing)
    book = chosen_book(report, report_audio, output, overwrite=overwrite, skip_existing=skip_existing)
    finish = chosen_finish(output, name, format, subtype, sample_rate=sample_rate, normalize=normalize, repeat=repeat)
    seed = chosen_seed(seed)
    if seed + variations - 1 > options.MAX_SEED:
        raise UsageError(f"--seed {seed} with {variations} variations passes the last seed, {options.MAX_SEED}")

    chosen, alone = chosen_model(model, stems), chosen_voices(isolate, "--isolate")
    sound = produce.Sound(chosen_kit(kit), combine(knobs, timbre or ()), chosen_chroma(chroma), refine)
    if refine and chosen is not None:
        raise UsageError(f"--refine is of the studio model: {model} takes the knobs as they are")
    words = expand_inputs(inputs)
    if output is not None and len(words) * variations > 1:
        raise UsageError(f"-o names one file for {len(words) * variations} loops: use --out-dir and --name")
    tally = loops.Tally(host.console(quiet), host.tell)
    if refine and not turned(sound.kit, sound.knobs):
        tally.console.warn("--refine has nothing to do: no knob is set")
    rhythms = loops.read_rhythms(
        words, tally, drum_map=chosen_map(drum_map), tempo=bpm, bars=bars, meter=parse_meter(meter)
    )
    naming = chosen_naming(output, out_dir, name, stems, plot, finish)
    jobs = loops.plan(
        rhythms, naming, kit=kit_label(sound.kit.name), model=model_label(model), seed=seed, variations=variations
    )
    read_files = [item.path for item in words if item.path is not None]
    if Path(drum_map).suffix:
        read_files.append(Path(drum_map))
    outputs = [job.output for job in jobs] + ([] if book is None else [book.output])
    if not host.accept(outputs, read_files):
        return
    if not overwrite:
        if book is not None and skip_existing:
            book.add_files([job.output for job in jobs], tally)
        jobs = loops.drop_existing(jobs, tally, skip=skip_existing)
    if jobs:
        check_stretching(chosen, [job.rhythm.pattern for job in jobs])
        loops.run(loaded_model(host, chosen), jobs, sound, finish, tally, alone=alone, as_json=as_json, book=book)
    if book is not None:
        book.write([rhythm.input.stem for rhythm in rhythms], f", kit {sound.kit.name}", tally)
    loops.close(tally)
