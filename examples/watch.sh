#!/usr/bin/env bash
# Watch a folder: each MIDI file that is put there becomes a loop in another. Looks again every few seconds, on any
# system; Ctrl-C ends it.
#
#   examples/watch.sh IN_FOLDER OUT_FOLDER [OPTION...]
#
# ROUNDS=N looks N times only, EVERY=S looks every S seconds (2 by default).
set -euo pipefail
loopnet=${LOOPNET:-loopnet}
in=${1:?the folder to watch} out=${2:?the folder for loops}
shift 2
mkdir -p "$out"
shopt -s nullglob

round=0
while [ "${ROUNDS:-0}" -eq 0 ] || [ "$round" -lt "$ROUNDS" ]; do
    for midi in "$in"/*.mid; do
        loop=$out/$(basename "$midi" .mid).wav
        # newer than its loop, and not being written any more: a file that cannot be read is tried again next time
        if [ ! -e "$loop" ] || [ "$midi" -nt "$loop" ]; then
            "$loopnet" generate "$midi" -o "$loop" --seed 1 --overwrite --quiet "$@" || true
        fi
    done
    round=$((round + 1))
    sleep "${EVERY:-2}"
done
