"""Where the weights lie, and the bank of named kits. Light: no torch, no scipy."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from loopnet_cli.controls import TIMBRE_NAMES, Kit
from loopnet_cli.errors import UsageError, WeightsError
from loopnet_cli.pattern import VOICES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from loopnet_cli.analysis.normalise import Normalisation

T = TypeVar("T")

DEFAULT_KIT = "tight-studio"
"""The kit that sounds when none is named."""

REINSTALL = "install loopnet again"
WEIGHTS_FILE = "studio.safetensors"


def weights_folder() -> Path:
    """Find the folder with the weights: inside the installed package, or at the top of a checkout.

    Raises
    ------
    WeightsError
        If neither is there.
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "weights", package.parent / "weights"):
        if (folder / "manifest.json").is_file():
            return folder
    raise WeightsError(f"no weights found in {package / 'weights'}: {REINSTALL}")


def checked_file(name: str, folder: Path | None = None) -> Path:
    """Return the path of a weights file after comparing it with its checksum in ``manifest.json``.

    Raises
    ------
    WeightsError
        If the file is missing, unknown or not what it was when it was released.
    """
    folder = folder or weights_folder()
    try:
        expected = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))[name]
        digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{folder / name}: cannot be read ({type(error).__name__}): {REINSTALL}") from error
    if digest != expected:
        raise WeightsError(f"{folder / name}: checksum does not match, the file is damaged: {REINSTALL}")
    return folder / name


def known_checksum(model: str, folder: Path | None = None) -> str | None:
    """Return the SHA-256 that the weights of a bundled model had when they were released; None if there is none."""
    try:
        manifest = json.loads(((folder or weights_folder()) / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, WeightsError):
        return None
    found = manifest.get(f"{model}.safetensors") if isinstance(manifest, dict) else None
    return found if isinstance(found, str) else None


def read_bank(folder: Path | None = None) -> dict[str, Kit]:
    """Read the kits that come with the package.

    Returns
    -------
    dict of name to Kit
        In the order of the file: sorted by name.

    Raises
    ------
    WeightsError
        If the bank is missing or damaged.
    """
    path = checked_file("kits.json", folder)
    try:
        return dict(_parsed_bank(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not a bank of kits ({error}): {REINSTALL}") from error


@lru_cache(2)
def _parsed_bank(content: bytes) -> dict[str, Kit]:
    # one command asks for it several times, and parsing takes longer than reading
    return {entry["name"]: kit_from_dict(entry) for entry in json.loads(content)["kits"]}


def load_weights(
    name: str,
    version: str,
    build: Callable[[Mapping[str, str], dict[str, NDArray[np.float32]]], T],
    folder: Path | None,
) -> T:
    """Read a weights file and make of it what it is for.

    Parameters
    ----------
    name, version : str
        Of the file, and of its format.
    build : callable
        Takes the metadata and the tensors; may raise ValueError, KeyError or TypeError where they will not do.
    folder : Path or None
        Weights from elsewhere.

    Raises
    ------
    WeightsError
        If the file is missing, damaged, of another version, or `build` cannot use it.
    """
    import numpy as np
    from safetensors import SafetensorError, safe_open

    path = checked_file(name, folder)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != version:
                raise ValueError(f"format {metadata.get('format')}, not {version}")
            tensors = {key: np.asarray(file.get_tensor(key), np.float32) for key in file.keys()}  # noqa: SIM118
        return build(metadata, tensors)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not usable weights ({error}): {REINSTALL}") from error


def read_normalisation(folder: Path | None = None) -> Normalisation:
    """Read what turns AudioCommons points into the studio model's knob values, and nothing else of the model.

    Raises
    ------
    WeightsError
        If the weights are missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    from loopnet_cli.analysis.normalise import Normalisation

    path = checked_file(WEIGHTS_FILE, folder)
    try:
        with safe_open(path, framework="numpy") as file:
            return Normalisation.from_dict(json.loads((file.metadata() or {})["normalisation"]))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not usable weights ({error}): {REINSTALL}") from error


def kit_from_dict(entry: dict[str, object]) -> Kit:
    """Build a kit from its stored form.

    Raises
    ------
    KeyError, TypeError, ValueError
        If something is missing or of the wrong kind.
    """
    codes, levels, timbre, chroma = entry["codes"], entry["levels"], entry["timbre"], entry["chroma"]
    if not (isinstance(codes, dict) and isinstance(levels, dict) and isinstance(timbre, dict)):
        raise TypeError("codes, levels and timbre must be tables")
    if not isinstance(chroma, list) or len(chroma) != 12:
        raise ValueError("chroma must have twelve numbers")
    return Kit(
        name=str(entry["name"]),
        description=str(entry["description"]),
        codes={voice: tuple(map(float, codes[voice])) for voice in VOICES},
        levels={voice: float(levels[voice]) for voice in VOICES},
        timbre={name: float(timbre[name]) for name in TIMBRE_NAMES},
        chroma=tuple(float(x) for x in chroma),
    )


def find_kit(bank: dict[str, Kit], name: str) -> Kit:
    """Look a kit up by name.

    Raises
    ------
    UsageError
        If there is none; suggests names that look alike.
    """
    if name in bank:
        return bank[name]
    near = difflib.get_close_matches(name.lower(), bank, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else "see `loopnet kits list`"
    raise UsageError(f"unknown kit {name!r}: {hint}")
