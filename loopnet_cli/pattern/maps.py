"""Drum maps: which voice a MIDI note plays.

The built-in maps:

======== ==================================================================================
gm       General MIDI percussion, with the GM2/GS effects below it (notes 27 to 87)
roland   Roland TD kits as in the Groove MIDI Dataset: GM plus hi-hat edges and the tom 3 rim
alesis   Alesis Nitro kits: GM plus half-open (23) and splashed (21) hi-hat
xg       Yamaha XG standard kit: other sounds than GM on notes 13 to 34
auto     roland where a file plays notes 22 or 26, otherwise gm
======== ==================================================================================
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.model import VOICES

GM_PERCUSSION: tuple[tuple[int, str, str], ...] = (
    (27, "High Q", "perc"),
    (28, "Slap", "perc"),
    (29, "Scratch Push", "perc"),
    (30, "Scratch Pull", "perc"),
    (31, "Sticks", "rim"),
    (32, "Square Click", "perc"),
    (33, "Metronome Click", "perc"),
    (34, "Metronome Bell", "perc"),
    (35, "Acoustic Bass Drum", "kick"),
    (36, "Bass Drum 1", "kick"),
    (37, "Side Stick", "rim"),
    (38, "Acoustic Snare", "snare"),
    (39, "Hand Clap", "clap"),
    (40, "Electric Snare", "snare"),
    (41, "Low Floor Tom", "tom"),
    (42, "Closed Hi Hat", "hat_closed"),
    (43, "High Floor Tom", "tom"),
    (44, "Pedal Hi Hat", "hat_closed"),
    (45, "Low Tom", "tom"),
    (46, "Open Hi Hat", "hat_open"),
    (47, "Low-Mid Tom", "tom"),
    (48, "Hi-Mid Tom", "tom"),
    (49, "Crash Cymbal 1", "crash"),
    (50, "High Tom", "tom"),
    (51, "Ride Cymbal 1", "ride"),
    (52, "Chinese Cymbal", "crash"),
    (53, "Ride Bell", "ride"),
    (54, "Tambourine", "perc"),
    (55, "Splash Cymbal", "crash"),
    (56, "Cowbell", "perc"),
    (57, "Crash Cymbal 2", "crash"),
    (58, "Vibraslap", "perc"),
    (59, "Ride Cymbal 2", "ride"),
    (60, "Hi Bongo", "perc"),
    (61, "Low Bongo", "perc"),
    (62, "Mute Hi Conga", "perc"),
    (63, "Open Hi Conga", "perc"),
    (64, "Low Conga", "perc"),
    (65, "High Timbale", "perc"),
    (66, "Low Timbale", "perc"),
    (67, "High Agogo", "perc"),
    (68, "Low Agogo", "perc"),
    (69, "Cabasa", "perc"),
    (70, "Maracas", "perc"),
    (71, "Short Whistle", "perc"),
    (72, "Long Whistle", "perc"),
    (73, "Short Guiro", "perc"),
    (74, "Long Guiro", "perc"),
    (75, "Claves", "perc"),
    (76, "Hi Wood Block", "perc"),
    (77, "Low Wood Block", "perc"),
    (78, "Mute Cuica", "perc"),
    (79, "Open Cuica", "perc"),
    (80, "Mute Triangle", "perc"),
    (81, "Open Triangle", "perc"),
    (82, "Shaker", "perc"),
    (83, "Jingle Bell", "perc"),
    (84, "Belltree", "perc"),
    (85, "Castanets", "perc"),
    (86, "Mute Surdo", "perc"),
    (87, "Open Surdo", "perc"),
)
"""Note, name and voice of General MIDI percussion (35 to 81) with GM2's additions (27 to 34, 82 to 87)."""

MAX_BYTES = 1 << 20
"""Of a drum map's file."""

_GM = {note: voice for note, _, voice in GM_PERCUSSION}
_ROLAND = _GM | {22: "hat_closed", 26: "hat_open", 58: "tom"}
_ALESIS = _GM | {21: "hat_open", 23: "hat_open"}
_XG = _GM | {
    **dict.fromkeys((13, 14, 15, 16, 17, 18, 20, 21, 22, 23, 24, 30), "perc"),
    19: "clap",  # finger snap
    **dict.fromkeys((25, 26, 27, 28, 29, 31), "snare"),  # brushes, roll, soft snare
    32: "rim",
    33: "kick",
    34: "rim",
}

DRUM_MAPS: Mapping[str, Mapping[int, str]] = MappingProxyType(
    {name: MappingProxyType(m) for name, m in
     {"gm": _GM, "roland": _ROLAND, "alesis": _ALESIS, "xg": _XG}.items()}
)  # fmt: skip
"""The built-in maps by name (``auto`` is a choice between two of them)."""

NOTE_OF_VOICE: Mapping[str, int] = MappingProxyType(
    {"kick": 36, "snare": 38, "clap": 39, "rim": 37, "hat_closed": 42, "hat_open": 46,
     "tom": 45, "crash": 49, "ride": 51, "perc": 56}
)  # fmt: skip
"""The GM note that each voice is written as. Every built-in map reads it back as the same voice."""


def gm_name(note: int) -> str:
    """Return the General MIDI name of a percussion note, or an empty string."""
    return next((name for number, name, _ in GM_PERCUSSION if number == note), "")


def drum_map(name: str, notes: Iterable[int] = ()) -> Mapping[int, str]:
    """Return a built-in map from MIDI note to voice.

    Parameters
    ----------
    name : str
        ``gm``, ``roland``, ``alesis``, ``xg`` or ``auto``.
    notes : iterable of int
        The notes that a file plays, for ``auto``.

    Raises
    ------
    PatternError
        If there is no such map.
    """
    key = name.strip().lower()
    if key == "auto":
        # 22 and 26 mean nothing in GM, so a file that plays them comes from a TD-like kit
        key = "roland" if {22, 26} & set(notes) else "gm"
    if key not in DRUM_MAPS:
        near = get_close_matches(key, [*DRUM_MAPS, "auto"], n=1)
        hint = f"did you mean {near[0]}?" if near else f"use auto, {', '.join(DRUM_MAPS)} or a map file"
        raise PatternError(f"no drum map named {name!r}: {hint}")
    return DRUM_MAPS[key]


def find_drum_map(name_or_path: str | Path, notes: Iterable[int] = ()) -> Mapping[int, str]:
    """Return a drum map by built-in name or, where it looks like a path, from a file.

    Raises
    ------
    PatternError
        As `drum_map` and `read_drum_map` do.
    """
    if isinstance(name_or_path, Path) or name_or_path.lower().endswith((".toml", ".json")):
        return read_drum_map(name_or_path)
    return drum_map(name_or_path, notes)


def read_drum_map(path: str | Path) -> Mapping[int, str]:
    """Read a drum map from a TOML or JSON file.

    Each entry maps a note (a number, or a GM name such as ``"Cowbell"``) to a voice. An entry
    ``base`` names the built-in map that the entries add to (default ``gm``, ``none`` for nothing).
    The entries may stand in a table called ``notes``.

    Raises
    ------
    PatternError
        If the file cannot be read, or an entry is no note or no voice; the message names the entry.
    """
    path = Path(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise PatternError(f"drum map {path} is larger than {MAX_BYTES >> 20} MB")
        text = content.decode("utf-8-sig")
        data = json.loads(text) if path.suffix.lower() == ".json" else tomllib.loads(text)
    except OSError as error:
        raise PatternError(f"cannot read drum map {path}: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # bad TOML, JSON or UTF-8
        first = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise PatternError(f"drum map {path} is not valid TOML or JSON: {first}") from None
    if not isinstance(data, dict):
        raise PatternError(f'drum map {path} must be a table of notes and voices, such as 36 = "kick"')
    entries = dict(data)
    base = entries.pop("base", "gm")
    notes = entries.pop("notes", {})
    if not isinstance(base, str) or not isinstance(notes, dict):
        raise PatternError(f"drum map {path}: 'base' must be a map's name and 'notes' a table")
    result = {} if base == "none" else dict(drum_map(base))
    for key, voice in (entries | notes).items():
        result[_note_number(str(key), path)] = _voice(voice, str(key), path)
    if not result:
        raise PatternError(f'drum map {path} is empty: add entries such as 36 = "kick"')
    return MappingProxyType(result)


def _plain(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _note_number(key: str, path: Path) -> int:
    if key.strip().isdecimal():
        # isdecimal accepts long digit strings; compare by length before converting
        if len(key.strip()) <= 3 and int(key) <= 127:
            return int(key)
        raise PatternError(f"drum map {path}: note {key[:20]} must lie between 0 and 127")
    names = {_plain(name): (note, name) for note, name, _ in GM_PERCUSSION}
    if _plain(key) in names:
        return names[_plain(key)][0]
    near = get_close_matches(_plain(key), names, n=1)
    hint = f"did you mean {names[near[0]][1]!r}?" if near else "use a number from 0 to 127 or a GM name"
    raise PatternError(f"drum map {path}: no percussion note named {key!r}: {hint}")


def _voice(voice: object, key: str, path: Path) -> str:
    if isinstance(voice, str) and voice in VOICES:
        return voice
    near = get_close_matches(str(voice).lower(), VOICES, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"use one of {', '.join(VOICES)}"
    raise PatternError(f"drum map {path}: {key} = {str(voice)[:40]!r} is not a voice: {hint}")
