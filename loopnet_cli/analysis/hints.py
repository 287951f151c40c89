"""What a file says of its own tempo: its ``acid`` chunk, or its name."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

from loopnet_cli.audio.riff import Acid, read_acid

MIN_NAMED_TEMPO, MAX_NAMED_TEMPO = 30.0, 300.0
"""Numbers outside are no tempo, whatever stands beside them."""

# "120bpm", "174-BPM", "92.5 bpm": not the end of a longer number, and "bpm" not the start of a word
_BEFORE = re.compile(r"(?<!\d)(?<!\d[.,])(\d{2,3}(?:[.,]\d{1,3})?)[ _-]?bpm(?![a-z])", re.IGNORECASE)
# "bpm120", "BPM_92.5"
_AFTER = re.compile(r"(?<![a-z])bpm[ _=-]?(\d{2,3}(?:[.,]\d{1,3})?)(?![\d]|[.,]\d)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hints:
    """What a file says of itself.

    Attributes
    ----------
    bpm : float or None
        Its tempo in quarter notes per minute.
    bpm_from : str or None
        Where that was read: ``"acid chunk"`` or ``"file name"``.
    beats : int or None
        Its length in quarter notes, from an ``acid`` chunk.
    meter : tuple of int or None
        From an ``acid`` chunk.
    one_shot : bool
        Whether its ``acid`` chunk calls it a single sound; it then has no tempo.
    """

    bpm: float | None = None
    bpm_from: str | None = None
    beats: int | None = None
    meter: tuple[int, int] | None = None
    one_shot: bool = False


def named_tempo(name: str) -> float | None:
    """Return the tempo that a file name states, e.g. 120.0 of ``loop_120bpm.wav``.

    A number counts only beside the letters "bpm"; a name with two different tempos states none.
    """
    stem = Path(name).stem if re.search(r"\.[A-Za-z][A-Za-z0-9]{1,4}$", name) else Path(name).name
    found = _BEFORE.findall(stem) or _AFTER.findall(stem)
    tempos = {float(text.replace(",", ".")) for text in found}
    tempos = {tempo for tempo in tempos if MIN_NAMED_TEMPO <= tempo <= MAX_NAMED_TEMPO}
    return tempos.pop() if len(tempos) == 1 else None


def file_hints(path: Path, content: bytes | None = None) -> Hints:
    """Read what a file says of its own tempo: the ``acid`` chunk first, then the name.

    Parameters
    ----------
    path : Path
        The file; only its name counts if `content` is given.
    content : bytes, optional
        Its content, where that has been read already.

    Returns
    -------
    Hints
        Empty for a file that cannot be read: whoever reads its audio says so.
    """
    acid = _acid(path, content)
    one_shot = acid is not None and acid.one_shot
    named = named_tempo(path.name)
    if acid is None or one_shot or acid.tempo is None:
        # a chunk without a tempo may still count the beats
        beats = acid.beats if acid is not None and not one_shot and named is None else None
        return Hints(named, "file name" if named else None, beats, acid.meter if beats and acid else None, one_shot)
    return Hints(acid.tempo, "acid chunk", acid.beats, acid.meter)


def _acid(path: Path, content: bytes | None) -> Acid | None:
    if content is not None:
        return read_acid(io.BytesIO(content))
    try:
        with path.open("rb") as stream:
            return read_acid(stream)
    except (OSError, ValueError):
        return None
