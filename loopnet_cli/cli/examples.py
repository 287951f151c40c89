"""Examples and exit codes of the commands, for their pages; a test has the commands parse every line."""

from __future__ import annotations

from collections.abc import Mapping

Lines = tuple[tuple[str, str], ...]

EXAMPLES: Mapping[str, Lines] = {
    "generate": (
        ("loopnet generate beat.mid -o loop.wav", "the file's own tempo and length"),
        ("loopnet generate 'kick: x...x... snare: ....x...' --bpm 96 --kit warm-808 -o loop.wav", ""),
        ("loopnet generate *.mid --out-dir loops --variations 4 --seed 1 --stems stems", "four of each"),
    ),
    "transfer": (
        ("loopnet transfer --rhythm beatbox.wav --timbre break.wav -o out.wav", ""),
        (
            "loopnet transfer -r beat.mid -t warm-808:0.3,tight-studio:0.7 --amount .5 -o out.wav",
            "a mix is a sound too",
        ),
        (
            "loopnet transfer -r 'beats/*.wav' -t break.wav --out-dir out",
            "every rhythm; quoted, so that the shell leaves it",
        ),
    ),
    "batch": (
        ("loopnet batch jobs.csv --out-dir loops --seed 1", ""),
        ("loopnet batch jobs.csv --out-dir loops --seed 1 --resume", "go on where it was stopped"),
        ("loopnet batch - --format jsonl --out-dir loops --report page.html < jobs.jsonl", ""),
    ),
    "grid": (
        ("loopnet grid beat.mid --sweep brightness=0:1:5 --sweep kit=warm-808,tight-studio -o sweep", "ten loops"),
        ("loopnet grid beat.mid --sweep 'chroma=Am;C,E,G' --seed 1 -o chords --report chords.html", ""),
        ("loopnet grid beat.mid --sweep bpm=90:120:4 -o tempos --dry-run", "say what would be made"),
    ),
    "analyze": (
        ("loopnet analyze break.wav", "a table"),
        ("loopnet analyze break.wav --midi break.mid --plot break.png", ""),
        ("loopnet analyze breaks/*.wav --json --quiet", "an object a line"),
    ),
    "play": (
        ("loopnet play loop.wav", "until Ctrl-C"),
        ("loopnet play loops/*.wav --times 4", "each four times"),
    ),
    "doctor": (
        ("loopnet doctor", ""),
        ("loopnet doctor --fast --json", "for scripts"),
    ),
    "train": (
        ("loopnet train bars.h5 --model multi-noenv -o run", ""),
        ("loopnet train bars.h5 --model multi-noenv -o run --resume --minutes 60", "an hour more"),
    ),
    "kits list": (("loopnet kits", "list may be left out"), ("loopnet kits list --json", "")),
    "kits show": (
        ("loopnet kits show warm-808", ""),
        ("loopnet kits show warm-808:1,tight-studio:2 --plot mix.png", ""),
    ),
    "kits path": (("loopnet kits path", ""), ("loopnet kits path that-break", "")),
    "kits remove": (("loopnet kits remove dark-808 that-break", ""),),
    "kits play-sheet": (
        ("loopnet kits play-sheet", "all kits, into the folder play-sheet"),
        ("loopnet kits play-sheet warm-808 tight-studio -o two.wav --rhythm beat.mid", ""),
    ),
    "kits save": (
        ("loopnet kits save that-break break.wav", ""),
        ("loopnet kits save dark-808 warm-808 --brightness -.2 --level snare=-3", ""),
    ),
    "kits import": (
        ("loopnet kits import that-break.json", ""),
        ("loopnet kits import loop.wav --name from-that-loop", "the kit that a loop was made with"),
    ),
    "kits export": (
        ("loopnet kits export that-break -o that-break.json", ""),
        ("loopnet kits export warm-808:1,tight-studio:1", "on standard output"),
    ),
    "kits morph": (
        ("loopnet kits morph warm-808 tight-studio --steps 5", "prints mixes for --kit"),
        ("loopnet kits morph warm-808 tight-studio --render morph --seed 1", ""),
    ),
    "models list": (("loopnet models", "list may be left out"), ("loopnet models list --json", "")),
    "models show": (("loopnet models show studio", ""),),
    "dataset build": (
        ("loopnet dataset build loops -o bars.h5", ""),
        ("loopnet dataset build loops --tempos tempos.csv --fold --rejected out.csv -o bars.h5", ""),
    ),
    "dataset render": (
        ("loopnet dataset render -o bars.h5 --bars 3000 --seed 1", ""),
        ("loopnet dataset render -o bars.h5 --bars 3000 --patterns beats", "bars of these MIDI files"),
    ),
    "dataset inspect": (("loopnet dataset inspect bars.h5", ""),),
    "evaluate tables": (
        ("loopnet evaluate tables bars.h5 --out results", ""),
        (
            "loopnet evaluate tables bars.h5 --models studio,run --tables 1 --bars 50 --out results",
            "run is a training run",
        ),
    ),
    "evaluate pairs": (("loopnet evaluate pairs made originals --json", ""),),
    "evaluate frechet": (
        ("loopnet evaluate frechet made originals", "two folders of audio"),
        ("loopnet evaluate frechet made.npz originals.npz", ""),
    ),
    "evaluate statistics": (("loopnet evaluate statistics originals -o originals.npz", ""),),
}
"""Command to lines and what to say of them."""

EXIT_CODES: Mapping[str, Mapping[int, str]] = {
    "batch": {1: "a row failed; the others were made", 130: "interrupted: the rows that ran were finished"},
    "grid": {1: "a loop failed; the others were made", 130: "interrupted: the loops that ran were finished"},
    "doctor": {1: "something is broken"},
}
"""Command to the exit codes that mean something else, or more, than they do everywhere."""
