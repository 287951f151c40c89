"""From one-shots to kits: codes by the encoder, levels from the mix."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from loopnet_cli.controls import TIMBRE_NAMES, Kit
from loopnet_cli.data.renderer import MIX_LEVEL, Drum
from loopnet_cli.pattern import VOICES
from loopnet_cli.synthesis.descriptor import describe
from loopnet_cli.synthesis.hitnet import HitNet


def kit_from_drums(net: HitNet, drums: Mapping[str, Drum], *, name: str = "drawn", description: str = "") -> Kit:
    """Encode drums as a kit.

    Parameters
    ----------
    net : HitNet
        Its encoder makes the codes.
    drums : Mapping from voice to Drum
        Voices that are missing get a code of zeros (the mean of the training set) and a usual level.
    name, description : str
        As in `Kit`.

    Returns
    -------
    Kit
        With timbre and chroma not yet measured (0.5 and 0).
    """
    codes: dict[str, tuple[float, ...]] = dict.fromkeys(VOICES, (0.0,) * net.config.code)
    levels = dict(MIX_LEVEL)
    present = list(drums)
    if present:
        encoded = net.encode(np.stack([describe(drums[voice].stroke(1.0)) for voice in present]))
        for voice, code in zip(present, encoded, strict=True):
            codes[voice] = tuple(round(float(x), 5) for x in code)
            levels[voice] = round(drums[voice].level, 4)
    return Kit(name, description, codes, levels, dict.fromkeys(TIMBRE_NAMES, 0.5), (0.0,) * 12)
