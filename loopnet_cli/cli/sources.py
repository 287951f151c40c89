"""What ``loopnet transfer`` is given: recordings, written rhythms, kits; told apart before any of them is heard."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from loopnet_cli.cli.inputs import Input, expand_files, expand_inputs
from loopnet_cli.controls import Kit
from loopnet_cli.errors import AudioError, KitError, LoopnetError, UsageError
from loopnet_cli.pattern.grid import looks_like_grid
from loopnet_cli.pattern.read import GRID_SUFFIXES, STDIN
from loopnet_cli.synthesis import kit_store
from loopnet_cli.synthesis.kit_mix import is_mix, kit_label, looks_like_mix, mix_name, parse_mix

MAX_BYTES = 2**31
"""Of what cannot be read twice: standard input and pipes."""
MIDI_SUFFIXES = (".mid", ".midi", ".smf", ".kar", ".rmi")
_AUDIO_HEADS = re.compile(rb"RIFF....WAVE|RF64|RIFX|FORM|fLaC|OggS|ID3|\.snd|caff|\xff[\xe2-\xfb]", re.DOTALL)


class Kind(Enum):
    """What a source is."""

    RECORDING = "recording"
    PATTERN = "pattern"
    KIT = "kit"


@dataclass(frozen=True)
class Source:
    """Something that has a rhythm or a sound.

    Attributes
    ----------
    input : Input
        What the user named.
    kind : Kind
        What it is.
    content : bytes or None
        What was in it, if it cannot be read twice.
    """

    input: Input
    kind: Kind
    content: bytes | None = None

    @property
    def label(self) -> str:
        """What messages call it."""
        return self.input.label

    @property
    def name(self) -> str:
        """What is stored with the loop: without folders, which are nobody's business."""
        return self.label if self.input.path is None else self.input.path.name

    @cached_property
    def kit(self) -> Kit:
        """The kit, if it is one.

        Raises
        ------
        KitError
            If it is one of the user's own that cannot be used.
        """
        return kit_store.find_kit(self.input.source)


def rhythm_sources(words: Iterable[str]) -> list[Source]:
    """Return the rhythms that the words on the command line name; patterns of file names are expanded.

    Raises
    ------
    UsageError
        If such a pattern matches no file, or standard input is named twice.
    """
    return [_told_apart(item) for item in expand_inputs(words)]


def timbre_sources(words: Iterable[str], option: str = "--timbre") -> list[Source]:
    """Return the recordings and kits that the words on the command line name.

    The name of a kit comes before that of a file; ``./NAME`` is always a file.

    Raises
    ------
    UsageError
        If a word is neither, a pattern of names matches no file, or standard input is named twice.
    """
    sources: list[Source] = []
    for word in words:
        if _is_kit(word, option):
            name = mix_name(parse_mix(word)) if is_mix(word) else word
            sources.append(Source(Input(name, name, kit_label(name)), Kind.KIT))
            continue
        if looks_like_grid(word):
            raise UsageError(f"{option} takes recordings and kits, not a grid: rhythms go to --rhythm")
        if not Path(word).exists() and word != STDIN:
            _check_missing(word, option)
        for item in expand_files([word]):
            content = _content_once(item)
            sources.append(Source(item, Kind.RECORDING, content))
    return sources


def check_stdin(sources: Iterable[Source]) -> None:
    """Make sure that standard input is named once at most.

    Raises
    ------
    UsageError
        If it is not.
    """
    if sum(source.input.source == STDIN for source in sources) > 1:
        raise UsageError("standard input (-) can be read once only")


def _is_kit(word: str, option: str) -> bool:
    try:
        kit_store.find_kit(word)
    except KitError:
        return True  # one of the user's that is damaged: told where it is used
    except UsageError as error:
        if looks_like_mix(word) and not Path(word).exists():
            raise UsageError(f"{option}: no file and {error}") from error
        return False
    return True


def _check_missing(word: str, option: str) -> None:
    """Say of a word that is no file what it may have been meant to be, unless it looks like a file's name."""
    if "=" in word:
        raise UsageError(f"{option} {word}: there is no such file or kit; knobs are set by --set {word}")
    if not (Path(word).suffix or "/" in word or "\\" in word or set("*?[") & set(word)):
        try:
            kit_store.find_kit(word)
        except LoopnetError as error:
            raise UsageError(f"{option}: no file and {error}") from error


def _told_apart(item: Input) -> Source:
    if item.path is None and item.source != STDIN:
        return Source(item, Kind.PATTERN)
    content = _content_once(item)
    head = _head(item) if content is None else content[:65536]
    suffix = "" if item.path is None else item.path.suffix.lower()
    is_midi = head[:4] == b"MThd" or (head[:4] == b"RIFF" and head[8:12] == b"RMID")
    # a file with a grid in it is known by its name alone, as everywhere; what has no name by what is in it
    is_written = suffix in (*MIDI_SUFFIXES, *GRID_SUFFIXES) or (content is not None and _is_grid(head))
    if is_midi or (is_written and not _AUDIO_HEADS.match(head)):
        return Source(item, Kind.PATTERN, content)
    return Source(item, Kind.RECORDING, content)


def _is_grid(head: bytes) -> bool:
    # the cut may go through a letter
    text = head.decode("utf-8-sig", errors="ignore")
    return "\0" not in text and looks_like_grid(text)


def _head(item: Input) -> bytes:
    try:
        with Path(item.source).open("rb") as stream:
            return stream.read(4096)
    except (OSError, ValueError):
        return b""  # told where it is read


def _content_once(item: Input) -> bytes | None:
    """Return what is in standard input or a pipe; None for what can be opened again."""
    if item.source == STDIN:
        return _limited(sys.stdin.buffer, item.label)
    path = Path(item.source)
    try:
        if not path.exists() or path.is_file() or path.is_dir():
            return None
        with path.open("rb") as stream:
            return _limited(stream, item.label)
    except (OSError, ValueError):
        return None  # told where it is read


def _limited(stream: BinaryIO, label: str) -> bytes:
    content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise AudioError(f"{label} is larger than 2 GB: cut it first")
    return content
