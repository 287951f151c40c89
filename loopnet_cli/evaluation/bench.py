"""What every section measures on: the held-out material, the model, and one case a number.

Case ``n`` follows from ``(seed, n)`` alone: a held-out pattern, held-out drums, their
render (the original), the kit that the encoder makes of these drums, and the
original's own features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.timbre import timbre_features
from loopnet_cli.analysis.transcriber import Transcriber, load_transcriber
from loopnet_cli.controls import TIMBRE_NAMES, Kit, Knob, Loop
from loopnet_cli.data.corpus import load_corpus
from loopnet_cli.data.grooves import Grooves
from loopnet_cli.data.processing import Treatment
from loopnet_cli.data.renderer import SAMPLE_RATE, Bar, BarRenderer, Drum
from loopnet_cli.evaluation.embedding import Embedder
from loopnet_cli.evaluation.likeness import Statistics, log_mel_statistics
from loopnet_cli.pattern import STEM_OF_VOICE, STEMS, Pattern
from loopnet_cli.synthesis.studio import StudioModel, load_studio
from loopnet_cli.training.kits import kit_from_drums

Audio = NDArray[np.float32]
Stems = Mapping[str, Audio]

OTHER_KIT_TRIES = 300


@dataclass(frozen=True)
class Case:
    """One held-out original and what the model is told of it.

    Attributes
    ----------
    number : int
    bar : Bar
        The original.
    kit : Kit
        Codes of its drums from the encoder, levels as they were mixed.
    timbre : dict of feature name to Knob
        All 21 features of the original, normalised.
    seed : int
        For the model's noise.
    """

    number: int
    bar: Bar
    kit: Kit
    timbre: dict[str, Knob]
    seed: int


class Bench:
    """Held-out material and the model, loaded once per process.

    Parameters
    ----------
    data : Path
        The training material.
    weights : Path or None
        None for the weights that come with the package.
    seed : int
        Of the whole evaluation.
    embedding : Path, optional
        YAMNet's file.

    Attributes
    ----------
    dry, tonal : BarRenderer
        Bars without and with a bass or chord layer; the same drums and hits.
    usual : BarRenderer
        The renderer as it is: the layer on a quarter of the bars.
    """

    def __init__(self, data: Path, weights: Path | None, seed: int, embedding: Path | None = None) -> None:
        self.model: StudioModel = load_studio(weights)
        self.data, self.weights, self.seed, self.embedding = data, weights, seed, embedding
        corpus, grooves = load_corpus(data, test=True), Grooves(data, test=True)
        self.dry = BarRenderer(corpus, grooves, seed=seed, tonal=0.0)
        self.tonal = BarRenderer(corpus, grooves, seed=seed, tonal=1.0)
        self.usual = BarRenderer(corpus, grooves, seed=seed)

    @cached_property
    def transcriber(self) -> Transcriber:
        """The transcriber of the same weights."""
        return load_transcriber(self.weights)

    @cached_property
    def embedder(self) -> Embedder | None:
        """YAMNet, if its file was named."""
        return None if self.embedding is None else Embedder(self.embedding)

    @cached_property
    def kit_statistics(self) -> dict[str, Statistics]:
        """What each kit of the bank sounds like: all play the pattern of the first bar."""
        pattern = self.dry.bar(0).pattern
        loops = {name: self.model.render(pattern, kit=self.model.kit(name)).audio for name in self.model.kit_names}
        return {name: log_mel_statistics(loop) for name, loop in loops.items()}

    def rng(self, number: int, purpose: int) -> np.random.Generator:
        """Return random numbers of their own for a case and a purpose (any small number above 0)."""
        return np.random.default_rng([self.seed, number, purpose])

    def case(self, number: int, *, tonal: bool = False) -> Case:
        """Render original `number`: one bar; with `tonal`, the same drums and hits under a bass or chord."""
        bar = (self.tonal if tonal else self.dry).bar(number)
        kit = kit_from_drums(self.model.net, bar.drums)
        return Case(number, bar, kit, self.features_as_knobs(bar.audio), seed=number)

    def features_as_knobs(self, audio: Audio) -> dict[str, Knob]:
        """Measure a loop and return its 21 features as knob settings, beyond 0..1 where it lies beyond."""
        return {name: Knob(value) for name, value in self.measured(audio).items()}

    def measured(self, audio: Audio) -> dict[str, float]:
        """Measure a loop's 21 features on the scale of the knobs."""
        return self.model.normalisation.to_unit(timbre_features(audio, SAMPLE_RATE))

    def resynthesis(self, case: Case) -> Loop:
        """Return the model's version of an original, given its pattern, kit and features."""
        return self.model.render(case.bar.pattern, kit=case.kit, timbre=case.timbre, seed=case.seed)

    def other_drums(self, case: Case) -> dict[str, Drum]:
        """Draw drums of another held-out kit, as the sampler row plays them.

        No voice may come from a kit that the original uses; where no draw manages that (voices that few held-out
        kits have), the draw with the fewest such voices is taken, which favours the sampler.
        """
        rng = self.rng(case.number, 1)
        used = {drum.instrument.kit for drum in case.bar.drums.values()}
        best: dict[str, Drum] = {}
        fewest = len(case.bar.drums) + 1
        for _ in range(OTHER_KIT_TRIES):
            drums = self.dry.drums(tuple(case.bar.drums), rng)
            shared = sum(drum.instrument.kit in used for drum in drums.values())
            if shared < fewest:
                best, fewest = drums, shared
            if not shared:
                break
        return best

    def held_out_kit(self, pattern: Pattern, rng: np.random.Generator) -> Kit:
        """Draw held-out drums for a pattern and encode them."""
        return kit_from_drums(self.model.net, self.dry.drums(pattern.voices, rng), name="held-out")

    def bank_kit(self, rng: np.random.Generator) -> Kit:
        """Draw a kit of the bank."""
        names = self.model.kit_names
        return self.model.kit(names[int(rng.integers(len(names)))])

    def any_kit(self, number: int, pattern: Pattern, rng: np.random.Generator) -> Kit:
        """Return a bank kit for even numbers, an encoded held-out one for odd numbers."""
        return self.held_out_kit(pattern, rng) if number % 2 else self.bank_kit(rng)


@dataclass(frozen=True)
class Request:
    """What a user may ask for: the arguments of `StudioModel.render`."""

    pattern: Pattern
    kit: Kit
    timbre: dict[str, Knob]
    chroma: tuple[float, ...] | None
    seed: int

    def render(self, model: StudioModel) -> Loop:
        """Have the model render it."""
        return model.render(self.pattern, kit=self.kit, timbre=self.timbre, chroma=self.chroma, seed=self.seed)

    def rotated(self, beats: float) -> Request:
        """Return the same request with its pattern turned."""
        return replace(self, pattern=self.pattern.rotated(beats))


def user_request(bench: Bench, number: int) -> Request:
    """Draw a request: held-out pattern of 1 or 2 bars, any kit, 0 to 6 knobs, a triad for one in four."""
    rng = bench.rng(number, 2)
    pattern = bench.dry.grooves.draw(rng, bars=int(rng.integers(1, 3)))
    kit = bench.any_kit(number, pattern, rng)
    names = rng.choice(TIMBRE_NAMES, size=int(rng.integers(0, 7)), replace=False)
    knobs = {str(name): Knob(float(rng.uniform())) for name in names}
    chroma = triad(int(rng.integers(24))) if rng.random() < 0.25 else None
    return Request(pattern, kit, knobs, chroma, seed=number)


def triad(number: int) -> tuple[float, ...]:
    """Return one of the 24 major (even numbers) and minor (odd) triads as a chroma."""
    root, minor = divmod(number % 24, 2)
    notes = {root, (root + (3 if minor else 4)) % 12, (root + 7) % 12}
    return tuple(1.0 if pitch in notes else 0.0 for pitch in range(12))


def untreated(drums: Mapping[str, Drum]) -> dict[str, Drum]:
    """Return the same instruments at the same levels, as recorded."""
    return {voice: replace(drum, treatment=Treatment()) for voice, drum in drums.items()}


def with_levels(drums: Mapping[str, Drum], levels: Mapping[str, Drum]) -> dict[str, Drum]:
    """Return drums at the levels of other drums."""
    return {voice: replace(drum, level=levels[voice].level) for voice, drum in drums.items()}


def stems_of(voices: Mapping[str, Audio]) -> dict[str, Audio]:
    """Sum voices into the four stems."""
    total = len(next(iter(voices.values())))
    stems = {name: np.zeros(total, np.float32) for name in STEMS}
    for voice, audio in voices.items():
        stems[STEM_OF_VOICE[voice]] = stems[STEM_OF_VOICE[voice]] + audio
    return stems


def mix_of(stems: Mapping[str, Audio]) -> Audio:
    """Sum stems."""
    total: Audio = np.sum(list(stems.values()), axis=0, dtype=np.float32)
    return total
