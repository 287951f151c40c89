"""The paper's models as they are used: weights read with care, controls in, bars at 130 BPM and 16 kHz out.

Numpy alone. A loop of any length goes through in one piece, because the network is a row of convolutions on a
circle: that is how bars are joined without a click.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.controls import PITCH_CLASSES, TIMBRE_NAMES
from loopnet_cli.errors import UsageError, WeightsError
from loopnet_cli.synthesis import bank
from loopnet_cli.synthesis.griffin_lim import griffin_lim
from loopnet_cli.synthesis.paperinputs import varying_inputs
from loopnet_cli.synthesis.papernet import FIRST_FILTERS, LAYERS, PAPER_MODELS, PaperConfig
from loopnet_cli.synthesis.paperwave import PaperNetwork, tensor_shapes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

STUDIO = "studio"
FORMAT, VERSION = "loopnet-paper", "1"
RUN_WEIGHTS = "weights.safetensors"
"""What a training run's folder holds."""
MAX_BYTES = 256 * 2**20
"""Of a weights file; the largest network has 27 MB."""
LEAST_UNIT, MOST_UNIT = -1.0, 2.0
"""Unit values of timbre that lie further out are held, as in training."""
KINDS = {"F16", "F32"}


@dataclass(frozen=True)
class WeightsSource:
    """Where a model's weights are.

    Attributes
    ----------
    path : Path
    name : str or None
        Of a model that comes with the package.
    """

    path: Path
    name: str | None = None

    @property
    def advice(self) -> str:
        """What to do if they cannot be used."""
        return bank.REINSTALL if self.name else "name another file, or train again"


class PaperModel:
    """A loaded model.

    Parameters
    ----------
    config : PaperConfig
        Which of the five, and its sizes.
    tensors : Mapping from name to ndarray
        See `loopnet_cli.synthesis.paperwave.tensor_shapes`.
    timbre : Normalisation
        What its timbre inputs are counted in: 0 and 1 are the 5th and 95th percentile of its training bars.
    checksum : str
        SHA-256 of the file.
    file : str
        The file's name.
    steps : int, optional
        How many steps it was trained for, up to the epoch that was kept; None if its file does not say.
    """

    def __init__(
        self,
        config: PaperConfig,
        tensors: Mapping[str, Array],
        timbre: Normalisation,
        *,
        checksum: str = "",
        file: str = "",
        steps: int | None = None,
    ) -> None:
        self.config, self.timbre, self.checksum, self.file, self.steps = config, timbre, checksum, file, steps
        self._network = PaperNetwork(config, tensors)

    @classmethod
    def load(cls, path: Path | str) -> PaperModel:
        """Read a weights file, trusting nothing in it.

        Raises
        ------
        WeightsError
            If it is missing, damaged, of another format, or does not fit the network that it names.
        """
        return _load(WeightsSource(Path(path)))

    @property
    def name(self) -> str:
        """One of `PAPER_MODELS`."""
        return self.config.model

    def bars(
        self,
        activations: Array,
        envelope: Array | None,
        chroma: Array,
        timbre: Array,
        *,
        seed: int,
        bars: int = 1,
    ) -> Array:
        """Render loops, each of them one or more bars in one piece.

        Parameters
        ----------
        activations : ndarray of float32, shape (n, samples, 3)
            Kick, snare and hat at 16 kHz, 0..1; time is a circle.
        envelope : ndarray of float32, shape (n, samples), or None
            Amplitude; None for the model that has none of it.
        chroma : ndarray of float32, shape (n, 12)
            C first, 0..1.
        timbre : ndarray of float32, shape (n, 21)
            AudioCommons points, in the order of `TIMBRE_NAMES`.
        seed : int
            What noise and, for the STFT model, phases are drawn from; each loop draws its own.
        bars : int
            How many equal bars each loop has; see `PaperNetwork`.

        Returns
        -------
        ndarray of float32, shape (n, samples)
            As the network gives them: no level is set, nothing is filtered.

        Raises
        ------
        UsageError
            If shapes do not fit each other, an envelope is missing, or a loop is no whole number of equal bars.
        """
        count, samples = self._check(activations, envelope, chroma, timbre)
        if bars < 1 or samples % bars:
            raise UsageError(f"{samples} samples are no {bars} equal bars")
        constants = np.concatenate([chroma, self.unit(timbre)], axis=1).astype(np.float32)
        made = np.empty((count, samples), np.float32)
        for index in range(count):
            rng = np.random.default_rng([seed, index])
            curves = varying_inputs(
                self.config,
                activations=activations[index : index + 1],
                envelope=None if envelope is None else envelope[index : index + 1],
                rng=rng,
                bars=bars,
            )[0]
            answer = self._network(curves, constants[index], bars)
            made[index] = (
                resample_circular(griffin_lim(answer, rng=rng), samples) if self.config.is_spectral else answer
            )
        return made

    def unit(self, points: Array) -> Array:
        """Turn AudioCommons points, shape (n, 21), into what the network is given."""
        low, high = (np.array([side[name] for name in TIMBRE_NAMES]) for side in (self.timbre.low, self.timbre.high))
        held: Array = np.clip((points - low) / (high - low), LEAST_UNIT, MOST_UNIT).astype(np.float32)
        return held

    def _check(self, activations: Array, envelope: Array | None, chroma: Array, timbre: Array) -> tuple[int, int]:
        if activations.ndim != 3 or activations.shape[2] != 3 or not activations.shape[1]:
            raise UsageError(f"activations have shape (n, samples, 3), not {activations.shape}")
        count, samples = activations.shape[:2]
        wanted = {"chroma": (chroma, (count, len(PITCH_CLASSES))), "timbre": (timbre, (count, len(TIMBRE_NAMES)))}
        if self.config.has_envelope:
            if envelope is None:
                raise UsageError(f"model {self.name} needs an envelope")
            wanted["envelope"] = (envelope, (count, samples))
        for name, (values, shape) in wanted.items():
            if values.shape != shape:
                raise UsageError(f"{name} has shape {values.shape}, not {shape}")
        return count, samples


def load_paper(name: str | Path, folder: Path | None = None) -> PaperModel:
    """Load a model by its name, or from a file of weights or a training run's folder.

    Parameters
    ----------
    name : str or Path
        One of `PAPER_MODELS`, or a path.
    folder : Path, optional
        Where bundled weights are; by default the package's.

    Raises
    ------
    UsageError
        If it is neither a model nor a file.
    WeightsError
        If the weights are not there or cannot be used.
    """
    return _load(find_paper(name, folder), folder)


def find_paper(name: str | Path, folder: Path | None = None) -> WeightsSource:
    """Return where the weights of a model are, without reading them; for parameters and errors see `load_paper`."""
    text = str(name)
    if text in PAPER_MODELS:
        folder = folder or bank.weights_folder()
        path = folder / f"paper-{text}.safetensors"
        if not path.is_file():
            raise WeightsError(
                f"the weights of {text} do not come with this version: train them (loopnet train --model {text} "
                "DATASET -o RUN) and use --model RUN"
            )
        return WeightsSource(path, text)
    path = Path(text)
    try:
        if path.is_dir():
            if (path / RUN_WEIGHTS).is_file():
                return WeightsSource(path / RUN_WEIGHTS)
            raise WeightsError(f"{path}: holds no {RUN_WEIGHTS}: name the folder of a training run that has one")
        if path.is_file():
            return WeightsSource(path)
    except (OSError, ValueError):
        pass  # no path that this system could have
    if path.suffix or len(path.parts) > 1:
        raise WeightsError(f"{text}: there is no such file of weights")
    known = (STUDIO, *PAPER_MODELS)
    near = difflib.get_close_matches(text.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"use {', '.join(known)}, or the path of trained weights"
    raise UsageError(f"unknown model {text!r}: {hint}")


def _load(source: WeightsSource, folder: Path | None = None) -> PaperModel:
    from safetensors import SafetensorError, safe_open

    path = source.path
    if source.name:
        bank.checked_file(path.name, folder)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ValueError(f"{size / 2**20:.0f} MB are too many")
        checksum = hashlib.sha256(path.read_bytes()).hexdigest()
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            config, order, timbre = _read_metadata(metadata)
            # shapes first: nothing is unpacked that the network has no place for
            shapes = tensor_shapes(config)
            names = set(file.keys())
            for name in sorted(names ^ shapes.keys()):
                raise ValueError(f"tensor {name} is {'unknown' if name in names else 'missing'}")
            for name, shape in shapes.items():
                part = file.get_slice(name)
                if tuple(part.get_shape()) != shape or part.get_dtype() not in KINDS:
                    raise ValueError(f"{name} is {part.get_dtype()} {part.get_shape()}, not F16 {list(shape)}")
            tensors = {name: np.asarray(file.get_tensor(name), np.float32) for name in shapes}
        _reorder(tensors, order, config)
        trained = metadata.get("steps", "")
        steps = int(trained) if re.fullmatch("[0-9]{1,12}", trained) else None
        model = PaperModel(config, tensors, timbre, checksum=checksum, file=path.name, steps=steps)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, UsageError, RecursionError) as error:
        told = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise WeightsError(f"{path}: not usable weights of a paper model ({told[:200]}): {source.advice}") from error
    if source.name and model.name != source.name:
        raise WeightsError(f"{path}: holds model {model.name}, not {source.name}: {source.advice}")
    return model


def _read_metadata(metadata: Mapping[str, str]) -> tuple[PaperConfig, list[int], Normalisation]:
    """Return what the metadata says: the network, at which place each of its inputs is stored, timbre's units."""
    if metadata.get("format") != FORMAT:
        raise ValueError(f"its format is {metadata.get('format')!r}, not {FORMAT!r}")
    if metadata.get("version") != VERSION:
        raise ValueError(f"version {metadata.get('version')!r}, not {VERSION!r}")
    if metadata["noise"] not in ("true", "false"):
        raise ValueError(f"noise is {metadata['noise']!r}, not true or false")
    config = PaperConfig(
        metadata["model"],
        metadata["variant"],
        metadata["noise"] == "true",
        int(metadata.get("layers", LAYERS)),
        int(metadata.get("first_filters", FIRST_FILTERS)),
    )
    stored: Any = json.loads(metadata["inputs"])
    if not isinstance(stored, list) or sorted(map(str, stored)) != sorted(config.inputs):
        raise ValueError("its inputs are not those of its model")
    timbre = Normalisation.from_dict(json.loads(metadata["timbre"]))
    edges = [*timbre.low.values(), *timbre.high.values()]
    if not np.isfinite(edges).all():
        raise ValueError("the ranges of timbre are not finite")
    return config, [stored.index(name) for name in config.inputs], timbre


def _reorder(tensors: dict[str, Array], order: list[int], config: PaperConfig) -> None:
    """Put the columns of inputs in this version's order: they are known by name."""
    if order == sorted(order):
        return
    first, below = tensors["decoder.0.weight"], config.decoder_channels[0][0]
    tensors["encoder.0.weight"] = tensors["encoder.0.weight"][:, order]
    tensors["decoder.0.weight"] = np.concatenate([first[:, :below], first[:, below:][:, order]], axis=1)
