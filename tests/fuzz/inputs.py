"""Strategies: valid files mutated, JSON with odd values in odd places, odd texts, odd numbers, odd names."""

from __future__ import annotations

import copy
import json
import struct
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

# places and counts are shares, so that one edit suits files of any length and shrinks towards their beginning
_SHARE = st.integers(0, 2**16 - 1)
_EDGE = (0, 1, 0x7F, 0x80, 0xFF)
_WORDS = [struct.pack(order + kind, value & (2 ** (8 * size) - 1))
          for order in "<>" for kind, size in (("H", 2), ("I", 4), ("Q", 8))
          for value in (0, 1, -1, 2**15, 2**31 - 1, 2**31, 2**62)]  # fmt: skip

_EDIT = st.one_of(
    st.tuples(st.just("flip"), _SHARE, st.integers(0, 7)),
    st.tuples(st.just("byte"), _SHARE, st.one_of(st.sampled_from(_EDGE), st.integers(0, 255))),
    st.tuples(st.just("word"), _SHARE, st.sampled_from(_WORDS)),
    st.tuples(st.just("cut"), _SHARE, _SHARE),
    st.tuples(st.just("drop"), _SHARE, _SHARE),
    st.tuples(st.just("twice"), _SHARE, _SHARE),
    st.tuples(st.just("put"), _SHARE, st.binary(max_size=12)),
    st.tuples(st.just("swap"), _SHARE, _SHARE),
)


def mutated(seeds: list[bytes], *, head: int | None = None) -> st.SearchStrategy[bytes]:
    """Valid files with up to eight edits, two of them spliced, or anything; `head`: edits fall before this byte."""
    edits = st.lists(_EDIT, min_size=1, max_size=8)
    one = st.builds(lambda seed, todo: _edited(seed, todo, head), st.sampled_from(seeds), edits)
    both = st.builds(
        lambda a, b, at, to: a[: at * len(a) >> 16] + b[to * len(b) >> 16 :],
        st.sampled_from(seeds), st.sampled_from(seeds), _SHARE, _SHARE,
    )  # fmt: skip
    return st.one_of(one, one, one, both, st.binary(max_size=200))


def _edited(seed: bytes, edits: list[tuple[str, int, Any]], head: int | None) -> bytes:
    data = bytearray(seed)
    for kind, share, what in edits:
        if not data:
            break
        at = share * min(len(data), head or len(data)) >> 16
        if kind == "flip":
            data[at] ^= 1 << what
        elif kind == "byte":
            data[at] = what
        elif kind == "word":
            data[at : at + len(what)] = what
        elif kind == "cut":
            del data[at:]
        elif kind == "put":
            data[at:at] = what
        else:
            size = max(1, what * min(len(data), 256) >> 16)
            if kind == "drop":
                del data[at : at + size]
            elif kind == "twice":
                data[at:at] = data[at : at + size]
            else:
                data[at : at + size] = data[at : at + size][::-1]
    return bytes(data)


NUMBERS = [
    "0", "-0", "1", "-1", "0.5", "nan", "-nan", "inf", "-inf", "Infinity", "1e309", "-1e309", "1e-320",
    "1e15", "-5e9",
    "2147483647", "2147483648", "4294967296", "18446744073709551616", "9" * 30, "9" * 5000, "0x10", "1_000",
    "1e400000",
    "٣", "½", "1,5", "1;2", "1/0", "0/4", "4/0", "7/8", "99/64", "0:1", "1:0:0", "+0.5", "-.5", ".", "-",
    "--", "", " ",
    "true", "None", "0.1.2", "5%", "1e", "e5", "1 2", "\t1\n", "²", "0b1", "1j", "1d", "²³", "x", "peak:nan",
    "lufs:-1e9",
    "kick=nan", "kick:1e309", "hardness=inf", "a:0", "a:nan,b:1", "120:60", "1:2:99999999999",
]  # fmt: skip
"""What is typed where a number is asked for, or a text with numbers in it."""

numbers = st.one_of(
    st.sampled_from(NUMBERS),
    st.integers().map(str),
    st.floats().map(repr),
    st.integers(-5, 300).map(str),
    st.text(st.characters(exclude_characters="\0/\\", exclude_categories=["Cs"]), max_size=12),
)

NAMES = [
    "../up", "..", ".", "", "/abs", "a/b", "a\\b", "..\\up", "nul\0byte", "🥁", "🥁" * 300, "x" * 300, "CON",
    "nul", "aux.wav",
    "-dash", "--out-dir", "-", "line\nbreak", "\r\n", "tab\t", "\x1b[31mred", "\u202egnp", "~", "~root", "$HOME",
    "`id`", "$(id)",
    "a;b", "a|b", "*", "?", "a:b", "a<b>", '"quoted"', "'", "{stem}", "{seed:999999999}", "{kit.__class__}",
    "{0}", "{}", "{",
    "}", "{stem!r}", "%s", "%2e%2e%2f", "....//", "．．／", "a\u0301", "\u202e", "\ufeff", "trailing.",
    "trailing ", ".hidden",
    "x.wav/../../y", "a" * 64, "a" * 65, "\udcff", "x" * 255, "é" * 128, "<script>alert(1)</script>",
]  # fmt: skip
"""Names that have hurt somebody."""

names = st.one_of(
    st.sampled_from(NAMES),
    st.text(max_size=20),
    st.builds(lambda a, b: a + b, st.sampled_from(["../", "{stem}", "a", "-", "\n"]), st.text(max_size=8)),
)

ODD: list[Any] = [
    None, True, False, 0, -1, 1, 2**31, 2**63, 10**40, -0.0, 0.5, 1e308, float("nan"), float("inf"), "", "x",
    "\0", "../../x",
    "🥁" * 100, "nan", "1e309", [], {}, [[]], [None], {"": None}, [0] * 13, [1e308] * 12, "a" * 3000,
]  # fmt: skip
"""Values that do not belong where they are put."""

odd = st.one_of(
    st.sampled_from(range(len(ODD))).map(lambda index: copy.deepcopy(ODD[index])),
    st.integers(0, 400).map(lambda depth: json.loads("[" * depth + "]" * depth) if depth else []),
    st.floats(),
    st.integers(),
    st.text(max_size=10),
)


def bent(
    values: list[Any], write: Callable[[Any], bytes] = lambda value: json.dumps(value).encode()
) -> st.SearchStrategy[bytes]:
    """Values of JSON with one to four of what is in them replaced by something odd, taken out, or doubled."""
    edit = st.tuples(st.lists(_SHARE, min_size=1, max_size=6), st.sampled_from("rrrdak"), odd)
    return st.builds(
        lambda index, edits: write(_bent(copy.deepcopy(values[index]), edits)),
        st.integers(0, len(values) - 1), st.lists(edit, min_size=1, max_size=4),
    )  # fmt: skip


def _bent(value: Any, edits: list[tuple[list[int], str, Any]]) -> Any:
    for path, kind, what in edits:
        holder, key, found = None, None, value
        for share in path:
            keys = (
                list(found) if isinstance(found, dict) else list(range(len(found))) if isinstance(found, list) else []
            )
            if not keys:
                break
            holder, key = found, keys[share * len(keys) >> 16]
            found = holder[key]
        if holder is None:
            value = what if kind == "r" and not path[1:] else value
        elif kind == "r":
            holder[key] = what
        elif kind == "d":
            del holder[key]
        elif isinstance(holder, list):
            holder.append(what)
        elif kind == "k":
            holder[str(what)[:50]] = holder.pop(key)
        else:
            holder[f"{key}+"] = what
    return value


PIECES_OF_GRIDS = ["kick:", "snare:", "hat", "hh:", ":", "x", "X", ".", "-", "1", "9", "|", " ", "\n", "bpm=",
                   "120", "meter=", "4/4",
                  "bars=", "2", "steps=", "16", "#", "=", "0", "\u2028", "é", "99999999999"]  # fmt: skip
odd_texts = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from([*"ABCDEFGab#/m7 ,;-+", "sus", "maj", "dim", "nan", "inf", "1e9", "0"]), max_size=14).map(
        "".join
    ),
).map(lambda text: text.encode("utf-8", "surrogatepass"))
plain_names = st.one_of(
    st.sampled_from(
        [
            "new",
            "a.wav",
            "beat.mid",
            "x.html",
            "x.png",
            "x.csv",
            "x" * 300,
            "missing/x",
            "a.wav/x",
            "",
            " ",
            "é.wav",
            "{seed}",
        ]
    ),
    st.text(st.characters(exclude_characters="\0/\\~", exclude_categories=["Cs"]), max_size=8),
)
"""Names of files and folders that lie here: where they are is the user's choice."""
