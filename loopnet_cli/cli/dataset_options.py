"""The options of ``loopnet dataset``: names, limits and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from loopnet_cli.cli.options import MAX_SEED


class Labels(StrEnum):
    """Where activations come from."""

    exact = "exact"
    heard = "heard"


def _option(metavar: str | None, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, **more)


Folders = Annotated[
    list[Path], typer.Argument(metavar="FOLDER...", help="Folders of recordings, with all that is in them; or files.")
]
Dataset = Annotated[Path, typer.Argument(metavar="DATASET", help="A data set.")]
Output = Annotated[Path, _option("DATASET", "The data set's file, e.g. bars.h5.", "--output", "-o")]
Overwrite = Annotated[bool, _option(None, "Replace files that exist.", "--overwrite")]
Workers = Annotated[
    int | None,
    _option("N", "Processes that work; 0: this one alone. Default: one a processor.", "--workers", min=0, max=1024),
]
NoStudio = Annotated[bool, _option(None, "Leave the bars at 44.1 kHz out: three quarters of the size.", "--no-studio")]
AsJson = Annotated[bool, _option(None, "Print one JSON object on stdout.", "--json")]
Quiet = Annotated[bool, _option(None, "Print errors alone.", "--quiet", "-q")]

Tempos = Annotated[
    Path | None, _option("FILE", "CSV table of tempos with columns file and bpm (meter if there is one).", "--tempos")
]
TempoRange = Annotated[str, _option("LOW:HIGH", "Tempos that are kept, BPM.", "--tempo-range")]
Fold = Annotated[bool, _option(None, "Read a tempo outside the range as its half or double.", "--fold")]
Confidence = Annotated[
    float,
    _option("X", "How near to whole beats a length must come: more than X of 1.", "--confidence", min=0.0, max=1.0),
]
SplitSeed = Annotated[
    int, _option("N", "Decides which loops are test loops, with their content.", "--seed", min=0, max=MAX_SEED)
]
RejectedFile = Annotated[Path | None, _option("FILE.csv", "Also list what was left out, and why.", "--rejected")]

Bars = Annotated[int, _option("N", "How many bars.", "--bars", min=1, max=10_000_000)]
Seed = Annotated[
    int, _option("N", "What chance is drawn from; the same gives the same bars.", "--seed", min=0, max=MAX_SEED)
]
Material = Annotated[
    Path | None,
    _option("DIR", "Play one-shots and grooves of this folder. Default: the bundled model and kits.", "--material"),
]
Patterns = Annotated[
    Path | None, _option("DIR", "Play bars of the MIDI files in this folder. Default: made up.", "--patterns")
]
Activations = Annotated[
    Labels, _option("exact|heard", "Activations of what is played, or of what the ear hears.", "--activations")
]
