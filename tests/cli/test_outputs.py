"""Names of output files."""

from __future__ import annotations

from pathlib import Path

import pytest

from loopnet_cli.cli.outputs import Output, check_clashes, choose_format, fill_name, fill_path
from loopnet_cli.errors import UsageError

VALUES = {"stem": "beat", "kit": "warm-808", "seed": 7, "bpm": "96.5", "bars": 2, "meter": "7-8", "variation": 1}


@pytest.mark.parametrize(
    ("template", "name"),
    [("{stem}_{kit}_{seed}", "beat_warm-808_7"), ("{stem}.wav", "beat.wav"), ("{seed:05}", "00007"),
     ("{{x}} {bpm}bpm {meter}", "{x} 96.5bpm 7-8"), ("fixed", "fixed")],
)  # fmt: skip
def test_templates(template, name):
    assert fill_name(template, VALUES) == name


@pytest.mark.parametrize(
    ("template", "said"),
    [("{sead}", "did you mean {seed}?"), ("{zzz}", "unknown field"), ("{}", "unknown field"),
     ("{stem", "--name {stem is malformed"), ("a/{stem}", "--out-dir"), ("..\\{stem}", "--out-dir"),
     ("{stem.__class__}", "unknown field"),
     ("{stem!r}", "width"), ("{seed:999999999}", "width"), ("..", "no name"), (" ", "no name"), ("", "no name")],
)  # fmt: skip
def test_templates_that_are_wrong(template, said):
    with pytest.raises(UsageError) as caught:
        fill_name(template, VALUES)
    assert said in str(caught.value)


@pytest.mark.parametrize("stem", ["../../etc/passwd", "..", "a/b", "a\\b", "a\nb", "a:b*?", "x" * 300])
def test_fields_cannot_leave_the_folder(stem):
    name = fill_name("{stem}_{seed}", {**VALUES, "stem": stem})
    assert Path(name).name == name and ".." not in name and name.isprintable() and len(name) < 200


def test_a_path_template_keeps_the_users_own_folder():
    assert fill_path("plots/{stem}.png", {**VALUES, "stem": "../x"}) == Path("plots/__x.png")


@pytest.mark.parametrize(
    ("asked", "name", "format"),
    [(None, None, "wav"), (None, "a.flac", "flac"), (None, "A.WAV", "wav"), ("flac", None, "flac"),
     ("flac", "a", "flac"), (None, "a_96.5", "wav"), ("wav", "a.bin", "wav")],
)  # fmt: skip
def test_format_by_name(asked, name, format):
    assert choose_format(asked, name) == format


@pytest.mark.parametrize(("asked", "name"), [(None, "a.mp3"), ("wav", "a.flac"), ("flac", "a.wav")])
def test_format_in_doubt(asked, name):
    with pytest.raises(UsageError):
        choose_format(asked, name)


def test_clashes(tmp_path):
    a, b = tmp_path / "a.wav", tmp_path / "b.wav"
    check_clashes([Output(a), Output(b, {"kick": tmp_path / "k.wav"})], [tmp_path / "in.mid"])
    with pytest.raises(UsageError, match="two files"):
        check_clashes([Output(a), Output(tmp_path / "x" / ".." / "a.wav")], [])
    with pytest.raises(UsageError, match="two files"):
        check_clashes([Output(a), Output(b, plot=a)], [])
    b.symlink_to(a)
    with pytest.raises(UsageError, match="is an input"):
        check_clashes([Output(b)], [a])
