#!/usr/bin/env bash
# A loop of every MIDI file below a folder, by find and xargs: two processes at a time, up to 16 files each, so that
# the model is loaded once for 16 loops. Started again, it leaves out what is there.
#
#   examples/xargs.sh MIDI_FOLDER OUT_FOLDER [OPTION...]        options are those of loopnet generate
set -euo pipefail
loopnet=${LOOPNET:-loopnet}
midi=${1:?the folder with MIDI files} out=${2:?the folder for loops}
shift 2

# -print0 and -0: names may hold blanks. xargs leaves with 123 if a file failed; the others are made all the same.
find "$midi" -name '*.mid' -print0 |
    xargs -0 -P 2 -n 16 "$loopnet" generate --out-dir "$out" --seed 1 --skip-existing --quiet "$@"
