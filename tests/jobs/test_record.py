"""The record: what is read back of it, torn or hostile, and how it is written."""

from __future__ import annotations

import json

import pytest

from loopnet_cli.errors import JobsError
from loopnet_cli.jobs.record import DONE, FAILED, STARTED, Record, read_record


def written(path, *lines, fresh=False):
    with Record(path, fresh=fresh, about={"title": "t"}) as record:
        for status, what in lines:
            record.write(status, **what)
    return read_record(path)


def test_the_last_word_on_a_row_counts(tmp_path):
    path = tmp_path / "r.jsonl"
    known = written(
        path,
        (STARTED, {"key": "a", "seed": 5, "planned": ["x.wav"]}),
        (STARTED, {"key": "b", "seed": 6, "planned": ["y.wav"]}),
        (FAILED, {"key": "a", "seed": 5, "files": {}, "inputs": {}}),
    )
    assert known["a"].status == "failed" and known["a"].seed == 5 and known["a"].planned == ("x.wav",)
    assert known["b"].status == "started" and known["b"].planned == ("y.wav",)
    known = written(path, (DONE, {"key": "a", "seed": 5, "files": {"x.wav": "0"}, "inputs": {"a.mid": "1"}}))
    assert known["a"].status == "done" and known["a"].files == {"x.wav": "0"} and known["b"].status == "started"


def test_a_torn_last_line_is_passed_over_and_the_record_goes_on(tmp_path):
    path = tmp_path / "r.jsonl"
    written(path, (DONE, {"key": "a", "files": {"x": "0"}, "inputs": {}}))
    whole = path.read_bytes()
    for cut in (1, 5, len(whole.splitlines()[1]) - 1):
        path.write_bytes(whole + whole.splitlines()[1][:cut])
        assert read_record(path).keys() == {"a"}
        assert written(path, (DONE, {"key": "b", "files": {"y": "0"}, "inputs": {}})).keys() == {"a", "b"}


def test_begun_anew_it_forgets(tmp_path):
    path = tmp_path / "r.jsonl"
    written(path, (DONE, {"key": "a", "files": {}, "inputs": {}}))
    assert written(path, fresh=True) == {}
    assert len(path.read_text().splitlines()) == 1


def test_nothing_is_known_without_a_file(tmp_path):
    assert read_record(tmp_path / "none") == {}
    (tmp_path / "empty").write_text("\n")
    assert read_record(tmp_path / "empty") == {}


@pytest.mark.parametrize("content", ["hello", "{}", "[1]", '{"format": "loopnet-record", "version": 2}', "\x00\xff"])
def test_what_is_no_record_is_left_alone(tmp_path, content):
    path = tmp_path / "x"
    path.write_text(content)
    with pytest.raises(JobsError, match="name another --record"):
        read_record(path)
    assert path.read_text() == content


@pytest.mark.parametrize(
    "line",
    [
        {"key": 1, "status": "done"},
        {"key": "a", "status": "finished"},
        {"key": "a", "status": "done", "seed": "x"},
        {"key": "a", "status": "done", "files": ["x"]},
        {"key": "a", "status": "done", "files": {"x": 1}},
        {"key": "a", "status": "started", "planned": [1]},
        {"key": "a", "status": "started", "planned": "x"},
        [1],
        "a",
    ],
)
def test_lines_that_cannot_be_used_are_passed_over(tmp_path, line):
    path = tmp_path / "r"
    written(path)
    with path.open("a") as stream:
        stream.write(json.dumps(line) + "\n" + "[" * 100_000 + "\n")
    assert read_record(path) == {}


def test_two_runs_do_not_write_the_same_record(tmp_path):
    with (
        Record(tmp_path / "r", fresh=False, about={}),
        pytest.raises(JobsError, match="another run is writing"),
    ):
        Record(tmp_path / "r", fresh=True, about={})
    assert len((tmp_path / "r").read_text().splitlines()) == 1


def test_where_nothing_can_be_written(tmp_path):
    with pytest.raises(JobsError, match="cannot write the record"):
        Record(tmp_path / "no" / "r", fresh=False, about={})
    with Record(None, fresh=True, about={}) as record:
        record.write(DONE, key="a")  # no record is kept
