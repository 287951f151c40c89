"""The options of ``loopnet transfer`` that ``generate`` has not, or not like this: names, limits and help."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from loopnet_cli.cli.kits import complete_kit
from loopnet_cli.cli.models_chosen import NAMES, STUDIO, complete_model
from loopnet_cli.pattern.model import MAX_BARS, MAX_TEMPO, MIN_TEMPO, STEMS
from loopnet_cli.synthesis.bank import DEFAULT_KIT

FIELDS: dict[str, str] = {
    "rhythm": "the rhythm's name without its ending",
    "timbre": "the sound's name without its ending, or the kit's",
    "stem": "the same as {rhythm}",
    "kit": "the same as {timbre}",
    "model": "the model's name",
    "amount": "the amount",
    "seed": "the seed",
    "bpm": "the tempo",
    "bars": "the number of bars",
    "meter": "the meter, e.g. 7-8",
}
"""What may stand in braces in ``--name``, and what it becomes."""
MUSICAL = ("bpm", "bars", "meter")
"""Fields that are known only when the rhythm has been heard."""
DEFAULT_NAME = "{rhythm}_{timbre}_{seed}"

_NAMES = ", ".join(f"{{{field}}}" for field in FIELDS)


def _option(panel: str, metavar: str, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


def _files(metavar: str, text: str, *names: str) -> Any:
    return _option("Files", metavar, text, *names)


def _rhythm(metavar: str, text: str, *names: str, **more: Any) -> Any:
    return _option("Rhythm", metavar, text, *names, **more)


def _sound(metavar: str, text: str, *names: str, **more: Any) -> Any:
    return _option("Sound", metavar, text, *names, **more)


Rhythms = Annotated[
    list[str],
    _rhythm(
        "A",
        "Whose rhythm: a recording, a MIDI file, a grid or a file of one; - is stdin. May be given many times, or as "
        "a quoted pattern: 'beats/*.wav'. Every rhythm is played in every sound.",
        "--rhythm",
        "-r",
    ),
]
Timbres = Annotated[
    list[str],
    _sound(
        "B",
        "Whose sound: a recording, or a kit's name ('loopnet kits' lists them, a:0.3,b:0.7 mixes them; ./NAME is a "
        "file). May be given many times, or as a quoted pattern.",
        "--timbre",
        "-t",
        autocompletion=complete_kit,
    ),
]
Name = Annotated[str, _files("TEMPLATE", f"Names of loops; fields: {_NAMES}.")]
Plot = Annotated[
    str | None,
    _files(
        "FILE.png",
        "Also draw rhythm, sound and result one above another: hits, activations, waveform, spectrogram; takes "
        "--name's fields.",
    ),
]

Bpm = Annotated[
    float | None,
    _rhythm("BPM", "Tempo of the result. Default: the rhythm's own.", min=MIN_TEMPO, max=MAX_TEMPO),
]
Bars = Annotated[
    int | None,
    _rhythm(
        "N",
        "Take N bars of the rhythm, or repeat it until it fills them. Default: all that were heard.",
        min=1,
        max=MAX_BARS,
    ),
]
Meter = Annotated[str | None, _rhythm("N/D", "Meter of the rhythms, e.g. 7/8. Default: the file's, else 4/4.")]
RhythmBpm = Annotated[
    float | None,
    _rhythm("BPM", "The tempo of recorded rhythms, where it is heard wrong.", min=MIN_TEMPO, max=MAX_TEMPO),
]
RhythmBars = Annotated[
    int | None,
    _rhythm("N", "How many bars a recorded rhythm has, where it is heard wrong.", min=1, max=MAX_BARS),
]
RhythmStart = Annotated[float | None, _rhythm("SECONDS", "Where to begin in recorded rhythms.", min=0)]
RhythmEnd = Annotated[float | None, _rhythm("SECONDS", "Where to end in recorded rhythms.", min=0)]
Quantize = Annotated[
    int | None,
    _rhythm("STEPS", "Move hits to steps of 1/STEPS notes: 16, or 12 or 24 for triplets. Default: as played."),
]
Only = Annotated[
    str | None,
    _rhythm(
        "VOICES",
        f"Let only these sound, as they do among the others: voices or stems ({', '.join(STEMS)}), with commas.",
        "--only",
        "--isolate",
    ),
]

TimbreStart = Annotated[float | None, _sound("SECONDS", "Where to begin in recorded sounds.", min=0)]
TimbreEnd = Annotated[float | None, _sound("SECONDS", "Where to end in recorded sounds.", min=0)]
Amount = Annotated[
    float,
    _sound("X", "How far to go from the rhythm's own sound (0) to the other one (1).", min=0, max=1),
]
Model = Annotated[
    str,
    _sound(
        "NAME",
        f"What makes the sound: {', '.join(NAMES)}, or a file of trained weights or a training run's folder. All but "
        "studio are the paper's: they take from a recorded rhythm its activations as heard and its envelope, and "
        "from the sound (or the kit) 21 features and the chroma, which --amount blends; no stems; other tempos than "
        f"130 BPM need Rubber Band. Default: {STUDIO}.",
        autocompletion=complete_model,
    ),
]
OwnKit = Annotated[
    str | None,
    _sound(
        "NAME",
        "The kit that --amount starts from. Default: how the recorded rhythm sounds; "
        f"{DEFAULT_KIT} for MIDI and grids.",
        autocompletion=complete_kit,
    ),
]
Chroma = Annotated[
    str | None,
    _sound(
        "NOTES",
        "Pitches: notes (C,Eb,G), a chord (Am7) or 12 numbers from C on. Default: those the sound has by itself.",
    ),
]
ChromaFrom = Annotated[
    str | None,
    _sound("C", "Take the pitches of this recording or kit.", autocompletion=complete_kit),
]
Knobs = Annotated[
    list[str] | None,
    _sound(
        "K=X,...",
        "Many knobs at once: low.depth=.7,warmth=+.2. A knob is 0 to 1, or relative to the sound with a sign. "
        "The more specific wins: --low-warmth over --set low.warmth= over --set warmth= over --warmth. "
        "(generate knows this option too, and as --timbre.)",
        "--set",
    ),
]
