"""Loops from the paper's models: any tempo, meter and length, at 44.1 kHz, from the controls that the studio takes.

The models know one tempo and one sample rate. So a pattern is put to 130 BPM and rendered in one piece at 16 kHz,
the loop is stretched to the tempo asked by Rubber Band, and its spectrum is placed at 44.1 kHz: there is nothing
above 8 kHz, as in the paper. A kit is taken for its features and its chroma; timbre codes are the studio's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from loopnet_cli.analysis.transcription import ACTIVATIONS, at_audio_rate
from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.audio.stretch import stretch_loop
from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob, Loop
from loopnet_cli.errors import PatternError, UsageError
from loopnet_cli.pattern.model import STEM_OF_VOICE, Pattern
from loopnet_cli.synthesis.curves import frame_count, pattern_activations, pattern_envelope
from loopnet_cli.synthesis.papernet import PAPER_RATE, PAPER_TEMPO

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from loopnet_cli.analysis.normalise import Normalisation
    from loopnet_cli.synthesis.paper import PaperModel

    Array = NDArray[np.float32]

SAMPLE_RATE = 44100
NEAR_SECONDS = 0.1
"""How far an activation is felt: more than twelve times the width of its bump."""
UNHEARD = 5e-4
"""A change of length that is left to resampling: less than a cent of pitch."""
PEAK_DB = -1.0
"""Sample peak of a rendered loop, as the studio has it."""
KNOWN = f"the paper's models know {', '.join(ACTIVATIONS[:-1])} and {ACTIVATIONS[-1]} alone"


@dataclass(frozen=True)
class Curves:
    """What a paper model is given over time: one turn of a loop at 130 BPM and 16 kHz.

    Attributes
    ----------
    activations : ndarray of float32, shape (samples, 3)
        Kick, snare and hat, 0..1.
    envelope : ndarray of float32, shape (samples,)
        Amplitude.
    """

    activations: Array
    envelope: Array


def bar_samples(pattern: Pattern) -> int:
    """Return the length of one of the pattern's bars at 130 BPM and 16 kHz: 29 538 in 4/4."""
    return max(1, round(60 / PAPER_TEMPO * pattern.beats_per_bar * PAPER_RATE))


def paper_samples(pattern: Pattern) -> int:
    """Return the length of a pattern for the models: all of its bars have the same number of samples."""
    return pattern.bars * bar_samples(pattern)


def pattern_curves(pattern: Pattern) -> Curves:
    """Draw the curves of a written pattern: activations with velocities, and the envelope that drums would have."""
    samples = bar_samples(pattern)
    # 130 BPM but for the rounding of a bar, which many bars would add up
    at_tempo = pattern.with_tempo(60 * pattern.beats_per_bar * PAPER_RATE / samples)
    bar, near = at_tempo.beats_per_bar, NEAR_SECONDS * at_tempo.tempo / 60
    # one frame more than a bar has: the spline goes on across its end
    frames = frame_count(samples / PAPER_RATE) + 1
    curves = np.empty((pattern.bars * samples, len(ACTIVATIONS)), np.float32)
    for number in range(pattern.bars):
        # frames are counted from the start of each bar, as in training; other bars' hits are too far to be seen
        places = [((hit.beat - number * bar) % at_tempo.beats) % at_tempo.beats for hit in at_tempo.hits]
        close = [
            replace(hit, beat=beat)
            for hit, beat in zip(at_tempo.hits, places, strict=True)
            if beat < bar + near or beat > at_tempo.beats - near
        ]
        drawn = pattern_activations(replace(at_tempo, hits=tuple(close)), frames)
        curves[number * samples : (number + 1) * samples] = at_audio_rate(drawn, samples, PAPER_RATE)
    return Curves(curves, pattern_envelope(at_tempo, len(curves), PAPER_RATE))


def needs_stretching(pattern: Pattern) -> bool:
    """Return whether a loop of this pattern has to be stretched, for which Rubber Band is needed."""
    return abs(pattern.samples(PAPER_RATE) - paper_samples(pattern)) > UNHEARD * paper_samples(pattern)


class PaperPlayer:
    """One of the paper's models, used like the studio model.

    Parameters
    ----------
    model : PaperModel
    units : Normalisation
        What kits count their features in: the studio's.
    """

    tempo = PAPER_TEMPO
    """The one that needs no stretching."""

    def __init__(self, model: PaperModel, units: Normalisation) -> None:
        self.model, self.units = model, units

    @property
    def normalisation(self) -> Normalisation:
        """The units of its knobs: 0 and 1 are the 5th and 95th percentile of the bars it was trained on."""
        return self.model.timbre

    def render(
        self,
        pattern: Pattern,
        *,
        kit: Kit,
        timbre: Mapping[str, Knob] | None = None,
        chroma: Sequence[float] | None = None,
        seed: int = 0,
        curves: Curves | None = None,
    ) -> Loop:
        """Render a loop.

        Parameters
        ----------
        pattern : Pattern
            The rhythm, at the tempo asked.
        kit : Kit
            Its features, in the studio's units, and its chroma; nothing else of it is used.
        timbre : Mapping from feature name to Knob, optional
            Knobs count in the model's own units: absolute ones replace what the kit has, relative ones add to it.
        chroma : sequence of 12 float, optional
            In the place of the kit's.
        seed : int
            Which noise is heard, at least 0.
        curves : Curves, optional
            Heard in a recording; by default those of the pattern.

        Returns
        -------
        Loop
            44.1 kHz, exactly ``pattern.samples()`` samples, peak at -1 dBFS, no stems.

        Raises
        ------
        UsageError
            If a feature is unknown, the chroma is not twelve numbers, the seed is negative or nothing is played.
        AudioError
            If the loop has to be stretched and Rubber Band is missing.
        """
        audio, settings = self._sounded(pattern, curves, kit, timbre, chroma, seed)
        return _loop(audio * _gain(audio), pattern, seed, settings)

    def render_alone(
        self,
        pattern: Pattern,
        chosen: Pattern,
        *,
        kit: Kit,
        timbre: Mapping[str, Knob] | None = None,
        chroma: Sequence[float] | None = None,
        seed: int = 0,
        curves: Curves | None = None,
    ) -> tuple[Loop, Loop]:
        """Render some of the hits alone, by silencing the other activations; see `render`.

        Parameters
        ----------
        chosen : Pattern
            The hits that are kept.

        Returns
        -------
        alone, whole : Loop
            At the levels that they have beside each other.

        Raises
        ------
        PatternError
            If none of the model's three drums is among the hits.
        """
        kept = kept_curves(pattern, chosen, curves)
        whole, settings = self._sounded(pattern, curves, kit, timbre, chroma, seed)
        alone, _ = self._sounded(chosen, kept, kit, timbre, chroma, seed)
        gain = _gain(whole)
        of_alone = {**settings, "isolate": list(chosen.voices)}
        return _loop(alone * gain, pattern, seed, of_alone), _loop(whole * gain, pattern, seed, settings)

    def warnings(self, pattern: Pattern) -> tuple[str, ...]:
        """Return what the user should know of a pattern before this model plays it."""
        lost = [voice for voice in pattern.voices if STEM_OF_VOICE[voice] not in ACTIVATIONS]
        if not lost:
            return ()
        heard = "shape the envelope at most" if self.model.config.has_envelope else "are not heard"
        return (f"{', '.join(lost)} {heard}: {KNOWN}",)

    def asked(self, kit: Kit, timbre: Mapping[str, Knob]) -> dict[str, float]:
        """Return all 21 features that are asked for, in the model's own units."""
        asked = self.normalisation.to_unit(self.units.from_unit({name: kit.timbre[name] for name in TIMBRE_NAMES}))
        for name, knob in timbre.items():
            asked[name] = asked[name] + knob.value if knob.relative else knob.value
        return asked

    def _sounded(
        self,
        pattern: Pattern,
        curves: Curves | None,
        kit: Kit,
        timbre: Mapping[str, Knob] | None,
        chroma: Sequence[float] | None,
        seed: int,
    ) -> tuple[Array, dict[str, object]]:
        timbre = dict(timbre or {})
        if unknown := sorted(timbre.keys() - set(TIMBRE_NAMES)):
            raise UsageError(f"unknown timbre feature {unknown[0]!r}: use one of {', '.join(TIMBRE_NAMES)}")
        if chroma is not None and len(chroma) != len(kit.chroma):
            raise UsageError(f"a chroma has {len(kit.chroma)} numbers, not {len(chroma)}")
        if seed < 0:
            raise UsageError(f"seed {seed} must not be negative")
        if curves is None:
            if not pattern.only(ACTIVATIONS).hits:
                raise UsageError(f"the pattern has no hits to render: {KNOWN}")
            curves = pattern_curves(pattern)
        asked = self.asked(kit, timbre)
        points = self.normalisation.from_unit(asked)
        made = self.model.bars(
            curves.activations[None],
            curves.envelope[None] if self.model.config.has_envelope else None,
            np.array([kit.chroma if chroma is None else chroma], np.float32),
            np.array([[points[name] for name in TIMBRE_NAMES]], np.float32),
            seed=seed,
            bars=pattern.bars,
        )[0]
        if needs_stretching(pattern):
            made = stretch_loop(made, PAPER_RATE, max(1, pattern.samples(PAPER_RATE)))
        # a drum has no offset; the network may leave one
        made = made - made.mean(dtype=np.float64).astype(np.float32)
        settings: dict[str, object] = {
            "model": self.model.name,
            "model_sha256": self.model.checksum,
            "kit": kit.name,
            "timbre": {name: (f"{k.value:+g}" if k.relative else k.value) for name, k in timbre.items()},
            "timbre_asked": {name: round(asked[name], 4) for name in TIMBRE_NAMES},
            "chroma": None if chroma is None else [float(value) for value in chroma],
            "chroma_asked": [round(float(value), 4) for value in (kit.chroma if chroma is None else chroma)],
            "seed": seed,
        }
        return resample_circular(made, pattern.samples(SAMPLE_RATE)), settings


def kept_curves(pattern: Pattern, chosen: Pattern, curves: Curves | None = None) -> Curves:
    """Return the curves of some hits alone; the envelope is drawn anew from them.

    Parameters
    ----------
    pattern, chosen : Pattern
        All hits, and those that are kept.
    curves : Curves, optional
        Of all, as heard: a drum that is kept whole keeps its activation.

    Raises
    ------
    PatternError
        If none of the three drums is kept.
    """
    kept = chosen.only(ACTIVATIONS)
    if not kept.hits:
        raise PatternError(f"no {' or '.join(chosen.voices)} to be left alone: {KNOWN}")
    drawn = pattern_curves(chosen)
    if curves is None:
        return drawn
    activations = drawn.activations.copy()
    for column, stem in enumerate(ACTIVATIONS):
        if kept.only([stem]).hits and kept.only([stem]).voices == pattern.only([stem]).voices:
            activations[:, column] = curves.activations[:, column]
    return Curves(activations, drawn.envelope)


def load_player(name: str | Path) -> PaperPlayer:
    """Load a model, bundled or by its path, together with what kits are counted in.

    Raises
    ------
    UsageError, WeightsError
        As `loopnet_cli.synthesis.paper.load_paper` does.
    """
    from loopnet_cli.synthesis.bank import read_normalisation
    from loopnet_cli.synthesis.paper import load_paper

    return PaperPlayer(load_paper(name), read_normalisation())


def _gain(audio: Array) -> np.float32:
    return np.float32(10 ** (PEAK_DB / 20) / max(float(np.abs(audio).max(initial=0.0)), 1e-6))


def _loop(audio: Array, pattern: Pattern, seed: int, settings: Mapping[str, object]) -> Loop:
    return Loop(audio, {}, SAMPLE_RATE, pattern.tempo, pattern.bars, pattern.meter, seed, dict(settings))
