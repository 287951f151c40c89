"""Named places in a WAV file, as editors and samplers show them: ``cue `` and ``LIST adtl`` chunks.

Source: "Multimedia Programming Interface and Data Specifications 1.0", chapter on WAVE.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from loopnet_cli.audio import riff


def cue_chunks(places: Sequence[tuple[int, str]]) -> bytes:
    """Return the chunks that name places in a file.

    Parameters
    ----------
    places : sequence of (int, str)
        Sample and label, in the order of the file.
    """
    points = b"".join(struct.pack("<II4sIII", n, at, b"data", 0, 0, at) for n, (at, _) in enumerate(places, 1))
    labels = b"".join(
        riff.chunk(b"labl", struct.pack("<I", n) + label.encode("utf-8") + b"\0")
        for n, (_, label) in enumerate(places, 1)
    )
    return riff.chunk(b"cue ", struct.pack("<I", len(places)) + points) + riff.chunk(b"LIST", b"adtl" + labels)
