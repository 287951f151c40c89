"""Render training bars: a groove, a kit put together from one-shots, a mix; circular and sample-exact.

Everything follows from a seed: `BarRenderer.bar` gives the same bar for the same number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.audio.mixing import compress, place, saturate
from loopnet_cli.data.corpus import Corpus, Instrument
from loopnet_cli.data.grooves import Grooves
from loopnet_cli.data.processing import Treatment, apply_treatment, draw_treatment, soften
from loopnet_cli.data.tonal import tonal_layer
from loopnet_cli.dynamics import CHOKE_SECONDS, choke_lengths, velocity_gain
from loopnet_cli.pattern import STEM_OF_VOICE, STEMS, Pattern

SAMPLE_RATE = 44100
MIX_LEVEL = {
    "kick": 1.0, "snare": 0.8, "clap": 0.65, "rim": 0.5, "hat_closed": 0.4, "hat_open": 0.4,
    "tom": 0.7, "crash": 0.5, "ride": 0.4, "perc": 0.5,
}  # fmt: skip
"""Typical peak levels in a mix, linear."""
VELOCITY_STEPS = 5
Audio = NDArray[np.float32]


@dataclass(frozen=True)
class Drum:
    """One voice of a bar's kit: the instrument, what was done to it, its level in the mix."""

    instrument: Instrument
    treatment: Treatment
    level: float

    def stroke(self, velocity: float) -> Audio:
        """Return the treated stroke at a velocity, at a peak of 1 and full velocity's level."""
        layers = self.instrument.layers
        if len(layers) > 1:
            audio = apply_treatment(layers[min(len(layers) - 1, int(velocity * len(layers)))], self.treatment)
        else:
            audio = soften(apply_treatment(layers[0], self.treatment), velocity)
        return audio / max(float(np.abs(audio).max(initial=0.0)), 1e-6)


@dataclass(frozen=True)
class Bar:
    """A rendered bar (or a few).

    Attributes
    ----------
    pattern : Pattern
        What is played; exact labels.
    drums : Mapping from voice to Drum
        How each voice sounds.
    voices : Mapping from voice to ndarray of float32, shape (samples,)
        What each voice contributes, after the bus.
    tonal : ndarray of float32, shape (samples,)
        The bass or chord layer, zeros on most bars.
    gain : float
        What the mix was multiplied by to reach its level.
    """

    pattern: Pattern
    drums: Mapping[str, Drum]
    voices: Mapping[str, Audio]
    tonal: Audio
    gain: float

    @property
    def stems(self) -> dict[str, Audio]:
        """The four stems; the tonal layer is part of ``rest``."""
        stems = {name: np.zeros_like(self.tonal) for name in STEMS}
        for voice, audio in self.voices.items():
            stems[STEM_OF_VOICE[voice]] = stems[STEM_OF_VOICE[voice]] + audio
        stems["rest"] = stems["rest"] + self.tonal
        return stems

    @property
    def audio(self) -> Audio:
        """The sum of the stems."""
        total: Audio = np.sum(list(self.stems.values()), axis=0, dtype=np.float32)
        return total


def render_voices(pattern: Pattern, drums: Mapping[str, Drum]) -> dict[str, Audio]:
    """Play a pattern on drums, as a sampler would: the voices apart, circular, sample-exact.

    Parameters
    ----------
    pattern : Pattern
        Hits of voices that `drums` lacks stay silent.
    drums : Mapping from voice to Drum

    Returns
    -------
    dict of voice to ndarray of float32, shape (samples,)
    """
    total = pattern.samples(SAMPLE_RATE)
    onsets = pattern.onset_samples(SAMPLE_RATE)
    lengths = choke_lengths(pattern.hits, onsets, total)
    voices = {voice: np.zeros(total, np.float32) for voice in pattern.voices if voice in drums}
    cache: dict[tuple[str, int], Audio] = {}
    for hit, onset, length in zip(pattern.hits, onsets, lengths, strict=True):
        if hit.voice not in voices:
            continue
        drum = drums[hit.voice]
        step = min(int(hit.velocity * VELOCITY_STEPS), VELOCITY_STEPS - 1)
        key = (hit.voice, step)
        if key not in cache:
            cache[key] = drum.stroke((step + 1) / VELOCITY_STEPS)
        stroke = choked(cache[key], length)
        place(voices[hit.voice], stroke * np.float32(drum.level * velocity_gain(hit.velocity)), onset)
    return voices


def choked(stroke: Audio, length: int | None) -> Audio:
    """Cut a stroke that another hit stops after `length` samples, with a short fade."""
    if length is None or length >= len(stroke):
        return stroke
    fade = int(CHOKE_SECONDS * SAMPLE_RATE)
    cut = stroke[: length + fade].copy()
    tail = len(cut) - length
    cut[length:] *= np.linspace(1, 0, fade, dtype=np.float32)[:tail]
    return cut


class BarRenderer:
    """Makes bars from one side of the split.

    Parameters
    ----------
    corpus : Corpus
        One-shots and tonal notes.
    grooves : Grooves
        Patterns; from the same side of the split.
    seed : int
        Bar ``n`` draws from ``(seed, n)``.
    tonal : float
        Share of bars with a bass or chord layer.
    """

    def __init__(self, corpus: Corpus, grooves: Grooves, *, seed: int, tonal: float = 0.25) -> None:
        self.corpus, self.grooves, self.seed, self.tonal = corpus, grooves, seed, tonal

    def bar(self, number: int, *, bars: int = 1) -> Bar:
        """Render bar `number` of the endless list that the seed means."""
        rng = np.random.default_rng([self.seed, number])
        pattern = self.grooves.draw(rng, bars=bars)
        drums = self.drums(pattern.voices, rng)
        voices = render_voices(pattern, drums)
        tonal = np.zeros(pattern.samples(SAMPLE_RATE), np.float32)
        if rng.random() < self.tonal and self.corpus.tonal:
            tonal = tonal_layer(self.corpus.tonal, pattern, rng)
        return self._mixed(pattern, drums, voices, tonal, rng)

    def drums(self, wanted: tuple[str, ...], rng: np.random.Generator) -> dict[str, Drum]:
        """Put a kit together: one base kit; a third of the kits borrow voices even where they need not."""
        base = self.corpus.kits[str(rng.choice(self.corpus.full_kits))]
        treatment = draw_treatment(rng)
        mixed = rng.random() < 0.35
        drums = {}
        for voice in wanted:
            own = base.get(voice, [])
            pool = own if own and not (mixed and rng.random() < 0.5) else self.corpus.instruments(voice)
            instrument = pool[int(rng.integers(len(pool)))]
            level = MIX_LEVEL[voice] * 10 ** (float(rng.uniform(-6, 3)) / 20)
            drums[voice] = Drum(instrument, treatment.varied(rng), level)
        return drums

    @staticmethod
    def _mixed(
        pattern: Pattern,
        drums: dict[str, Drum],
        voices: dict[str, Audio],
        tonal: Audio,
        rng: np.random.Generator,
    ) -> Bar:
        total: Audio = np.sum([*voices.values(), tonal], axis=0, dtype=np.float32)
        peak = max(float(np.abs(total).max()), 1e-6)
        mix: Audio = total / np.float32(peak)
        gain = np.ones_like(mix)
        if rng.random() < 0.4:
            gain *= compress(mix, threshold_db=float(rng.uniform(-24, -10)), ratio=float(rng.uniform(1.5, 6)))
        if rng.random() < 0.2:
            gain *= saturate(mix * gain, drive=float(rng.uniform(0.2, 1.0)))
        final = float(10 ** (rng.uniform(-6, -0.3) / 20) / max(float(np.abs(mix * gain).max()), 1e-6))
        scale = final / peak
        curve = (gain * scale).astype(np.float32)
        return Bar(pattern, drums, {v: a * curve for v, a in voices.items()}, tonal * curve, scale)
