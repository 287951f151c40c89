"""From MIDI to patterns: which notes, which tempo and meter, how many bars."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from smf_bytes import header, hits, marker, meter, name, song, tempo, track, varint

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern import MidiPattern, Pattern, read_midi

FOUR_BARS = [float(b) for b in range(16)]


def beats(pattern: Pattern, voice: str = "kick") -> list[float]:
    return [round(h.beat, 3) for h in pattern.hits if h.voice == voice]


def read(*where: float, end: int = 1, before: bytes = b"", **options: object) -> MidiPattern:
    return read_midi(song(before + hits(*where), end=end), **options)  # type: ignore[arg-type]


# which notes are drums


def test_channel_ten_wins_over_other_channels() -> None:
    body = hits(0.0, channel=0, note=38) + hits(0.0, 1.0)
    assert read_midi(song(body)).pattern.voices == ("kick",)


def test_a_track_that_says_drums_by_name_or_bank() -> None:
    piano = track(name("Piano") + hits(0.0, 0.5, channel=0, note=60))
    for drums in (
        track(name("My Drum Kit") + hits(0.0, 1.0, channel=1)),
        track(b"\x00\xb1\x00\x7f" + hits(0.0, 1.0, channel=1)),
    ):
        result = read_midi(header(2, kind=1) + piano + drums)
        assert beats(result.pattern) == [0, 1]


def test_the_only_track_is_drums() -> None:
    assert beats(read_midi(song(hits(0.0, 1.0, channel=3))).pattern) == [0, 1]


def test_no_drums_names_the_tracks() -> None:
    piano = track(name("Piano") + hits(0.0, channel=0, note=60))
    bass = track(hits(0.0, channel=1, note=40))
    with pytest.raises(PatternError) as caught:
        read_midi(header(2, kind=1) + piano + bass)
    assert "'Piano' on channel 1; track 2 on channel 2" in str(caught.value)


def test_separate_songs_are_not_mixed() -> None:
    result = read_midi(header(2, kind=2) + track(hits(0.0)) + track(hits(0.0, note=38)))
    assert result.pattern.voices == ("kick",)
    assert "2 separate songs: read track 1" in result.warnings[0]


# voices


def test_unmapped_notes_are_counted_and_named() -> None:
    result = read_midi(song(hits(0.0, 1.0) + hits(0.0, 1.0, 2.0, note=100) + hits(0.0, note=26)), drum_map="gm")
    assert dict(result.unmapped) == {26: 1, 100: 3}
    assert "4 of 6 notes have no voice: 26 x 1, 100 x 3" in result.warnings[0]


def test_a_file_with_only_unmapped_notes_is_refused() -> None:
    with pytest.raises(PatternError, match=r"no voice for any of its notes \(100 x 1\): give a drum map"):
        read_midi(song(hits(0.0, note=100)))


def test_maps_by_mapping_name_and_file(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text('100 = "clap"')
    data = song(hits(0.0, note=100) + hits(0.0, note=58))
    assert read_midi(data, drum_map={100: "rim"}).pattern.voices == ("rim",)
    assert read_midi(data, drum_map="roland").pattern.voices == ("tom",)
    for given in (path, str(path)):
        assert read_midi(data, drum_map=given).pattern.voices == ("clap", "perc")
    with pytest.raises(PatternError, match=r"^no drum map named 'rolan': did you mean roland"):
        read_midi(data, drum_map="rolan")


def test_doubled_strokes_keep_the_strongest() -> None:
    body = b"\x00\x99\x24\x20\x00\x99\x24\x7f\x00\x99\x23\x40\x00\x99\x26\x01"
    result = read_midi(song(body))
    assert [(h.voice, h.velocity) for h in result.pattern.hits] == [("kick", 1.0), ("snare", 1 / 127)]
    assert result.dropped == 2


# tempo and meter


def test_tempo_and_meter_of_the_file() -> None:
    result = read(0.0, 1.0, before=tempo(476_190) + meter(3, 2))
    assert (result.pattern.tempo, result.pattern.meter) == (126.0, (3, 4))
    assert (result.tempo_source, result.meter_source, result.warnings) == ("file", "file", ())


def test_missing_tempo_is_120_and_said() -> None:
    result = read(0.0)
    assert (result.pattern.tempo, result.tempo_source, result.meter_source) == (120, "default", "default")
    assert "no tempo: took 120 BPM" in result.warnings[0]


def test_given_tempo_and_meter_win() -> None:
    result = read(0.0, 3.5, before=tempo(500_000) + meter(4, 2), tempo=90, meter=(7, 8))
    assert (result.pattern.tempo, result.pattern.meter, result.pattern.bars) == (90, (7, 8), 1)
    assert (result.tempo_source, result.meter_source) == ("given", "given")


def test_the_tempo_that_lasts_longest_in_seconds_and_beats_stay() -> None:
    # 8 beats at 60 BPM (8 s), 10 beats at 120 (5 s)
    body = tempo(1_000_000) + tempo(500_000, 8 * 480)
    signs, drums = track(body), track(hits(*range(18)))
    result = read_midi(header(2, kind=1) + signs + drums)
    assert result.pattern.tempo == 60
    assert beats(result.pattern)[:16] == FOUR_BARS
    assert "changes between 60 and 120 BPM: took 60 BPM" in result.warnings[0]


def test_the_meter_that_lasts_longest() -> None:
    signs = track(meter(4, 2) + meter(3, 2, 4 * 480))
    result = read_midi(header(2, kind=1) + signs + track(hits(*range(16))))
    assert result.pattern.meter == (3, 4)
    assert any("meter changes (4/4, 3/4): took 3/4" in w for w in result.warnings)


@pytest.mark.parametrize(("numerator", "power", "bar"), [(3, 2, 3), (6, 3, 3), (5, 2, 5), (7, 3, 3.5), (12, 3, 6)])
def test_meters(numerator: int, power: int, bar: float) -> None:
    result = read(0.0, bar, 2 * bar - 0.5, before=meter(numerator, power))
    assert (result.pattern.bars, result.pattern.beats_per_bar) == (2, bar)


@pytest.mark.parametrize("sign", [meter(0, 2), meter(4, 60), meter(200, 2), tempo(0)])
def test_senseless_signs_are_ignored(sign: bytes) -> None:
    result = read(0.0, before=sign)
    assert (result.pattern.meter, result.pattern.tempo) == ((4, 4), 120)


@pytest.mark.parametrize("given", [0, 10_000, float("nan")])
def test_impossible_tempo_given(given: float) -> None:
    with pytest.raises(PatternError, match="tempo"):
        read(0.0, tempo=given)


def test_impossible_tempo_in_the_file() -> None:
    with pytest.raises(PatternError, match=r"tempo of 600 BPM lies outside 20 to 400: give another with --bpm"):
        read(0.0, before=tempo(100_000))


def test_files_that_count_in_frames() -> None:
    # 25 frames of 40 ticks: 1000 ticks a second, so a beat at 120 BPM is 500 ticks
    body = tempo(500_000) + b"".join(varint(0 if i == 0 else 500) + b"\x99\x24\x64" for i in range(8))
    result = read_midi(header(division=0xE728) + track(body))
    assert (beats(result.pattern), result.pattern.bars) == ([0, 1, 2, 3, 4, 5, 6, 7], 2)


# bars


def test_whole_bars_not_the_last_note() -> None:
    assert read(*range(13)).pattern.bars == 4


def test_a_last_stroke_on_or_just_after_the_bar_line_is_the_downbeat() -> None:
    for late in (16.0, 16.05, 16.19):
        result = read(*FOUR_BARS, late)
        assert (result.pattern.bars, beats(result.pattern), result.dropped) == (4, FOUR_BARS, 1)


def test_a_sixteenth_after_the_bar_line_is_a_new_bar() -> None:
    assert read(*FOUR_BARS, 16.25).pattern.bars == 5


def test_the_wrapped_stroke_stays_where_nothing_of_its_voice_stands() -> None:
    late = read(*range(1, 16), 16.05)
    assert (late.pattern.bars, late.dropped, beats(late.pattern)[0]) == (4, 0, 0.05)


def test_a_lone_downbeat_fills_up_four_bars() -> None:
    assert read(0.0, 4.0, 8.0, 12.0).pattern.bars == 4


def test_an_early_last_stroke_gives_way_to_the_downbeat_but_stands_alone_otherwise() -> None:
    assert beats(read(*FOUR_BARS, 15.96).pattern) == FOUR_BARS
    assert beats(read(*FOUR_BARS[1:], 15.96).pattern)[-1] == 15.96


def test_a_pickup_wraps_to_the_end() -> None:
    result = read(3.75, *(4 + b for b in FOUR_BARS))
    assert (result.pattern.bars, beats(result.pattern)) == (4, [*FOUR_BARS, 15.75])
    assert "a pickup before its first bar was wrapped" in result.warnings[-1]


def test_a_pickup_in_a_file_of_five_whole_bars() -> None:
    # ends on the bar line after bar 5: a pickup and four bars
    result = read(3.75, *(4 + b for b in FOUR_BARS), end=480)
    assert (result.pattern.bars, beats(result.pattern)[-1]) == (4, 15.75)


def test_a_stated_length_keeps_silence() -> None:
    # one stroke at 3.75, then rest to the end of bar 4
    result = read(3.75, 8.0, end=8 * 480)
    assert (result.pattern.bars, beats(result.pattern)) == (4, [3.75, 8])
    assert read(0.0, end=4 * 1920).pattern.bars == 4


def test_an_end_long_after_the_music_is_the_songs() -> None:
    assert read(*FOUR_BARS, end=480 + 96 * 1920).pattern.bars == 4


def test_a_clip_far_into_a_song_starts_with_its_music() -> None:
    result = read(*(32 + b for b in FOUR_BARS))
    assert (result.pattern.bars, beats(result.pattern)) == (4, FOUR_BARS)
    assert "first 8 bars are silent" in result.warnings[-1]


def test_loop_markers_are_obeyed_to_the_tick() -> None:
    signs = track(marker("loopStart", 1920) + marker("loopEnd", 8 * 480))
    result = read_midi(header(2, kind=1) + signs + track(hits(0.0, 4.0, 11.998, 12.0)))
    assert (result.pattern.bars, beats(result.pattern), result.dropped) == (2, [0, 7.998], 2)


def test_loop_markers_leave_strokes_at_the_seam_alone() -> None:
    inside = song(marker("loopStart") + hits(1.0, 8.0, 15.998) + marker("LOOPEND", 480 * 16 - 7679))
    result = read_midi(inside)
    assert (result.pattern.bars, beats(result.pattern)) == (4, [1, 8, 15.998])


def test_loop_markers_that_make_no_bars_are_ignored() -> None:
    result = read_midi(song(marker("loopStart") + hits(0.0, 1.0) + marker("loopEnd", 100)))
    assert result.pattern.bars == 1
    assert any("do not enclose whole bars" in w for w in result.warnings)


def test_bars_takes_the_first_or_repeats() -> None:
    assert beats(read(*FOUR_BARS, bars=2).pattern) == FOUR_BARS[:8]
    repeated = read(0.0, 3.0, bars=3).pattern
    assert (repeated.bars, beats(repeated)) == (3, [0, 3, 4, 7, 8, 11])


def test_bars_of_a_pickup_wraps_to_their_end() -> None:
    result = read(3.75, *(4 + b for b in FOUR_BARS), bars=2)
    assert (result.pattern.bars, beats(result.pattern)) == (2, [*FOUR_BARS[:8], 7.75])


def test_ten_thousand_bars() -> None:
    where = [0.0, 1.0, 40_000 - 1.0]
    with pytest.raises(PatternError, match=r"10000 bars: a loop has 1 to \d+; use --bars N"):
        read(*where)
    assert beats(read(*where, bars=1).pattern) == [0, 1]


@pytest.mark.parametrize("bars", [0, -1, 100_000])
def test_impossible_bars(bars: int) -> None:
    with pytest.raises(PatternError, match="bars asked for"):
        read(0.0, bars=bars)


def test_bars_without_strokes() -> None:
    with pytest.raises(PatternError, match="no strokes in the first 1 bars"):
        read(5.0, 9.0, bars=1)


# files


def test_errors_name_the_file_in_one_line(tmp_path: Path) -> None:
    good = song(hits(*FOUR_BARS))
    cases = {"empty.mid": b"", "text.mid": b"not midi at all", "short.mid": good[:-10], "none.mid": song(b"")}
    for file, data in cases.items():
        path = tmp_path / file
        path.write_bytes(data)
        with pytest.raises(PatternError) as caught:
            read_midi(path)
        assert file in str(caught.value)
        assert "\n" not in str(caught.value)


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.mid", tmp_path, Path("a\0b")):
        with pytest.raises(PatternError, match="cannot read"):
            read_midi(path)


def test_bytes_are_called_what_the_caller_says() -> None:
    with pytest.raises(PatternError, match=r"^standard input is empty"):
        read_midi(b"", name="standard input")


def test_names_in_files_cannot_break_the_line() -> None:
    evil = track(name("a\nb\x1b[31m") + hits(0.0, channel=0, note=60))
    with pytest.raises(PatternError) as caught:
        read_midi(header(2, kind=1) + evil + track(hits(0.0, channel=1)))
    assert "\n" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def roll_at_the_seam(strokes: int, ticks: int = 32_000) -> bytes:
    """Many different strokes on either side of the bar line, which all compare."""
    body = b"\x01\x99\x24\x64" * strokes + varint(4 * ticks - strokes)
    body += b"\x99\x24\x64" + b"\x01\x99\x24\x64" * 6_000
    return song(body, division=ticks)


def test_a_hostile_roll_at_the_seam_costs_in_proportion() -> None:
    seconds = []
    for strokes in (3_000, 24_000):
        data, start = roll_at_the_seam(strokes), time.process_time()
        result = read_midi(data)
        seconds.append(time.process_time() - start)
        assert result.pattern.bars == 1
    # eight times the strokes: comparing each with each would cost 64 times as much
    assert seconds[1] < 25 * seconds[0]
    with pytest.raises(PatternError, match="more than 400,000 strokes"):
        read_midi(roll_at_the_seam(24_000), bars=1000)


def test_damaged_files_never_raise_anything_but_pattern_errors() -> None:
    good = song(name("Drums") + tempo(500_000) + meter(4, 2) + hits(*FOUR_BARS) + marker("loopEnd", 100))
    rng = random.Random(2)
    read_fine = 0
    for _ in range(2000):
        data = bytearray(good)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        try:
            pattern = read_midi(bytes(data)).pattern
        except PatternError as error:
            assert "\n" not in str(error)
            continue
        read_fine += 1
        assert pattern.hits
    assert 100 < read_fine < 2000
