"""Rhythms: `Pattern` and `Hit`, and how to read and write them. Knows nothing of models or audio."""

from loopnet_cli.pattern.maps import drum_map, read_drum_map
from loopnet_cli.pattern.midi import MidiPattern, read_midi
from loopnet_cli.pattern.model import STEM_OF_VOICE, STEMS, VOICES, Hit, Pattern

__all__ = [
    "STEMS",
    "STEM_OF_VOICE",
    "VOICES",
    "Hit",
    "MidiPattern",
    "Pattern",
    "drum_map",
    "read_drum_map",
    "read_midi",
]
