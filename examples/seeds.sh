#!/usr/bin/env bash
# The same rhythm with some seeds, to choose from: a for loop, and the numbers of each loop in a table.
#
#   examples/seeds.sh beat.mid OUT_FOLDER FIRST LAST [OPTION...]
set -euo pipefail
loopnet=${LOOPNET:-loopnet}
midi=${1:?a MIDI file} out=${2:?a folder} first=${3:?the first seed} last=${4:?the last seed}
shift 4
mkdir -p "$out"

for seed in $(seq "$first" "$last"); do
    "$loopnet" generate "$midi" -o "$out/seed-$seed.wav" --seed "$seed" --quiet --json "$@"
done >"$out/loops.jsonl"
# this does the same, and loads the model once:
#   loopnet generate beat.mid --seed FIRST --variations COUNT --out-dir OUT_FOLDER
