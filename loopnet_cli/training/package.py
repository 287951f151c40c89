"""Put trained parts together as released weights: ``python -m loopnet_cli.training.package RUN WEIGHTS``."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from loopnet_cli.analysis.normalise import Normalisation
from loopnet_cli.analysis.transcriber import WEIGHTS_FILE as EAR_FILE
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.synthesis.bank import WEIGHTS_FILE
from loopnet_cli.synthesis.papernet import PAPER_MODELS
from loopnet_cli.synthesis.shaping import ACTUATORS
from loopnet_cli.synthesis.strokeprior import WEIGHTS_FILE as STROKES_FILE
from loopnet_cli.synthesis.studio import FORMAT_VERSION
from loopnet_cli.training.checkpoint import read_hits_state

CHECKED = (WEIGHTS_FILE, "kits.json", EAR_FILE, STROKES_FILE, *(f"paper-{name}.safetensors" for name in PAPER_MODELS))


def write_manifest(folder: Path) -> None:
    """Write the checksums of the weights files that are there."""
    sums = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in CHECKED if (folder / name).exists()
    }
    (folder / "manifest.json").write_text(json.dumps(sums, indent=1) + "\n", encoding="utf-8")


def package(run: Path, folder: Path) -> None:
    """Write ``studio.safetensors`` (half precision), its logs and the manifest.

    Parameters
    ----------
    run : Path
        Training folder with ``hits.pt``, ``timbre.safetensors`` and ``originals.npy``.
    folder : Path
        The released weights.
    """
    from safetensors.numpy import load_file, save_file

    config, weights = read_hits_state(run / "hits.pt")
    tensors = {f"hits.{name}": value.astype(np.float16) for name, value in weights.items()}
    # full precision: the encoder's and the ears' inputs span orders of magnitude
    tensors |= {f"timbre.{name}": value for name, value in load_file(run / "timbre.safetensors").items()}
    for name in ("hits.encoder.weight", "hits.encoder.bias"):
        tensors[name] = weights[name.removeprefix("hits.")].astype(np.float32)
    normalisation = Normalisation.from_percentiles(np.load(run / "originals.npy"))
    metadata = {
        "format": FORMAT_VERSION,
        "config": json.dumps(config.to_dict()),
        "timbre_names": json.dumps(TIMBRE_NAMES),
        "actuators": json.dumps(ACTUATORS),
        "normalisation": json.dumps(normalisation.to_dict()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(tensors, folder / WEIGHTS_FILE, metadata=metadata)
    (folder / WEIGHTS_FILE).chmod(0o644)  # it is written for its owner alone
    logs = folder / "training"
    logs.mkdir(exist_ok=True)
    for name in ("hits.csv", "recipe.json", "timbre.json"):
        if (run / name).exists():
            shutil.copyfile(run / name, logs / name)
    write_manifest(folder)


def main() -> None:
    """Parse the command line and package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="training folder")
    parser.add_argument("weights", type=Path, help="folder to write")
    arguments = parser.parse_args()
    package(arguments.run, arguments.weights)


if __name__ == "__main__":
    main()
