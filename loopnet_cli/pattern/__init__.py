"""Rhythms: `Pattern` and `Hit`, and how to read and write them. Knows nothing of models or audio."""

from loopnet_cli.pattern.model import STEM_OF_VOICE, STEMS, VOICES, Hit, Pattern

__all__ = ["STEMS", "STEM_OF_VOICE", "VOICES", "Hit", "Pattern"]
