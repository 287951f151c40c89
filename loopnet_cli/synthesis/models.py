"""What comes with the package: every model, what it is, how large it is, and its card. Light: nothing is loaded."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loopnet_cli.errors import UsageError, WeightsError
from loopnet_cli.synthesis import bank

_PAPER_LENGTH, _PAPER_TEMPO = "bars of 1.846 s, joined", "130 BPM, stretched to others"


@dataclass(frozen=True)
class Known:
    """What is known of a model before it is looked for."""

    description: str
    sample_rate: int
    length: str
    tempo: str
    card: str
    file: str


def _paper(model: str, description: str) -> Known:
    return Known(description, 16000, _PAPER_LENGTH, _PAPER_TEMPO, "paper.md", f"paper-{model}.safetensors")


KNOWN: dict[str, Known] = {
    "studio": Known(
        "pattern, kit, 21 knobs and chroma to a seamless loop with stems",
        44100, "any", "any", "studio.md", "studio.safetensors",
    ),
    "stft": _paper("stft", "the paper's: spectral magnitudes, phases by Griffin-Lim"),
    "wav": _paper("wav", "the paper's: waveform, trained on samples"),
    "wavspec": _paper("wavspec", "the paper's: waveform, trained on samples and one spectrogram"),
    "multi": _paper("multi", "the paper's: waveform, trained on samples and six spectrograms"),
    "multi-noenv": _paper("multi-noenv", "the paper's: as multi, without the envelope among its inputs"),
    "ear": Known(
        "recording to strokes, activations and velocities: analyze, transfer",
        44100, "any", "any", "ear.md", "ear.safetensors",
    ),
    "strokes": Known(
        "what strokes of each voice are like: the sound of a recording as a kit",
        44100, "single strokes", "none", "ear.md", "strokes.safetensors",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class ModelInfo:
    """A model that comes with the package.

    Attributes
    ----------
    name, description : str
    bytes, parameters : int
        Of its weights.
    sha256 : str
        Of the file, as released.
    sample_rate : int
        In Hz.
    length, tempo : str
        In words.
    path : Path
    card : Path or None
        What it was made from and how well it does.
    metadata : dict
        What the file says of itself: for a paper model its steps, seed and data set.
    """

    name: str
    description: str
    bytes: int
    parameters: int
    sha256: str
    sample_rate: int
    length: str
    tempo: str
    path: Path
    card: Path | None
    metadata: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "description": self.description,
            "file": self.path.name,
            "bytes": self.bytes,
            "parameters": self.parameters,
            "sha256": self.sha256,
            "sample_rate": self.sample_rate,
            "length": self.length,
            "tempo": self.tempo,
            "card": None if self.card is None else self.card.name,
            "metadata": self.metadata,
        }


def bundled_models(folder: Path | None = None) -> list[ModelInfo]:
    """List the models that come with the package: those that its manifest names.

    Raises
    ------
    WeightsError
        If the manifest or a file is missing or damaged.
    """
    folder = folder or bank.weights_folder()
    checksums = {name: bank.known_checksum(known.file.removesuffix(".safetensors"), folder) for name, known in
                 KNOWN.items()}  # fmt: skip
    return [_info(name, checksum, folder) for name, checksum in checksums.items() if checksum is not None]


def bundled_model(name: str, folder: Path | None = None) -> ModelInfo:
    """Return one of the models that come with the package.

    Raises
    ------
    UsageError
        If there is no model of that name.
    WeightsError
        If it does not come with this version, or its file is missing or damaged.
    """
    if name not in KNOWN:
        near = difflib.get_close_matches(name.lower(), KNOWN, n=1, cutoff=0.5)
        raise UsageError(
            f"unknown model {name!r}: " + (f"did you mean {near[0]}?" if near else f"use {', '.join(KNOWN)}")
        )
    folder = folder or bank.weights_folder()
    checksum = bank.known_checksum(KNOWN[name].file.removesuffix(".safetensors"), folder)
    if checksum is None:
        raise WeightsError(
            f"the weights of {name} do not come with this version: train them (loopnet train --model {name} "
            "DATASET -o RUN)"
        )
    return _info(name, checksum, folder)


def _info(name: str, checksum: str, folder: Path) -> ModelInfo:
    from safetensors import SafetensorError, safe_open

    known = KNOWN[name]
    path = bank.checked_file(known.file, folder)
    try:
        with safe_open(path, framework="numpy") as file:
            parameters = sum(math.prod(file.get_slice(key).get_shape()) for key in file.keys())  # noqa: SIM118
            metadata = dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError) as error:
        raise WeightsError(f"{path}: cannot be read ({error}): {bank.REINSTALL}") from error
    told = {
        key: metadata[key]
        for key in ("model", "variant", "noise", "steps", "epoch", "seed", "dataset")
        if key in metadata
    }
    card = folder / known.card
    return ModelInfo(
        name, known.description, path.stat().st_size, parameters, checksum,
        known.sample_rate, known.length, known.tempo, path, card if card.is_file() else None, told,
    )  # fmt: skip
