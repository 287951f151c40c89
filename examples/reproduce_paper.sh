#!/usr/bin/env bash
# The LoopNet paper from start to end on a small scale: a data set, the five models, both tables.
# Usage: examples/reproduce_paper.sh [OUT]        (folder "paper" by default; a run that was stopped goes on)
#
# Under ten minutes on two cores, which is enough to see every part work and far too little for the models to
# sound: raise BARS and STEPS for that (the bundled models had 3000 bars and 900 steps each).
#   MATERIAL=DATA   render the bars from recorded one-shots and grooves instead of the bundled studio model
#   MODELS="..."    some of the five
#   EMBEDDING=FILE  YAMNet's weights, VGGISH=FILE VGGish's, for the Fréchet distances that need them
set -euo pipefail
out=${1:-paper}
bars=${BARS:-96} steps=${STEPS:-24} seed=${SEED:-1}
models=${MODELS:-"stft wav wavspec multi multi-noenv"}
mkdir -p "$out"
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
loopnet=${LOOPNET:-$here/../.venv/bin/loopnet}
[ -n "${LOOPNET:-}" ] || [ -x "$loopnet" ] || loopnet=$(command -v loopnet) || {
    echo "reproduce_paper.sh: no loopnet found: run 'make demo' in the clone, or install the package" >&2
    exit 1
}

# 1. Bars of 29 538 samples at 130 BPM with their features; a tenth is for testing.
[ -e "$out/bars.h5" ] ||
    $loopnet dataset render -o "$out/bars.h5" --bars "$bars" --seed "$seed" ${MATERIAL:+--material "$MATERIAL"}
$loopnet dataset inspect "$out/bars.h5"

# 2. The five models, each with the same bars and the same number of steps.
for model in $models; do
    resume=
    [ -e "$out/$model/checkpoint.safetensors" ] && resume=--resume
    $loopnet train "$out/bars.h5" --model "$model" -o "$out/$model" --steps "$steps" --seed "$seed" $resume
done

# 3. Table 1 (Fréchet distances) and Table 2 (coherence), with the studio model beside the five.
folders=$(for model in $models; do echo "$out/$model"; done | paste -sd,)
$loopnet evaluate tables "$out/bars.h5" --models "$folders,studio" --bars "${TEST_BARS:-9}" --loops "${LOOPS:-3}" \
    --full-loops "${FULL_LOOPS:-0}" --seed "$seed" --out "$out" ${MATERIAL:+--material "$MATERIAL"} \
    ${EMBEDDING:+--embedding-weights "$EMBEDDING"} ${VGGISH:+--vggish-weights "$VGGISH"}

# 4. A loop from the model that the paper's authors liked best.
$loopnet generate "$here/patterns/boom-bap.mid" --model "$out/multi-noenv" -o "$out/boom-bap.wav" --overwrite
echo "Tables: $out/RESULTS.md, a loop: $out/boom-bap.wav" >&2
