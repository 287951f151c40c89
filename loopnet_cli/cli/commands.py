"""The commands: one line each, in the order of the help. Nothing of them is imported until it is asked for."""

from __future__ import annotations

from collections.abc import Mapping

COMMANDS: Mapping[str, str] = {
    "generate": "generate:generate",
    "transfer": "transfer:transfer",
    "batch": "batch:batch",
    "grid": "grid:grid",
    "analyze": "analyze:analyze",
    "play": "play:play",
    "doctor": "doctor:doctor",
    "train": "train:train",
    "kits": "kits:app",
    "models": "models:app",
    "kits play-sheet": "kits_sheet:play_sheet",
    "kits save": "kits_files:save",
    "kits import": "kits_files:import_kits",
    "kits export": "kits_files:export",
    "kits morph": "kits_morph:morph_kits",
    "dataset": "dataset:app",
    "evaluate": "evaluate:app",
}
"""A command, or a group and a command, to ``module:attribute`` within this package; a group is a Typer application."""
