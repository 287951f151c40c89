#!/usr/bin/env bash
# Every MIDI file in every kit named, by GNU parallel, which keeps its own record: started again with --resume-failed
# in PARALLEL_OPTIONS, it makes what is missing.
#
#   examples/parallel.sh OUT_FOLDER KIT,KIT... MIDI_FILE...
set -euo pipefail
loopnet=${LOOPNET:-loopnet}
out=${1:?the folder for loops} kits=${2:?kits, with commas}
shift 2
mkdir -p "$out"

# one thread a process: two of them shall not fight for the cores
export OMP_NUM_THREADS=1
IFS=, read -ra kit <<<"$kits"
# shellcheck disable=SC2086
parallel --will-cite --jobs 2 --joblog "$out/joblog.tsv" ${PARALLEL_OPTIONS:-} \
    "$loopnet" generate {1} --kit {2} --seed 1 -o "$out/{1/.}_{2}.wav" --quiet ::: "$@" ::: "${kit[@]}"
