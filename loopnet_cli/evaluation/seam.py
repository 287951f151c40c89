"""Seam: the wrap of a loop against the rest of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loopnet_cli.data.renderer import SAMPLE_RATE
from loopnet_cli.evaluation.bench import Bench, user_request
from loopnet_cli.evaluation.report import Cell, Check, Section, Table
from loopnet_cli.evaluation.statistics import share_of
from loopnet_cli.pattern import Pattern

PERCENTILE = 95.0
FRAME, HOP = 512, 64
COMPRESSION = 100.0
REACH = 128
"""A frame whose centre lies within this many samples of a place says what happens there."""
NEAR_SECONDS = 0.010
CUT_SAMPLES = 882
AROUND = 221
"""Samples on each side, together 10 ms."""
SOUND_SECONDS = 0.030
REQUIRED_SHARE = 0.99

METHOD = f"""\
The jump |first sample - last sample| against the {PERCENTILE:g}th percentile of all jumps between neighbouring
samples of the same loop; the spectral flux (512-sample Hann frames every 64 samples, sum of rising log-compressed
magnitudes; the highest of the frames centred within 3 ms) at the wrap against the {PERCENTILE:g}th percentile of
the same over the loop. A hit on the downbeat makes a jump and a flux that belong there, and most patterns have
one. So the test is made on each request with its pattern turned so that the wrap falls into the middle of the
widest gap between hits and the loop rendered anew: nothing excuses a jump there. Also shown: the loops as asked,
apart for those with and without a hit within 10 ms of the wrap; and, to show what the test can see, the turned
loops with their last 20 ms cut off. A gap is quiet, though, so a second test turns the pattern so that the wrap
lies 30 ms after a loud hit, within its sound, and compares the jump there with the highest jump of the 10 ms
around it. Requests: held-out patterns of one or two bars, bank kits and held-out kits, 0 to 6 knobs at random, a
triad in one of four."""


def jumps(audio: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the jump before each sample of a loop; the first entry is the wrap's."""
    x = np.asarray(audio, np.float64)
    return np.abs(x - np.roll(x, 1))


def flux_around(audio: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the highest spectral flux of the frames around each place of a loop; the first entry is the wrap's."""
    from scipy import fft
    from scipy.ndimage import maximum_filter1d

    x = np.asarray(audio, np.float64)
    # places spread evenly over the circle, so that the last to the first is a step like any other
    count = max(1, round(len(x) / HOP))
    centres = np.arange(count) * len(x) // count
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FRAME) / FRAME)
    frames = x[(centres[:, None] + np.arange(-FRAME // 2, FRAME // 2)) % len(x)]
    spectrum = np.abs(fft.rfft(frames * window, axis=1))
    # without compression the ripple of loud low tones hides a click
    spectrum = np.log1p(COMPRESSION * spectrum / max(float(spectrum.max()), 1e-12))
    rising = np.maximum(0.0, spectrum - np.roll(spectrum, 1, axis=0)).sum(axis=1)
    highest: NDArray[np.float64] = maximum_filter1d(rising, 2 * (REACH // HOP) + 1, mode="wrap")
    return highest


def seam_ok(audio: NDArray[np.floating]) -> tuple[bool, bool]:
    """Say whether the wrap's jump, and its flux, are no larger than the loop's own 95th percentile."""
    jump, flux = jumps(audio), flux_around(audio)
    tiny = 1e-9  # a loop of silence is seamless
    return (
        bool(jump[0] <= np.percentile(jump, PERCENTILE) + tiny),
        bool(flux[0] <= np.percentile(flux, PERCENTILE) + tiny),
    )


def smooth_locally(audio: NDArray[np.floating]) -> bool:
    """Say whether the wrap's jump is no larger than the highest of the 10 ms around it."""
    jump = jumps(audio)
    return bool(jump[0] <= max(jump[1:AROUND].max(), jump[-AROUND:].max()) + 1e-9)


def beats_into_sound(pattern: Pattern) -> float | None:
    """Return by how many beats to turn a pattern so that the wrap lies in the sound of a loud hit.

    Returns
    -------
    float or None
        The wrap comes `SOUND_SECONDS` after the loudest hit that no other follows within twice that time; None if
        there is no such hit.
    """
    beat = pattern.seconds / pattern.beats
    for hit in sorted(pattern.hits, key=lambda h: -h.velocity):
        gaps = [(other.beat - hit.beat) % pattern.beats * beat for other in pattern.hits]
        if not any(1e-6 < gap < 2 * SOUND_SECONDS for gap in gaps):
            return float(-(hit.beat + SOUND_SECONDS / beat) % pattern.beats)
    return None


def beats_to_gap(pattern: Pattern) -> float:
    """Return by how many beats to turn a pattern so that the wrap falls into the middle of its widest gap."""
    beats = sorted({hit.beat for hit in pattern.hits})
    ends = [*beats[1:], beats[0] + pattern.beats]
    start, end = max(zip(beats, ends, strict=True), key=lambda gap: gap[1] - gap[0])
    return -(start + end) / 2 % pattern.beats


def hit_at_wrap(pattern: Pattern) -> bool:
    """Say whether a hit lies within `NEAR_SECONDS` of the wrap."""
    total, near = pattern.samples(SAMPLE_RATE), NEAR_SECONDS * SAMPLE_RATE
    return any(min(onset, total - onset) <= near for onset in pattern.onset_samples(SAMPLE_RATE))


def measure(bench: Bench, number: int) -> dict[str, Any]:
    """Test one request as asked and turned, and its length."""
    request = user_request(bench, number)
    loop = request.render(bench.model)
    turned = request.rotated(beats_to_gap(request.pattern))
    gap_loop = turned.render(bench.model)
    original = bench.dry.bar(number)
    away = round(beats_to_gap(original.pattern) / original.pattern.beats * len(original.audio))
    into = beats_into_sound(request.pattern)
    sound_loop = None if into is None else request.rotated(into).render(bench.model).audio
    wanted = request.pattern.samples(SAMPLE_RATE)
    lengths = [len(loop.audio), len(gap_loop.audio), *(len(stem) for stem in loop.stems.values())]
    return {
        "asked": seam_ok(loop.audio),
        "hit": hit_at_wrap(request.pattern),
        "turned": seam_ok(gap_loop.audio),
        "cut": seam_ok(gap_loop.audio[:-CUT_SAMPLES]),
        "original": seam_ok(np.roll(original.audio, away)),
        "sound": None if sound_loop is None else smooth_locally(sound_loop),
        "sound_cut": None if sound_loop is None else smooth_locally(sound_loop[:-CUT_SAMPLES]),
        "exact": all(length == wanted for length in lengths),
    }


def summarise(rows: Sequence[Mapping[str, Any]], seed: int) -> Section:
    """Turn rows into tables and checks."""
    groups = {
        "model, wrap in the widest gap": [row["turned"] for row in rows],
        "model, as asked, no hit at the wrap": [row["asked"] for row in rows if not row["hit"]],
        "model, as asked, a hit at the wrap": [row["asked"] for row in rows if row["hit"]],
        "the originals, wrap in the widest gap": [row["original"] for row in rows],
        "control: model, wrap in the gap, 20 ms cut off": [row["cut"] for row in rows],
    }
    table: list[list[str | Cell]] = []
    for label, results in groups.items():
        cells = [
            Cell.of(share_of([bool(test(r)) for r in results], seed=seed), ".1f", 100)
            for test in (lambda r: r[0], lambda r: r[1], all)
        ]
        table.append([label, str(len(results)), *cells])
    both = share_of([all(row["turned"]) for row in rows], seed=seed)
    exact = share_of([row["exact"] for row in rows], seed=seed)
    checks = [
        Check(
            f"seam: jump and flux at the wrap within the loop's 95th percentile, {REQUIRED_SHARE:.0%} of loops",
            Cell.of(both, ".1f", 100),
            both.value >= REQUIRED_SHARE,
        ),
        Check("seam: exact length, loop and stems, % of loops", Cell.of(exact, ".1f", 100), exact.value == 1.0),
    ]
    columns = ["loops", "N", "jump OK, %", "flux OK, %", "both, %"]
    local: list[list[str | Cell]] = []
    places = (("model, wrap 30 ms after a hit", "sound"), ("control: the same, 20 ms cut off", "sound_cut"))
    for label, key in places:
        passed = [bool(row[key]) for row in rows if row[key] is not None]
        local.append([label, str(len(passed)), Cell.of(share_of(passed, seed=seed), ".1f", 100)])
    tables = [
        Table("Share of loops within their own 95th percentile", columns, table),
        Table("Share of loops whose wrap jumps no more than its surroundings", ["loops", "N", "jump OK, %"], local),
    ]
    return Section("Seam", METHOD, tables, checks)
