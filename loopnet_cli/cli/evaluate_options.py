"""The options of ``loopnet evaluate``: names, limits and help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from loopnet_cli.cli.options import MAX_SEED


class EmbeddingName(StrEnum):
    """What audio is turned into before distances are taken."""

    logmel = "logmel"
    yamnet = "yamnet"
    vggish = "vggish"


def _option(metavar: str | None, text: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, metavar=metavar, help=text, **more)


def _argument(metavar: str, text: str) -> Any:
    return typer.Argument(metavar=metavar, help=text)


Dataset = Annotated[Path, _argument("DATASET", "A data set, of loopnet dataset build or render.")]
Generated = Annotated[Path, _argument("GENERATED", "Folder of audio files that were made.")]
Reference = Annotated[Path, _argument("REFERENCE", "Folder of those they stand for, of the same names.")]
One = Annotated[Path, _argument("ONE", "Statistics (.npz), or a folder of audio files.")]
Two = Annotated[Path, _argument("TWO", "The reference: statistics (.npz), or a folder of audio files.")]
Folder = Annotated[Path, _argument("FOLDER", "A folder of audio files.")]

Models = Annotated[
    str | None,
    _option(
        "NAMES",
        "Models, with commas: names, weights files or folders of training runs; also studio-audio, which listens "
        "to the bars as transfer does. Default: the paper's that come with the package, and studio.",
        "--models",
    ),
]
Tables = Annotated[str, _option("NAMES", "What to measure: 1 and 2 (the paper's tables), speed.", "--tables")]
Bars = Annotated[int, _option("N", "Test bars of Table 1.", "--bars", min=8)]
Loops = Annotated[int, _option("N", "Test loops of Table 2.", "--loops", min=1)]
FullLoops = Annotated[
    int, _option("N", "Loops of Table 2 that have all 21 features turned, as in the paper.", "--full-loops", min=0)
]
Material = Annotated[
    Path | None, _option("DIR", "Training material, for the sampler's held-out one-shots.", "--material")
]
YamnetWeights = Annotated[
    Path | None, _option("FILE", "yamnet.tflite, for distances in its embedding.", "--embedding-weights")
]
VggishWeights = Annotated[
    Path | None, _option("FILE", "VGGish's weights (.safetensors, see docs/EVALUATION.md).", "--vggish-weights")
]
Seed = Annotated[int, _option("N", "What bars and chance are drawn from.", "--seed", min=0, max=MAX_SEED)]
Workers = Annotated[int, _option("N", "Processes that work; 0: this one alone.", "--workers", min=0, max=1024)]
Out = Annotated[Path, _option("DIR", "Folder for RESULTS.md, results.json and img; other results there stay.", "--out")]
State = Annotated[
    Path | None, _option("DIR", "Where finished parts are kept, to go on from. Default: .rows in --out.", "--state")
]
Embedding = Annotated[EmbeddingName, _option("logmel|yamnet|vggish", "What folders are turned into.", "--embedding")]
Axes = Annotated[
    int | None, _option("N", "Compare along so many principal axes of the reference alone.", "--axes", min=1)
]
StatisticsFile = Annotated[Path, _option("FILE", "Where the statistics go (.npz).", "--output", "-o")]
Overwrite = Annotated[bool, _option(None, "Replace a file that exists.", "--overwrite")]
AsJson = Annotated[bool, _option(None, "Print one JSON object on stdout.", "--json")]
Quiet = Annotated[bool, _option(None, "Print errors alone.", "--quiet", "-q")]
