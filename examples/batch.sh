#!/usr/bin/env bash
# A table of loops from the shell, rendered by worker processes: every MIDI file of a folder at three tempos. It can be
# interrupted at any moment and started again.
#
#   examples/batch.sh MIDI_FOLDER OUT_FOLDER [OPTION...]        options are those of loopnet batch
set -euo pipefail
loopnet=${LOOPNET:-loopnet}
midi=${1:?the folder with MIDI files} out=${2:?the folder for loops}
shift 2
mkdir -p "$out"

# a name with a comma or a quote in it would need quoting: see docs/BATCH.md for JSON Lines and YAML
{
    echo "inputs,bpm,seed,output"
    for file in "$midi"/*.mid; do
        for bpm in 90 120 150; do
            echo "$file,$bpm,1,$out/$(basename "$file" .mid)-$bpm.wav"
        done
    done
} >"$out/jobs.csv"

"$loopnet" batch "$out/jobs.csv" --resume "$@"
