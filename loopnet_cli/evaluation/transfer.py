"""Transfer: is the rhythm of one held-out bar kept, and does it sound like another.

`loopnet_cli.evaluation.transfer_tables` says what is asked and how it is judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.analysis.chroma import chroma
from loopnet_cli.analysis.rhythm import heard_pattern
from loopnet_cli.analysis.section import Section as Bars
from loopnet_cli.analysis.transcriber import Transcriber
from loopnet_cli.controls import Kit
from loopnet_cli.data.renderer import SAMPLE_RATE, Bar, Drum, render_voices
from loopnet_cli.evaluation.bench import Bench, mix_of
from loopnet_cli.evaluation.likeness import FLOORS_DB, Profile, compare, log_mel_statistics, statistics_distance
from loopnet_cli.evaluation.matching import Struck, hits_of_pattern, hits_of_transcription, score
from loopnet_cli.evaluation.stroke_likeness import stroke_embeddings, stroke_spectra
from loopnet_cli.evaluation.transfer_tables import summarise
from loopnet_cli.pattern import STEM_OF_VOICE, STEMS, Pattern
from loopnet_cli.synthesis.timbrenet import as_vector
from loopnet_cli.synthesis.transfer import sound_of, transfer
from loopnet_cli.training.kits import kit_from_drums

__all__ = ["measure", "summarise"]

TRIES = 12
FIRST_B, FIRST_C = 1_000_000, 2_000_000
"""Bars from these numbers on stand in for B and for the random loop; A are the first ones."""
SHORT_LIST = 8

Audio = NDArray[np.float32]


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Transfer between one pair in every way."""
    a, b, c = triple(bench, number)
    rhythm, source = (pattern_heard(bench.transcriber, bar) for bar in (a, b))
    whole, code = transferred(bench, rhythm, b.audio, source, seed=number)
    results = {
        "transfer": whole,
        "code": code,
        "bank": rendered(bench, rhythm, nearest_kit(bench, b.audio, source), seed=number),
        "known": rendered(bench, rhythm, kit_from_drums(bench.model.net, b.drums), seed=number),
        "sampler": sampled(a.pattern, b.drums),
        "itself": a.audio,
    }
    profiles = {name: profile(bench, bar.audio) for name, bar in (("a", a), ("b", b), ("c", c))}
    asked = hits_of_pattern(a.pattern)
    rows = {}
    for name, audio in results.items():
        if name == "itself":
            own: Profile | None = profiles["a"]
        else:
            own = None if audio is None or not np.any(audio) else profile(bench, audio)
        rows[name] = {"rhythm": rhythm_kept(audio, a.audio, asked, bench.transcriber), **compare(own, profiles)}
    return {"rows": rows, "a": profiles["a"].features, "b": profiles["b"].features}


def rhythm_kept(
    result: Audio | None, original: Audio, asked: Sequence[Struck], transcriber: Transcriber
) -> dict[str, Any]:
    """Transcribe a result and compare it with the true hits of the original.

    Parameters
    ----------
    result : ndarray of float32, shape (samples,), or None
        A loop at 44.1 kHz; None where nothing was heard that could be played.
    original : ndarray of float32, shape (samples,)
        Must be as long as the result, within a sample.
    asked : sequence of Struck
    transcriber : Transcriber

    Returns
    -------
    dict
        The ``groups`` of `loopnet_cli.evaluation.matching.score`.

    Raises
    ------
    ValueError
        If the lengths differ.
    """
    heard: list[Struck] = []
    if result is not None:
        if abs(len(result) - len(original)) > 1:
            raise ValueError(f"the result has {len(result)} samples, the original {len(original)}")
        heard = hits_of_transcription(transcriber.transcribe(result, SAMPLE_RATE, circular=True))
    groups: dict[str, Any] = score(heard, asked, len(original) / SAMPLE_RATE)["groups"]
    return groups


def profile(bench: Bench, audio: Audio) -> Profile:
    """Measure what a loop that is not silent sounds like."""
    values = [round(float(value), 5) for value in as_vector(bench.measured(audio))]
    embedding = embedded = None
    if bench.embedder is not None:
        embedding, embedded = bench.embedder.loop(audio, SAMPLE_RATE), stroke_embeddings(bench.embedder, audio)
    statistics = {name: log_mel_statistics(audio, floor) for name, floor in FLOORS_DB.items()}
    return Profile(statistics, stroke_spectra(audio), embedding, embedded, values)


def triple(bench: Bench, number: int) -> tuple[Bar, Bar, Bar]:
    """Return A, B and C: held-out bars whose drums come from different kits."""
    a = bench.dry.bar(number)
    b = _other(bench, FIRST_B + number * TRIES, [a])
    return a, b, _other(bench, FIRST_C + number * TRIES, [a, b])


def _other(bench: Bench, first: int, bars: Sequence[Bar]) -> Bar:
    used = {drum.instrument.kit for bar in bars for drum in bar.drums.values()}
    best, fewest = None, 0
    for number in range(first, first + TRIES):
        bar = bench.dry.bar(number)
        shared = sum(drum.instrument.kit in used for drum in bar.drums.values())
        shared += 100 * any(bar.pattern.hits == other.pattern.hits for other in bars)
        if best is None or shared < fewest:
            best, fewest = bar, shared
        if not shared:
            break
    assert best is not None
    return best


def pattern_heard(transcriber: Transcriber, bar: Bar) -> Pattern:
    """Transcribe a bar whose length and tempo are known."""
    pattern = bar.pattern
    end = len(bar.audio) / SAMPLE_RATE
    bars = Bars(0.0, end, pattern.tempo, pattern.bars, pattern.meter, True, 1.0, "given", {})
    return heard_pattern(transcriber.transcribe(bar.audio, SAMPLE_RATE, circular=True), bars)


def transferred(
    bench: Bench, rhythm: Pattern, sound: Audio, source: Pattern, *, seed: int
) -> tuple[Audio | None, Audio | None]:
    """Have the library play a rhythm with the sound of a recording.

    Returns
    -------
    whole, code : ndarray of float32, or None
        The transfer, and its kit played as it is; None if no stroke was heard in one of the recordings.
    """
    if not rhythm.hits or not source.hits:
        return None, None
    tones = [float(value) for value in chroma(sound, SAMPLE_RATE)]
    found = sound_of(
        bench.model, sound, SAMPLE_RATE, source, timbre=bench.measured(sound), chroma=tones, name="recording"
    )
    whole = transfer(bench.model, rhythm, found, seed=seed, ears=bench.transcriber).audio
    return whole, rendered(bench, rhythm, found.kit, seed=seed)


def rendered(bench: Bench, pattern: Pattern, kit: Kit, *, seed: int) -> Audio | None:
    """Play a pattern with a kit; None if there is nothing to play."""
    return bench.model.render(pattern, kit=kit, seed=seed).audio if pattern.hits else None


def nearest_kit(bench: Bench, sound: Audio, source: Pattern) -> Kit:
    """Return the kit of the bank with which the model's version of a loop is nearest to it.

    Tried are the `SHORT_LIST` kits that are nearest when all play the same other pattern.
    """
    wanted = log_mel_statistics(sound)
    known = bench.kit_statistics
    names = sorted(known, key=lambda name: statistics_distance(known[name], wanted))
    kits = [bench.model.kit(name) for name in names[:SHORT_LIST]]
    if not source.hits:
        return kits[0]
    loops = [bench.model.render(source, kit=kit).audio for kit in kits]
    return kits[int(np.argmin([statistics_distance(log_mel_statistics(loop), wanted) for loop in loops]))]


def sampled(pattern: Pattern, drums: Mapping[str, Drum]) -> Audio | None:
    """Play a pattern's hits on drums, as far as they go; None if there is no drum for any of them."""
    found = borrowed(pattern, drums)
    return mix_of(render_voices(pattern, found)) if found else None


def borrowed(pattern: Pattern, drums: Mapping[str, Drum]) -> dict[str, Drum]:
    """Find a drum for each voice of a pattern: its own, else another of its stem; else it is left out."""
    found = {}
    for voice in pattern.voices:
        for candidate in (voice, *STEMS[STEM_OF_VOICE[voice]]):
            if candidate in drums:
                found[voice] = drums[candidate]
                break
    return found
