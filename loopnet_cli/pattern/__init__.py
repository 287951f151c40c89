"""Rhythms: `Pattern` and `Hit`, and how to read and write them. Knows nothing of models or audio."""

from loopnet_cli.pattern.grid import format_grid, looks_like_grid, parse_grid
from loopnet_cli.pattern.maps import DRUM_MAPS, drum_map, read_drum_map
from loopnet_cli.pattern.midi import MidiPattern, read_midi
from loopnet_cli.pattern.model import STEM_OF_VOICE, STEMS, VOICES, Hit, Pattern
from loopnet_cli.pattern.read import read_pattern
from loopnet_cli.pattern.write import to_midi, write_midi

__all__ = [
    "DRUM_MAPS",
    "STEMS",
    "STEM_OF_VOICE",
    "VOICES",
    "Hit",
    "MidiPattern",
    "Pattern",
    "drum_map",
    "format_grid",
    "looks_like_grid",
    "parse_grid",
    "read_drum_map",
    "read_midi",
    "read_pattern",
    "to_midi",
    "write_midi",
]
