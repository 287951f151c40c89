from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from dataset_sounds import add_acid, drum_loop, write

from loopnet_cli.audio.resample import resample_circular
from loopnet_cli.audio.stretch import has_rubberband
from loopnet_cli.controls import TIMBRE_NAMES
from loopnet_cli.data import curation
from loopnet_cli.data.build import BuildSettings
from loopnet_cli.data.curation import FileTask, curate_file, cut_bar, split_of
from loopnet_cli.data.parts import Part, PartsFolder, read_part
from loopnet_cli.data.rows import PAPER_SAMPLES, STUDIO_SAMPLES, TEST, to_float
from loopnet_cli.data.tempo_table import Entry
from loopnet_cli.errors import DatasetError, MissingProgramError

needs_rubberband = pytest.mark.skipif(not has_rubberband(), reason="the program rubberband is not installed")


def task(path: Path, tempo: float | None = 130.0, meter: tuple[int, int] = (4, 4), **settings) -> FileTask:
    entry = None if tempo is None else Entry(tempo, meter)
    return FileTask(BuildSettings(**settings), PartsFolder(path.parent / "a.h5"), path, str(path), "key", entry)


def outcome(task: FileTask) -> Part:
    """What is kept on disk of a file."""
    task.folder.path.mkdir(exist_ok=True)
    assert curate_file(task) == "key"
    return read_part(task.folder.file("key"))


def test_a_loop_at_130_is_cut_as_it_is(tmp_path, fake_ears):
    audio = drum_loop(bars=2)
    part = outcome(task(write(tmp_path / "a.wav", audio)))
    (loop,), rows = part.loops, part.rows
    assert (loop.bars, loop.beats, loop.tempo, loop.tempo_from, loop.sample_rate) == (2, 8, 130.0, "table", 44100)
    assert rows.audio_studio.shape == (2, STUDIO_SAMPLES) and rows.audio_paper.shape == (2, PAPER_SAMPLES)
    assert rows.bar.tolist() == [0, 1] and part.seconds > 0
    for bar in range(2):
        start = round(bar * 240 / 130 * 44100)
        found = to_float(rows.audio_studio[bar])[: STUDIO_SAMPLES - 400]
        np.testing.assert_allclose(found, audio[start : start + len(found)], atol=2e-3)


def test_both_rates_hold_the_same_bar(tmp_path, fake_ears):
    rows = outcome(task(write(tmp_path / "a.wav", drum_loop()))).rows
    studio, paper = to_float(rows.audio_studio[0]), to_float(rows.audio_paper[0])
    np.testing.assert_allclose(resample_circular(studio, PAPER_SAMPLES), paper, atol=1e-3)


@needs_rubberband
@pytest.mark.parametrize("bpm", [120.0, 138.5])
def test_other_tempos_are_stretched_and_beats_stay_in_place(tmp_path, quick, bpm):
    part = outcome(task(write(tmp_path / "a.wav", drum_loop(bars=2, bpm=bpm)), bpm))
    audio = to_float(part.rows.audio_studio[1])
    assert len(audio) == STUDIO_SAMPLES
    reference = drum_loop(bars=2)[STUDIO_SAMPLES : 2 * STUDIO_SAMPLES]
    # where it gets loud, in hundredths of a second
    rises = [np.abs(x[: 184 * 441].reshape(-1, 441)).max(axis=1) for x in (audio, reference)]
    lags = [float(np.dot(rises[0], np.roll(rises[1], lag))) for lag in range(-5, 6)]
    assert abs(int(np.argmax(lags)) - 5) <= 1


def test_a_bar_repeats_without_a_click():
    rate = 44100
    total = round(4 * 240 / 130 * rate)
    loop = np.sin(2 * np.pi * 25 * np.arange(total) / total).astype(np.float32)  # no whole waves a bar
    for bar in range(3):
        cut = cut_bar(loop, rate, bar)
        assert len(cut) == STUDIO_SAMPLES
        assert np.abs(np.diff(np.concatenate([cut, cut]))).max() < 0.02
        start = round(bar * 240 / 130 * rate)
        np.testing.assert_array_equal(cut[:-300], loop[start : start + STUDIO_SAMPLES - 300])


def test_features_are_measured_at_the_rate_of_the_file(tmp_path, fake_ears, monkeypatch):
    rates = []
    real = curation.describe_bar

    def describe(audio, rate, *args, **how):
        rates.append((rate, len(audio)))
        return real(audio, rate, *args, **how)

    monkeypatch.setattr(curation, "describe_bar", describe)
    for rate in (48000, 24000):
        part = outcome(task(write(tmp_path / f"{rate}.wav", drum_loop(rate=rate), rate)))
        assert part.loops[0].sample_rate == rates[-1][0]
    # below 32 kHz there is no measure of timbre: brought to 44.1 kHz
    assert rates == [(48000, 88615), (44100, STUDIO_SAMPLES)]


def test_the_high_band_is_no_constant(tmp_path, fake_ears):
    bright, dull = drum_loop(), drum_loop()
    dull = np.convolve(dull, np.ones(6) / 6, mode="same").astype(np.float32)
    tables = [
        outcome(task(write(tmp_path / f"{n}.wav", audio))).rows.timbre[0] for n, audio in enumerate([bright, dull])
    ]
    high = [n for n, name in enumerate(TIMBRE_NAMES) if name.startswith("high.")]
    differences = np.abs(tables[0] - tables[1])[high]
    assert len(high) == 7 and (differences > 0.01).all() and differences.max() > 1


def test_drums_that_do_not_play_stay_silent(tmp_path):
    rate, total = 44100, STUDIO_SAMPLES
    time = np.arange(8000) / rate
    kick = np.sin(2 * np.pi * (50 * time - 3 * np.exp(-time * 40))) * np.exp(-time * 14)
    kick[-1000:] *= np.linspace(1, 0, 1000)  # cut off, it would click, and a click is a stroke
    audio = np.zeros(total, np.float32)
    for beat in range(4):
        audio[beat * total // 4 :][: len(kick)] += (0.8 * kick).astype(np.float32)
    rows = outcome(task(write(tmp_path / "kicks.wav", audio))).rows
    kicks, snares, hats = rows.activations[0].max(axis=0)
    assert kicks > 0.6 and snares < 0.3 and hats < 0.3


def test_silence_around_a_loop_is_cut_off(tmp_path, quick):
    audio = np.concatenate([np.zeros(9000), drum_loop(), np.zeros(17000)]).astype(np.float32)
    (loop,) = outcome(task(write(tmp_path / "a.wav", audio))).loops
    assert loop.bars == 1 and loop.seconds == pytest.approx(240 / 130, abs=1e-3)


def test_a_steady_offset_is_taken_away(tmp_path, quick):
    audio = np.concatenate([np.zeros(9000), drum_loop() / 2, np.zeros(17000)]).astype(np.float32) + 0.2
    part = outcome(task(write(tmp_path / "a.wav", audio.astype(np.float32))))
    assert part.loops[0].bars == 1 and abs(np.median(to_float(part.rows.audio_studio))) < 0.01


def test_what_is_left_after_the_last_bar_is_not_kept(tmp_path, quick):
    audio = drum_loop(bars=2)[: round(6 * 60 / 130 * 44100)]
    (loop,) = outcome(task(write(tmp_path / "a.wav", audio))).loops
    assert (loop.beats, loop.bars) == (6, 1)


def test_silent_bars_are_not_kept(tmp_path, quick):
    audio = np.concatenate([drum_loop(), np.zeros(STUDIO_SAMPLES, np.float32), drum_loop()])
    part = outcome(task(write(tmp_path / "a.wav", audio)))
    assert part.loops[0].bars == 2 and part.loops[0].beats == 12 and part.rows.bar.tolist() == [0, 2]


def test_levels_are_kept_unless_they_do_not_fit(tmp_path, fake_ears):
    quiet = outcome(task(write(tmp_path / "q.wav", drum_loop() / 20))).rows
    loud = outcome(task(write(tmp_path / "l.wav", drum_loop() * 4, subtype="FLOAT"))).rows
    assert np.abs(to_float(quiet.audio_studio)).max() == pytest.approx(0.04, rel=0.05)
    # scaled, not clipped
    assert np.abs(to_float(loud.audio_studio)).max() == pytest.approx(0.999, abs=0.01)
    assert np.sum(np.abs(loud.audio_studio) > 32000) < 10


@pytest.mark.parametrize("way", ["file name", "acid chunk", "both"])
def test_tempos_that_files_state(tmp_path, quick, way):
    name = {"file name": "loop_130bpm.wav", "acid chunk": "loop.wav", "both": "loop_99bpm.wav"}[way]
    path = write(tmp_path / name, drum_loop())
    if way != "file name":
        add_acid(path, 130.0, (4, 4), 4)
    (loop,) = outcome(task(path, None)).loops
    assert loop.tempo == 130.0 and loop.tempo_from == ("file name" if way == "file name" else "acid chunk")


def test_half_time_is_folded_on_request(tmp_path, quick):
    path = write(tmp_path / "a.wav", drum_loop())
    assert outcome(task(path, 65.0)).rejected[0].reason == "tempo out of range"
    (loop,) = outcome(task(path, 65.0, fold=True)).loops
    assert (loop.tempo, loop.folded, loop.bars) == (130.0, 2.0, 1)


def text(path):
    path.write_bytes(b"this is no audio" * 100)


def empty(path):
    path.touch()


def cut_short(path):
    write(path, drum_loop())
    path.write_bytes(path.read_bytes()[:5000])


def not_numbers(path):
    audio = drum_loop()
    audio[100] = np.nan
    write(path, audio, subtype="FLOAT")


def silent(path):
    write(path, np.zeros(STUDIO_SAMPLES))


def steady(path):
    write(path, np.full(STUDIO_SAMPLES, 0.3))


def cancelling(path):
    write(path, np.stack([drum_loop(), -drum_loop()], axis=1))


def no_samples(path):
    write(path, np.zeros(0))


def telephone(path):
    write(path, drum_loop(rate=8000), 8000)


def many_channels(path):
    write(path, np.zeros((1000, 17)))


def long(path):
    write(path, np.tile(drum_loop(rate=22050), 100), 22050)


def short(path):
    write(path, drum_loop()[: STUDIO_SAMPLES // 2])


def misfit(path):
    write(path, drum_loop()[: round(0.97 * STUDIO_SAMPLES)])


@pytest.mark.parametrize(
    ("make", "tempo", "meter", "reason", "detail"),
    [
        (text, 130, (4, 4), "not readable", "not audio"),
        (empty, 130, (4, 4), "not readable", "empty"),
        (cut_short, 130, (4, 4), "not readable", "cut short"),
        (not_numbers, 130, (4, 4), "not readable", "NaN"),
        (no_samples, 130, (4, 4), "not readable", "0 samples"),
        (many_channels, 130, (4, 4), "not readable", "17 channels"),
        (silent, 130, (4, 4), "silent", "-80 dB"),
        (steady, 130, (4, 4), "silent", "-80 dB"),
        (cancelling, 130, (4, 4), "silent", "-80 dB"),
        (telephone, 130, (4, 4), "sample rate too low", "8000 Hz"),
        (long, 130, (4, 4), "too long", "180 s"),
        (short, 130, (4, 4), "shorter than a bar", "2 beats at 130 BPM"),
        (misfit, 130, (4, 4), "length is no whole beats", "confidence 0.760: 3.880 beats at 130 BPM (table)"),
        (drum_loop, 90, (4, 4), "tempo out of range", "90 BPM (table)"),
        (drum_loop, 130, (7, 8), "not in 4/4", "7/8"),
    ],
)
def test_reasons(tmp_path, make, tempo, meter, reason, detail):
    path = tmp_path / "a.wav"
    write(path, drum_loop()) if make is drum_loop else make(path)
    part = outcome(task(path, tempo, meter))
    assert part.rows is None and part.loops == ()
    (rejected,) = part.rejected
    assert rejected.reason == reason and detail in rejected.detail and rejected.source == str(path)


@pytest.mark.parametrize(("meter", "one_shot", "reason"), [((4, 4), True, "not a loop"), ((7, 8), False, "not in 4/4")])
def test_reasons_in_acid_chunks(tmp_path, meter, one_shot, reason):
    path = add_acid(write(tmp_path / "a.wav", drum_loop()), 130.0, meter, 4, one_shot=one_shot)
    assert outcome(task(path, None)).rejected[0].reason == reason


def test_a_file_of_which_nothing_is_known(tmp_path):
    noise = np.random.default_rng(3).uniform(-0.5, 0.5, 90000).astype(np.float32)
    (rejected,) = outcome(task(write(tmp_path / "a.wav", noise), None)).rejected
    assert rejected.reason in ("no tempo found", "tempo out of range", "length is no whole beats")


def test_what_cannot_be_foreseen_is_a_reason_too(tmp_path, monkeypatch):
    path = write(tmp_path / "a.wav", drum_loop())
    monkeypatch.setattr(curation, "find_fit", lambda *a: 1 / 0)
    (rejected,) = outcome(task(path)).rejected
    assert rejected.reason == "could not be analysed" and "ZeroDivisionError" in rejected.detail


def test_a_missing_file_is_a_reason(tmp_path):
    assert outcome(task(tmp_path / "none.wav")).rejected[0].reason == "not readable"


def test_without_rubberband_the_run_stops(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingProgramError, match="apt install"):
        curate_file(task(write(tmp_path / "a.wav", drum_loop(bpm=120.0)), 120.0))


def test_a_loop_at_130_needs_no_rubberband(tmp_path, quick, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert outcome(task(write(tmp_path / "a.wav", drum_loop()))).loops[0].bars == 1


def test_a_full_disk_stops_the_run(tmp_path, quick):
    with pytest.raises(DatasetError, match="cannot be written"):
        curate_file(task(write(tmp_path / "a.wav", drum_loop())))  # there is no folder for its part


def test_the_split_is_one_in_ten_by_content_and_seed_alone():
    digests = [f"{n:064x}" for n in range(4000)]
    splits = [split_of(digest, 1) for digest in digests]
    assert 320 < splits.count(TEST) < 480
    assert [split_of(digest, 1) for digest in digests[1000:]] == splits[1000:]
    assert [split_of(digest, 2) for digest in digests] != splits
