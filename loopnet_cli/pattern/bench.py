"""Read every MIDI file below a folder and say how it went: ``python -m loopnet_cli.pattern.bench FOLDER``."""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

from loopnet_cli.errors import PatternError
from loopnet_cli.pattern.midi import read_midi


def main(arguments: list[str]) -> int:
    """Print counts, failures with their reasons, warnings and seconds; return 1 if a file failed."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("usage: python -m loopnet_cli.pattern.bench FOLDER", file=sys.stderr)
        return 2
    files = sorted(p for p in Path(arguments[0]).rglob("*") if p.suffix.lower() in (".mid", ".midi"))
    failures: list[str] = []
    warnings: Counter[str] = Counter()
    unmapped: Counter[int] = Counter()
    notes = dropped = hits = 0
    start = time.perf_counter()
    for path in files:
        try:
            result = read_midi(path)
        except PatternError as error:
            failures.append(str(error))
            continue
        notes += result.notes
        hits += len(result.pattern.hits)
        dropped += result.dropped
        unmapped.update(result.unmapped)
        # warnings differ in their figures; the words up to the first digit name the kind
        warnings.update({w.partition(":")[0].rstrip("0123456789 ") for w in result.warnings})
    seconds = time.perf_counter() - start
    print(f"files     {len(files) - len(failures)} of {len(files)} loaded")
    print(f"notes     {notes - unmapped.total()} of {notes} mapped to voices, {unmapped.total()} unmapped")
    print(f"strokes   {hits} in the patterns, {dropped} dropped (doubled, or the next turn's downbeat)")
    print(f"seconds   {seconds:.2f} ({1000 * seconds / max(1, len(files)):.2f} ms a file)")
    for note, count in unmapped.most_common():
        print(f"unmapped  note {note} x {count}")
    for text, count in warnings.most_common():
        print(f"warning   {count} files: {text}")
    for line in failures:
        print(f"failed    {line}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
