"""``loopnet generate``: rhythms in, loops out."""

from __future__ import annotations

import re
import secrets
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from loopnet_cli.audio.levels import parse_normalize
from loopnet_cli.audio.resample import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from loopnet_cli.audio.write import check_format
from loopnet_cli.cli import batch, produce
from loopnet_cli.cli.console import Console
from loopnet_cli.cli.inputs import expand_inputs
from loopnet_cli.cli.kits import complete_kit, chosen_kit
from loopnet_cli.cli.knobs import combine, knob_options
from loopnet_cli.cli.outputs import DEFAULT_NAME, FIELDS, STDOUT, check_clashes, choose_format
from loopnet_cli.errors import LoopnetError, PatternError, UsageError
from loopnet_cli.pattern.model import MAX_BARS, MAX_TEMPO, MIN_TEMPO
from loopnet_cli.synthesis.bank import DEFAULT_KIT

MAX_SEED = 2**32 - 1
MAX_VARIATIONS = 10_000


class Format(StrEnum):
    """File formats."""

    wav = "wav"
    flac = "flac"


class Subtype(StrEnum):
    """Sample formats."""

    int16 = "16"
    int24 = "24"
    float32 = "float"


_FILES, _RHYTHM, _SOUND, _AUDIO = "Files", "Rhythm", "Sound", "Audio"


@knob_options
def generate(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="MIDI files, text grids ('kick: x...x... snare: ....x...') or files of them (.grid, .txt); "
            "- reads standard input.",
            metavar="INPUTS",
        ),
    ],
    *,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FILE", help="The loop's file; - is stdout.", rich_help_panel=_FILES),
    ] = None,
    out_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Folder for loops named by --name; made if missing. Default: here.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            metavar="TEMPLATE",
            rich_help_panel=_FILES,
            help="Names of loops; fields: " + ", ".join(f"{{{field}}}" for field in FIELDS) + ".",
        ),
    ] = DEFAULT_NAME,
    stems: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Also write kick, snare, hat and rest apart; they sum to the loop.",
            rich_help_panel=_FILES,
        ),
    ] = None,
    plot: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.png",
            rich_help_panel=_FILES,
            help="Also draw waveform, spectrogram, pattern, and knobs asked and measured; takes the fields of --name.",
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist.", rich_help_panel=_FILES)
    ] = False,
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", help="Leave out loops whose file exists.", rich_help_panel=_FILES)
    ] = False,
    drum_map: Annotated[
        str,
        typer.Option(
            "--map",
            metavar="MAP",
            rich_help_panel=_RHYTHM,
            help="Which MIDI note is which drum: auto, gm, roland, alesis, xg, or a .toml or .json file.",
        ),
    ] = "auto",
    bpm: Annotated[
        float | None,
        typer.Option(
            min=MIN_TEMPO,
            max=MAX_TEMPO,
            rich_help_panel=_RHYTHM,
            help="Tempo in quarter notes a minute. Default: the file's, else 120.",
        ),
    ] = None,
    bars: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=MAX_BARS,
            rich_help_panel=_RHYTHM,
            help="Take that many bars, or repeat the rhythm until it fills them. Default: all.",
        ),
    ] = None,
    meter: Annotated[
        str | None,
        typer.Option(metavar="N/D", help="Meter, e.g. 7/8. Default: the file's, else 4/4.", rich_help_panel=_RHYTHM),
    ] = None,
    kit: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            autocompletion=complete_kit,
            rich_help_panel=_SOUND,
            help=f"How it sounds; loopnet kits lists them. Default: {DEFAULT_KIT}.",
        ),
    ] = None,
    chroma: Annotated[
        str | None,
        typer.Option(
            metavar="NOTES",
            rich_help_panel=_SOUND,
            help="Pitch of the tonal parts: notes (C,Eb,G), a chord (Am7) or 12 numbers from C on. Default: the kit's.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=MAX_SEED,
            rich_help_panel=_SOUND,
            help="What chance is drawn from: the same seed gives the same file. Default: random, and told.",
        ),
    ] = None,
    variations: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_VARIATIONS,
            rich_help_panel=_SOUND,
            help="Make that many loops of each rhythm, with the seeds seed, seed + 1, ...",
        ),
    ] = 1,
    timbre: Annotated[
        list[str] | None,
        typer.Option(
            metavar="K=X,...",
            rich_help_panel=_SOUND,
            help="Many knobs at once: low.depth=.7,warmth=+.2. A knob is 0 to 1, or relative to "
            "the kit with a sign. The more specific wins: --low-brightness over --timbre over --brightness.",
        ),
    ] = None,
    knobs: Mapping[str, str | None],
    repeat: Annotated[
        int, typer.Option(min=1, help="Play the loop that many times in a row.", rich_help_panel=_AUDIO)
    ] = 1,
    format: Annotated[
        Format | None, typer.Option(help="File format. Default: by the name, else wav.", rich_help_panel=_AUDIO)
    ] = None,
    subtype: Annotated[Subtype, typer.Option(help="Bits a sample.", rich_help_panel=_AUDIO)] = Subtype.int24,
    sample_rate: Annotated[
        int | None,
        typer.Option(min=MIN_SAMPLE_RATE, max=MAX_SAMPLE_RATE, help="In Hz. Default: 44100.", rich_help_panel=_AUDIO),
    ] = None,
    normalize: Annotated[
        str,
        typer.Option(
            metavar="MODE[:DB]",
            rich_help_panel=_AUDIO,
            help="Level: peak (true peak, -1 dB), lufs (loudness, -14 LUFS) or none; "
            "other levels as peak:-3 or lufs:-16. Stems get the loop's gain.",
        ),
    ] = "peak",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object a loop on stdout: what was made.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print errors alone.")] = False,
) -> None:
    """Make seamless drum loops from rhythms.

    Files that exist are never replaced unless --overwrite is given. Each WAV
    carries its tempo, loop points and all settings.
    """  # fmt: skip
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
    if seed + variations - 1 > MAX_SEED:
        raise UsageError(f"--seed {seed} with {variations} variations passes the last seed, {MAX_SEED}")

    sound = produce.Sound(chosen_kit(kit), combine(knobs, timbre or ()), _chroma(chroma))
    words = expand_inputs(inputs)
    if output is not None and len(words) * variations > 1:
        raise UsageError(f"-o names one file for {len(words) * variations} loops: use --out-dir and --name")
    tally = batch.Tally(console)
    rhythms = batch.read_rhythms(words, tally, drum_map=_drum_map(drum_map), tempo=bpm, bars=bars, meter=_meter(meter))
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
    check_clashes([job.output for job in jobs], [*read_files, Path(drum_map)])
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


def _meter(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,3})/(\d{1,3})", text.strip(), re.ASCII)
    if match is None:
        raise UsageError(f"--meter {text}: write it as e.g. 7/8")
    return int(match[1]), int(match[2])


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
