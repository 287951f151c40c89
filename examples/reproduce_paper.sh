#!/usr/bin/env bash
# The LoopNet paper from start to end on a small scale: curation, a data set, the five models, both tables.
# Usage: examples/reproduce_paper.sh [OUT]        (folder "paper" by default; a run that was stopped goes on)
#
# Under four minutes on two cores of an AMD EPYC, which is enough to see every part work and far too little for the models to
# sound: raise BARS and STEPS for that (the bundled models had 3000 bars and 2700 steps each).
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

# 1. Curation, of a folder of loops: rendered ones here, whose tempo is in their names; any recordings will do.
if [ ! -e "$out/curated.h5" ]; then
    $loopnet generate "$here"/patterns/{boom-bap,funk,house,techno}.mid --bpm 126 --bars 4 --seed "$seed" \
        --out-dir "$out/loops" --name '{stem}_{bpm}bpm' --overwrite
    $loopnet dataset build "$out/loops" -o "$out/curated.h5"
fi
$loopnet dataset inspect "$out/curated.h5"

# 2. More bars than that: 29 538 samples each, at 130 BPM, with their features; a tenth is for testing.
[ -e "$out/bars.h5" ] ||
    $loopnet dataset render -o "$out/bars.h5" --bars "$bars" --seed "$seed" ${MATERIAL:+--material "$MATERIAL"}
$loopnet dataset inspect "$out/bars.h5"

# 3. The five models, each with the same bars and the same number of steps.
for model in $models; do
    resume=
    [ -e "$out/$model/checkpoint.safetensors" ] && resume=--resume
    $loopnet train "$out/bars.h5" --model "$model" -o "$out/$model" --steps "$steps" --seed "$seed" $resume
done

# 4. Table 1 (Fréchet distances) and Table 2 (coherence), with the studio model beside the five.
folders=$(for model in $models; do echo "$out/$model"; done | paste -sd,)
$loopnet evaluate tables "$out/bars.h5" --models "$folders,studio" --bars "${TEST_BARS:-9}" --loops "${LOOPS:-3}" \
    --full-loops "${FULL_LOOPS:-1}" --seed "$seed" --out "$out" ${MATERIAL:+--material "$MATERIAL"} \
    ${EMBEDDING:+--embedding-weights "$EMBEDDING"} ${VGGISH:+--vggish-weights "$VGGISH"}

# 5. A loop from the model that the paper's authors liked best, and the same pattern by two models compared.
$loopnet generate "$here/patterns/boom-bap.mid" --model "$out/multi-noenv" -o "$out/boom-bap.wav" --overwrite
for model in studio "$out/multi-noenv"; do
    $loopnet generate "$here/patterns/house.mid" --model "$model" --bpm 130 --bars 1 --seed "$seed" --overwrite \
        --out-dir "$out/pairs/$(basename "$model")" --name house
done
$loopnet evaluate pairs "$out/pairs/multi-noenv" "$out/pairs/studio"
echo "Tables: $out/RESULTS.md, a loop: $out/boom-bap.wav" >&2
