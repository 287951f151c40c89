"""Files of jobs: what a row is in each format, and what hostile files come to."""

from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loopnet_cli.errors import JobsError
from loopnet_cli.jobs import files
from loopnet_cli.jobs.files import format_of, read_jobs


def read(text: str | bytes, format: str) -> list[dict]:
    content = text if isinstance(text, bytes) else text.encode()
    return [dict(row.cells) for row in read_jobs("-", format, io.BytesIO(content))]


def places(text: str, format: str) -> list[str]:
    return [row.place for row in read_jobs("-", format, io.BytesIO(text.encode()))]


def refused(text: str | bytes, format: str, *parts: str) -> None:
    with pytest.raises(JobsError) as caught:
        read(text, format)
    line = str(caught.value)
    assert "\n" not in line and line.startswith("standard input")
    for part in parts:
        assert part in line, line


def test_the_formats_say_the_same():
    wanted = [{"inputs": "a.mid", "bpm": "0.70", "kit": "no"}, {"inputs": "b, c.mid", "overwrite": "true"}]
    assert read('inputs,bpm,kit,overwrite\na.mid,0.70,no,\n"b, c.mid",,,true\n', "csv") == wanted
    jsonl = '{"inputs": "a.mid", "bpm": 0.70, "kit": "no"}\n{"inputs": "b, c.mid", "overwrite": true, "bpm": null}\n'
    assert read(jsonl, "jsonl") == wanted
    yaml = "- inputs: a.mid\n  bpm: 0.70\n  kit: no\n- inputs: b, c.mid\n  overwrite: true\n  bpm: ~\n  kit:\n"
    assert read(yaml, "yaml") == wanted
    assert read(json.dumps([{"inputs": "a.mid", "bpm": "0.70", "kit": "no"}]), "yaml") == wanted[:1]


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.csv", "csv"), ("a.TSV", "csv"), ("x/a.jsonl", "jsonl"), ("a.ndjson", "jsonl"), ("a.yml", "yaml"), ("a", None)],
)
def test_a_name_tells_the_format(name, format):
    assert format_of(name) == format


def test_rows_know_their_lines():
    assert places('inputs\na\n\n"b\nc"\nd\n', "csv") == ["row 1 (line 2)", "row 2 (line 4)", "row 3 (line 6)"]
    assert places('\n{"inputs":"a"}\n\n{"inputs":"b"}\n', "jsonl") == ["row 1 (line 2)", "row 2 (line 4)"]
    assert places("jobs:\n- inputs: a\n  bpm: 3\n- {inputs: b}\n", "yaml") == ["row 1 (line 2)", "row 2 (line 4)"]


def test_tables_as_table_programs_write_them():
    assert read("\ufeffinputs;bpm\r\na,b.mid;120\r\n", "csv") == [{"inputs": "a,b.mid", "bpm": "120"}]
    assert read("inputs\tbpm\na b.mid\t120\n", "csv") == [{"inputs": "a b.mid", "bpm": "120"}]


def test_yaml_has_defaults_anchors_and_merges():
    text = "defaults: {kit: a, bpm: 90}\njobs:\n- {inputs: x}\n- {inputs: y, kit: b}\n- {inputs: z, kit: }\n"
    assert read(text, "yaml") == [
        {"inputs": "x", "kit": "a", "bpm": "90"},
        {"inputs": "y", "kit": "b", "bpm": "90"},
        {"inputs": "z", "bpm": "90"},
    ]
    merged = "- &a {x: 1, y: [1, 2]}\n- {<<: *a, x: 3}\n"
    assert read(merged, "yaml") == [{"x": "1", "y": ["1", "2"]}, {"x": "3", "y": ["1", "2"]}]


@pytest.mark.parametrize(
    ("text", "format", "part"),
    [
        ("inputs,bpm\na,b,c\n", "csv", "row 1 (line 2) has 3 values"),
        ("inputs,bpm\na\n", "csv", "row 1 (line 2) has 1 values"),
        ("inputs,inputs\na,b\n", "csv", "two columns inputs"),
        ("inputs,\na,b\n", "csv", "column 2 has no name"),
        ('inputs\n"a\n', "csv", "line 2: no CSV"),
        ("inputs\n" + "x" * 140_000, "csv", "line 2: no CSV"),
        ("inputs\n", "csv", "holds no row"),
        ("", "csv", "holds no row"),
        (b"\xff\xfei\0n\0", "csv", "not UTF-8"),
        ("a\0b", "jsonl", "a NUL"),
        ('{"a": 1', "jsonl", "row 1 (line 1): no JSON"),
        ("[1]", "jsonl", "no JSON object"),
        ('{"a": {"b": 1}}', "jsonl", "column a: a text, a number or a list"),
        ('{"a": [[1]]}', "jsonl", "column a"),
        ('{"a": NaN}', "jsonl", "NaN is no number"),
        ('{"a": 1, "a": 2}', "jsonl", "column a is given twice"),
        ("[" * 200_000, "jsonl", "nested too deeply"),
        ('{"a":' * 200_000, "jsonl", "nested too deeply"),
        ("hello", "yaml", "no list of jobs"),
        ("- a\n", "yaml", "row 1: no names and values"),
        ("- {x: 1, x: 2}", "yaml", "x is given twice"),
        ("- x: 1\n---\n- x: 2\n", "yaml", "more than one document"),
        ("- ? [a]\n  : b\n", "yaml", "no text"),
        ("- !!python/object/apply:os.system [ls]\n", "yaml", "line 1: no YAML that can be used"),
        ("- inputs: !!binary aGVs\n", "yaml", "line 1"),
        ("- a: \t'x\n", "yaml", "no YAML"),
        ("- &a [*a]\n", "yaml", "row 1"),
        ("- &a {x: *a}\n", "yaml", "column x"),
        ("jobs: [{a: 1}]\nx: 1\n", "yaml", "not x"),
        ("[" * 200_000, "yaml", "nested too deeply"),
        ("- " * 100_000, "yaml", "nested too deeply"),
    ],
)
def test_what_is_no_file_of_jobs_is_refused_in_a_line(text, format, part):
    begin = time.perf_counter()
    refused(text, format, part)
    assert time.perf_counter() - begin < 20


def test_bombs_of_aliases_and_merges_stay_small():
    begin = time.perf_counter()
    laughs = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    refused(laughs, "yaml", "no list of jobs")
    nested = "- x: &a0 [x, x]\n" + "".join(f"- x: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60))
    refused(nested, "yaml", "row 2 (line 2), column x")
    merges = "- &a0 {x: 1}\n" + "".join(f"- &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60))
    refused(merges, "yaml", "more than 1000 fields")
    refused("- &a {x: 1}\n" + "- *a\n" * 10_001, "yaml", "more than 10000 aliases")
    assert time.perf_counter() - begin < 20


def test_sizes_are_bounded(monkeypatch):
    monkeypatch.setattr(files, "MAX_ROWS", 3)
    refused("inputs\n" + "a\n" * 4, "csv", "more than 3 rows")
    monkeypatch.setattr(files, "MAX_BYTES", dict.fromkeys(files.MAX_BYTES, 1 << 20))
    refused("inputs\n" + "a\n" * (1 << 20), "csv", "larger than 1 MB")
    refused("- a: 1\n" * (1 << 20), "yaml", "CSV or JSON Lines")
    refused(json.dumps({"a": "x" * 100_001}), "jsonl", "column a: longer than")
    refused(json.dumps({"a": ["x"] * 10_001}), "jsonl", "more than 10000 values")


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(JobsError, match=r"cannot read .*none.csv: no such file"):
        read_jobs(str(tmp_path / "none.csv"), "csv")
    with pytest.raises(JobsError, match="is a directory"):
        read_jobs(str(tmp_path), "csv")


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), st.binary(max_size=200)), st.sampled_from(["csv", "jsonl", "yaml"]))
def test_anything_is_read_or_refused_in_a_line(content, format):
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    try:
        rows = read_jobs("-", format, io.BytesIO(data))
    except JobsError as error:
        assert "\n" not in str(error)
    else:
        for row in rows:
            assert all(isinstance(value, str | list) and value for value in row.cells.values())
