"""Release trained paper models: ``python -m loopnet_cli.training.package_paper RUNS WEIGHTS``.

``RUNS`` holds a folder a model, as ``loopnet train -o RUNS/MODEL`` leaves it. What is not there stays as released.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from loopnet_cli.audio.files import write_whole
from loopnet_cli.errors import WeightsError
from loopnet_cli.synthesis.paper import PaperModel
from loopnet_cli.synthesis.papernet import PAPER_MODELS
from loopnet_cli.training.package import write_manifest
from loopnet_cli.training.paper_checkpoint import WEIGHTS

HOSTS_OWN = ("threads", "device")
"""Entries of a recipe that say where it ran and not what it was."""


def package(runs: Path, folder: Path) -> list[str]:
    """Copy the best epoch of each model that was trained, its curve and its recipe; bring the manifest up to date.

    Parameters
    ----------
    runs : Path
        Holds a folder a model.
    folder : Path
        The released weights.

    Returns
    -------
    list of str
        The models that were released.

    Raises
    ------
    WeightsError
        If there is none, or one cannot be rendered from.
    """
    found = [name for name in PAPER_MODELS if (runs / name / WEIGHTS).exists()]
    if not found:
        raise WeightsError(f"{runs}: holds no trained model ({', '.join(PAPER_MODELS)})")
    logs = folder / "training"
    logs.mkdir(parents=True, exist_ok=True)
    recipes: dict[str, Any] = {}
    stored = logs / "paper.json"
    if stored.exists():
        recipes = json.loads(stored.read_text(encoding="utf-8"))
    for name in found:
        run = runs / name
        if PaperModel.load(run / WEIGHTS).config.model != name:
            raise WeightsError(f"{run / WEIGHTS}: is not of the model {name}")
        shutil.copyfile(run / WEIGHTS, folder / f"paper-{name}.safetensors")
        shutil.copyfile(run / "log.csv", logs / f"paper-{name}.csv")
        recipe = json.loads((run / "recipe.json").read_text(encoding="utf-8"))
        # the ranges are in the weights
        recipes[name] = {key: value for key, value in recipe.items() if key not in (*HOSTS_OWN, "timbre", "inputs")}
    write_whole(stored, (json.dumps(recipes, indent=1) + "\n").encode())
    write_manifest(folder)
    return found


def main() -> None:
    """Parse the command line and package."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, help="folder of the training runs")
    parser.add_argument("weights", type=Path, help="folder to write")
    arguments = parser.parse_args()
    print("released:", ", ".join(package(arguments.runs, arguments.weights)))


if __name__ == "__main__":
    main()
