"""The options of ``loopnet generate`` but for the knobs: names, limits and help, one line or two each."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from loopnet_cli.audio.resample import MAX_SAMPLE_RATE, MIN_SAMPLE_RATE
from loopnet_cli.cli.kits import complete_kit
from loopnet_cli.cli.models_chosen import NAMES, STUDIO, complete_model
from loopnet_cli.cli.outputs import FIELDS
from loopnet_cli.pattern.model import MAX_BARS, MAX_TEMPO, MIN_TEMPO, STEMS
from loopnet_cli.synthesis.bank import DEFAULT_KIT

MAX_SEED = 2**32 - 1
MAX_VARIATIONS = 10_000
MAX_REFINE = 16


class Format(StrEnum):
    """File formats."""

    wav = "wav"
    flac = "flac"


class Subtype(StrEnum):
    """Sample formats."""

    int16 = "16"
    int24 = "24"
    float32 = "float"


class ReportAudioMode(StrEnum):
    """Where the audio of a page is."""

    embed = "embed"
    link = "link"


def _option(panel: str | None, metavar: str | None, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


def _files(metavar: str | None, text: str, *names: str) -> Any:
    return _option("Files", metavar, text, *names)


def _rhythm(metavar: str, text: str, *names: str, **more: Any) -> Any:
    return _option("Rhythm", metavar, text, *names, **more)


def _sound(metavar: str, text: str, *names: str, **more: Any) -> Any:
    return _option("Sound", metavar, text, *names, **more)


def _audio(metavar: str, text: str, *names: str, **more: Any) -> Any:
    return _option("Audio", metavar, text, *names, **more)


_GRID = "'kick: x...x... snare: ....x...'"
_FIELDS = ", ".join(f"{{{field}}}" for field in FIELDS)

Inputs = Annotated[
    list[str],
    typer.Argument(
        metavar="INPUTS", help=f"MIDI files, text grids ({_GRID}) or files of them (.grid, .txt); - reads stdin."
    ),
]
Output = Annotated[str | None, _files("FILE", "The loop's file; - is stdout.", "--output", "-o")]
OutDir = Annotated[Path | None, _files("DIR", "Folder for loops named by --name; made if missing. Default: here.")]
Name = Annotated[str, _files("TEMPLATE", f"Names of loops; fields: {_FIELDS}.")]
Stems = Annotated[Path | None, _files("DIR", "Also write kick, snare, hat and rest apart; they sum to the loop.")]
Plot = Annotated[
    str | None,
    _files("FILE.png", "Also draw waveform, spectrogram, pattern, knobs asked and measured; takes --name's fields."),
]
Report = Annotated[
    Path | None,
    _files("PAGE.html", "Also write a page to look at and listen to all loops: one file, no network (docs/REPORT.md)."),
]
ReportAudio = Annotated[
    ReportAudioMode | None,
    _files("embed|link", "Whether the page holds the audio or points to the loops' files. Default: embed."),
]
Overwrite = Annotated[bool, _files(None, "Replace files that exist.", "--overwrite")]
SkipExisting = Annotated[bool, _files(None, "Leave out loops whose file exists.", "--skip-existing")]

DrumMap = Annotated[
    str, _rhythm("MAP", "Which note is which drum: auto, gm, roland, alesis, xg, or a .toml or .json file.", "--map")
]
Bpm = Annotated[
    float | None,
    _rhythm("BPM", "Tempo in quarter notes a minute. Default: the file's, else 120.", min=MIN_TEMPO, max=MAX_TEMPO),
]
Bars = Annotated[
    int | None,
    _rhythm("N", "Take N bars, or repeat the rhythm until it fills them. Default: all.", min=1, max=MAX_BARS),
]
Meter = Annotated[str | None, _rhythm("N/D", "Meter, e.g. 7/8. Default: the file's, else 4/4.")]

Isolate = Annotated[
    str | None,
    _rhythm(
        "VOICES",
        f"Let only these sound, as they do among the others: voices or stems ({', '.join(STEMS)}), with commas. "
        "A paper model does it by silencing the other activations.",
    ),
]

Model = Annotated[
    str,
    _sound(
        "NAME",
        f"What makes the sound: {', '.join(NAMES)}, or a file of trained weights or a training run's folder; "
        "'loopnet models' tells what they are. All but studio are the paper's: of a kit they use the features and the "
        "chroma, not the codes; knobs are in their own units; no stems; 8 kHz of sound; other tempos than 130 BPM need "
        f"Rubber Band. Default: {STUDIO}.",
        autocompletion=complete_model,
    ),
]
Kit = Annotated[
    str | None,
    _sound(
        "NAME",
        f"How it sounds; 'loopnet kits' lists them, a:0.3,b:0.7 mixes them. Default: {DEFAULT_KIT}.",
        autocompletion=complete_kit,
    ),
]
Chroma = Annotated[
    str | None,
    _sound("NOTES", "Pitches: notes (C,Eb,G), a chord (Am7) or 12 numbers from C on. Default: the kit's."),
]
Seed = Annotated[
    int | None,
    _sound(
        "N", "What chance is drawn from; the same gives the same file. Default: random, and told.", min=0, max=MAX_SEED
    ),
]
Variations = Annotated[
    int, _sound("N", "Make N loops of each rhythm, with seeds seed, seed + 1, ...", min=1, max=MAX_VARIATIONS)
]
Timbre = Annotated[
    list[str] | None,
    _sound(
        "K=X,...",
        "Many knobs at once: low.depth=.7,warmth=+.2. A knob is 0 to 1, or relative to the kit with a sign. "
        "The more specific wins: --low-warmth over --timbre low.warmth= over --timbre warmth= over --warmth.",
        "--timbre",
        "--set",
    ),
]
Refine = Annotated[
    int,
    _sound(
        "ROUNDS",
        "Measure what the knobs did and correct it, so many times (3 is plenty): half a second a bar and round; loops "
        "of up to ten minutes.",
        min=0,
        max=MAX_REFINE,
    ),
]

Repeat = Annotated[int, _audio("N", "Play the loop N times in a row.", min=1)]
FileFormat = Annotated[Format | None, _audio("wav|flac", "File format. Default: by the name, else wav.", "--format")]
Bits = Annotated[Subtype, _audio("16|24|float", "Bits a sample.", "--subtype")]
SampleRate = Annotated[
    int | None, _audio("HZ", "Sample rate. Default: 44100.", min=MIN_SAMPLE_RATE, max=MAX_SAMPLE_RATE)
]
Normalize = Annotated[
    str,
    _audio(
        "MODE[:DB]",
        "Level: peak (true peak, -1 dB), lufs (loudness, -14 LUFS) or none; other levels as peak:-3 or lufs:-16. "
        "Stems get the loop's gain.",
    ),
]

AsJson = Annotated[bool, _option(None, None, "Print one JSON object a loop on stdout: what was made.", "--json")]
Quiet = Annotated[bool, _option(None, None, "Print errors alone.", "--quiet", "-q")]
