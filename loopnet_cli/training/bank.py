"""Make the bank of named kits: ``python -m loopnet_cli.training.bank DATA WEIGHTS``.

Reads ``bank_recipe.json`` (which one-shots, what was done to them, how it is called),
encodes the voices and measures timbre and chroma on a reference pattern.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from loopnet_cli.analysis.chroma import chroma
from loopnet_cli.analysis.timbre import timbre_features
from loopnet_cli.controls import Kit
from loopnet_cli.data.corpus import Corpus, load_corpus
from loopnet_cli.data.processing import Treatment
from loopnet_cli.data.renderer import MIX_LEVEL, Drum
from loopnet_cli.errors import LoopnetError
from loopnet_cli.pattern import VOICES, Pattern
from loopnet_cli.pattern.grid import parse_grid
from loopnet_cli.synthesis.studio import StudioModel
from loopnet_cli.training.kits import kit_from_drums

REFERENCE = """
kick:  9..5..9.7.9...5.
snare: ....9..3....9..4
hat:   8.5.8.5.8.5.8.5.
open:  ..............6.
tom:   ............5.6.
"""
"""A plain beat that uses what most loops use; every kit's timbre is measured on it, at 110 BPM."""


def reference_pattern() -> Pattern:
    """Return the beat that kits are measured on."""
    return parse_grid(REFERENCE, tempo=110.0)


def drums_of(corpus: Corpus, recipe: dict[str, object]) -> dict[str, Drum]:
    """Collect the ten voices of a kit.

    Parameters
    ----------
    corpus : Corpus
        Training side only: a held-out kit is not found.
    recipe : dict
        ``base``: kit folders in order of preference; ``voices``: overrides, voice to
        ``"kit"`` or ``"kit:number"``; ``treatment``: fields of `Treatment`; ``levels``: dB per voice.

    Raises
    ------
    LoopnetError
        If no kit named has a voice.
    """
    treatment = Treatment(**recipe.get("treatment", {}))  # type: ignore[arg-type]
    overrides: dict[str, str] = recipe.get("voices", {})  # type: ignore[assignment]
    levels: dict[str, float] = recipe.get("levels", {})  # type: ignore[assignment]
    drums = {}
    for voice in VOICES:
        bases: list[str] = [overrides[voice]] if voice in overrides else list(recipe["base"])  # type: ignore[call-overload]
        for source in bases:
            name, _, number = source.partition(":")
            found = corpus.kits.get(name, {}).get(voice, [])
            if found:
                instrument = found[min(int(number or 0), len(found) - 1)]
                level = MIX_LEVEL[voice] * 10 ** (levels.get(voice, 0.0) / 20)
                drums[voice] = Drum(instrument, treatment, level)
                break
        else:
            raise LoopnetError(f"kit {recipe['name']}: none of {', '.join(bases)} has a {voice}")
    return drums


def make_kit(model: StudioModel, corpus: Corpus, recipe: dict[str, object]) -> Kit:
    """Encode a kit and measure it through the model."""
    drums = drums_of(corpus, recipe)
    kit = kit_from_drums(model.net, drums, name=str(recipe["name"]), description=str(recipe["description"]))
    audio = model.render(reference_pattern(), kit=kit, seed=0).audio
    timbre = model.normalisation.to_unit(timbre_features(audio, 44100))
    return replace(
        kit,
        timbre={name: round(float(value), 3) for name, value in timbre.items()},
        chroma=tuple(round(float(x), 3) for x in chroma(audio, 44100)),
    )


def kit_to_dict(kit: Kit) -> dict[str, object]:
    """Return the stored form of a kit."""
    return {
        "name": kit.name,
        "description": kit.description,
        "levels": dict(kit.levels),
        "timbre": dict(kit.timbre),
        "chroma": list(kit.chroma),
        "codes": {voice: [round(x, 4) for x in code] for voice, code in kit.codes.items()},
    }


def bank_text(kits: list[Kit]) -> str:
    """Format a bank: one line a kit's field, sorted by name."""
    entries = []
    for kit in sorted(kits, key=lambda k: k.name):
        fields = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in kit_to_dict(kit).items()]
        entries.append(" {\n" + ",\n".join(fields) + "\n }")
    return '{"version": 1, "kits": [\n' + ",\n".join(entries) + "\n]}\n"


def make_bank(model: StudioModel, data: Path, recipes: Path) -> list[Kit]:
    """Make every kit of a recipe file."""
    corpus = load_corpus(data)
    return [make_kit(model, corpus, recipe) for recipe in json.loads(recipes.read_text(encoding="utf-8"))]


def brightness_table(kits: list[Kit]) -> str:
    """One line a kit with its loudest differences, to check names against what is measured."""
    rows = []
    for kit in kits:
        marked = sorted(kit.timbre.items(), key=lambda item: -abs(item[1] - 0.5))[:5]
        rows.append(f"{kit.name:24s} " + " ".join(f"{name}={value:.2f}" for name, value in marked))
    return "\n".join(rows)


def main() -> None:
    """Parse the command line and write ``kits.json``."""
    from loopnet_cli.synthesis.studio import load_studio
    from loopnet_cli.training.package import write_manifest

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="training material")
    parser.add_argument("weights", type=Path, help="folder with studio.safetensors; kits.json goes there")
    arguments = parser.parse_args()
    folder: Path = arguments.weights
    if not (folder / "kits.json").exists():
        (folder / "kits.json").write_text('{"version": 1, "kits": []}\n')
        write_manifest(folder)
    kits = make_bank(load_studio(folder), arguments.data, Path(__file__).with_name("bank_recipe.json"))
    (folder / "kits.json").write_text(bank_text(kits), encoding="utf-8")
    write_manifest(folder)
    print(brightness_table(kits))


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
