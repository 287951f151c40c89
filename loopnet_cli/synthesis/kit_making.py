"""Where kits come from: what is heard in a recording, a kit's file, or the settings in a loop's file."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from loopnet_cli.audio import riff
from loopnet_cli.controls import Kit
from loopnet_cli.errors import AudioError, KitError
from loopnet_cli.synthesis import bank, kit_file

if TYPE_CHECKING:
    from loopnet_cli.analysis.hearing import Heard
    from loopnet_cli.synthesis.studio import StudioModel

MAX_PIPE = 2**28
"""The most that is taken from what cannot be read twice: a loop of an hour."""
_MAX_SETTINGS = 1 << 23
_MOST_CHUNKS = 1024
_AUDIO = (b"RIFF", b"fLaC")


def kit_heard(model: StudioModel, heard: Heard, name: str) -> Kit:
    """Make a kit of how a recording sounds.

    Raises
    ------
    AudioError
        If the recording is silent.
    """
    from loopnet_cli.synthesis.kitcode import kit_from_audio

    description = f"heard in {kit_file.one_line(Path(heard.name).name, kit_file.MAX_DESCRIPTION)}"
    kit = kit_from_audio(model, heard.audio, heard.sample_rate, heard.pattern, name=name, description=description)
    # it comes with those of the nearest kit of the bank
    return replace(kit, timbre=heard.timbre, chroma=tuple(float(value) for value in heard.chroma))


def read_kit(source: Path | BinaryIO, label: str) -> dict[str, Any]:
    """Read the stored form of a kit: from its own file, or from a loop that was made with it.

    Parameters
    ----------
    source : Path or binary file
        JSON, WAV or FLAC; of what cannot be read twice `MAX_PIPE` bytes at most.
    label : str
        What errors call it.

    Returns
    -------
    dict
        A valid one, with the fields of others.

    Raises
    ------
    KitError
        If there is no usable kit in it.
    """
    try:
        if not isinstance(source, Path):
            return _entry_in(source, label)
        with source.open("rb") as stream:
            return _entry_in(stream if source.is_file() else io.BytesIO(_limited(stream)), label)
    except OSError as error:
        raise KitError(f"cannot read {label}: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise KitError(f"{label} is not a usable kit: {reason}") from error


def _entry_in(stream: BinaryIO, label: str) -> dict[str, Any]:
    head = stream.read(4)
    if head in _AUDIO:
        rest = stream if stream.seekable() else io.BytesIO(head + _limited(stream))
        rest.seek(0)
        entry = _kit_in(_settings(rest, head == b"RIFF", label), label)
    else:
        entry = kit_file.parse_entry(head + stream.read(kit_file.MAX_BYTES + 1))
    kit_file.kit_of(entry, "")
    kit_file.unknown_fields(entry)
    return entry


def _limited(stream: BinaryIO) -> bytes:
    content = stream.read(MAX_PIPE + 1)
    if len(content) > MAX_PIPE:
        raise ValueError(f"larger than {MAX_PIPE >> 20} MB: save it as a file first")
    return content


def _settings(stream: BinaryIO, is_wav: bool, label: str) -> Mapping[str, Any]:
    """Return the settings that loopnet stored with a loop; empty if there are none."""
    text = ""
    if is_wav:
        try:
            for found in islice(riff.walk(stream, max_body=_MAX_SETTINGS), _MOST_CHUNKS):
                if found.name == b"LIST" and found.body[:4] == b"INFO":
                    text = riff.parse_info(found.body).get("ICMT", "")
        except AudioError as error:
            raise KitError(f"{label}: {error}") from error
    else:
        from loopnet_cli.audio.stream import open_audio

        try:
            with open_audio(stream.read(MAX_PIPE), label) as file:
                text = file.comment
        except AudioError as error:
            raise KitError(str(error)) from error
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return settings if isinstance(settings, dict) else {}


def _kit_in(settings: Mapping[str, Any], label: str) -> dict[str, Any]:
    entry, name = settings.get("kit_file"), settings.get("kit")
    if isinstance(entry, dict):
        return entry
    if not isinstance(name, str):
        raise KitError(f"{label} tells of no kit: it was not made by loopnet, or its settings were removed")
    shown = kit_file.one_line(name, 100)
    if name in bank.read_bank():
        raise KitError(f"{label} was made with the built-in kit {shown}, which you have: --kit {shown}")
    raise KitError(f"{label} was made with the kit {shown}, and only its name is in the file: save the kit again")
