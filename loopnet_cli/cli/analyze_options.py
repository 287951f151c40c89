"""The options of ``loopnet analyze``: names, limits and help, one line or two each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from loopnet_cli.pattern.model import MAX_BARS, MAX_TEMPO, MIN_TEMPO


def _option(panel: str | None, metavar: str | None, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, rich_help_panel=panel, **more)


Files = Annotated[
    list[str], typer.Argument(metavar="FILES", help="Recordings (WAV, FLAC, OGG, MP3, AIFF, ...); - reads stdin.")
]
Plot = Annotated[
    str | None,
    _option("Files", "FILE.png", "Draw waveform, activations, envelope, hits, chroma and timbre; for many files a "
            "folder, or a name with {stem} in it."),
]  # fmt: skip
Midi = Annotated[
    str | None,
    _option("Files", "FILE.mid", "Write the hits as MIDI; - is stdout; for many files a folder, or a name with {stem} "
            "in it."),
]  # fmt: skip
SaveKit = Annotated[
    str | None,
    _option("Files", "NAME", "Make a kit of how it sounds, for --kit NAME; for many files with {stem} in the name."),
]
Bpm = Annotated[float | None, _option("Rhythm", "BPM", "Its tempo. Default: found.", min=MIN_TEMPO, max=MAX_TEMPO)]
Bars = Annotated[int | None, _option("Rhythm", "N", "Its number of bars. Default: found.", min=1, max=MAX_BARS)]
Meter = Annotated[str | None, _option("Rhythm", "N/D", "Its meter, e.g. 3/4. Default: 4/4.")]
Start = Annotated[float | None, _option("Rhythm", "SECONDS", "Where to begin. Default: the file's start.", min=0)]
End = Annotated[float | None, _option("Rhythm", "SECONDS", "Where to end. Default: the file's end.", min=0)]
Quantize = Annotated[
    int | None,
    _option("Rhythm", "STEPS", "Move hits of MIDI and pattern to steps of 1/STEPS notes: 16, or 12 or 24 for triplets. "
            "Default: as played."),
]  # fmt: skip
Strength = Annotated[float, _option("Rhythm", "X", "How far --quantize moves hits: 1 is all the way.", min=0, max=1)]
Swing = Annotated[
    float,
    _option("Rhythm", "X", "Where --quantize puts each second step, between its neighbours: .5 is even, .67 a triplet.",
            min=0.5, max=0.75),
]  # fmt: skip
Curves = Annotated[
    bool, _option(None, None, "With --json: also activations and envelope, 100 values a second.", "--curves")
]
AsJson = Annotated[bool, _option(None, None, "Print one JSON object a file on stdout (see docs/ANALYZE.md).", "--json")]
Quiet = Annotated[bool, _option(None, None, "Print no table, and errors alone.", "--quiet", "-q")]
