#!/usr/bin/env bash
# Train the studio model again, from the training material to the released weights.
# Usage: weights/train.sh DATA RUN
# Resumes: a step whose result is already in RUN is not done again.
set -euo pipefail
data=$1 run=$2
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python}
mkdir -p "$run"

# 1. The hit network, on strokes: checkpoint and log in RUN.
$python -m loopnet_cli.training.hits "$data" "$run" --steps 5600 --every 400 --variants 8 --seed 1

# 2. The timbre network: the range of the knobs, then two rounds of measuring and fitting.
export OMP_NUM_THREADS=1
[ -e "$run/originals.npy" ] || $python -m loopnet_cli.training.timbre originals "$data" "$run" --count 1000
measure() { # round count
  for part in 0 1; do
    [ -e "$run/measured_$1_$part.safetensors" ] ||
      $python -m loopnet_cli.training.timbre measure "$data" "$run" --round "$1" --count "$2" --part $part --parts 2 &
  done
  wait
}
measure 0 2200
$python -m loopnet_cli.training.timbre fit "$data" "$run" --steps 3000
measure 1 1500
$python -m loopnet_cli.training.timbre fit "$data" "$run" --steps 4000

# 3. Package, and make the bank of kits.
$python -m loopnet_cli.training.package "$run" "$here"
$python -m loopnet_cli.training.bank "$data" "$here"

# 4. The transcriber: clips with exact labels; the ear in three runs, each on more clips from the weights of the one before;
# the judge on what the ear suspects in them; then what strokes are like.
clips="$run/clips" module=loopnet_cli.training
both() { # the same command for each half of its work, side by side
  for part in 0 1; do
    $python -m "$@" --part "$part" --parts 2 &
  done
  wait
}
$python -m $module.clips "$data" --out "$clips" --side dev --count 600 --seed 2
both $module.clips "$data" --out "$clips" --side train --count 26000 --seed 1
$python -m $module.transcriber "$clips" --out "$run/ear1" --rate 0.002 --steps 5600 --seed 21
both $module.clips "$data" --out "$clips" --side train --count 14000 --seed 41
$python -m $module.transcriber "$clips" --out "$run/ear2" --rate 0.0015 --steps 8000 --seed 51 --start "$run/ear1/ear.pt"
both $module.clips "$data" --out "$clips" --side train --count 16000 --seed 71
$python -m $module.transcriber "$clips" --out "$run/ear3" --rate 0.0012 --steps 5000 --seed 81 --start "$run/ear2/ear.pt"
both $module.judge_data "$run/ear3" "$clips" --out "$run/candidates"
$python -m $module.judge "$run/candidates" --out "$run/judge" --steps 10000
$python -m $module.package_ear "$run/ear3" "$run/judge" "$clips" "$here"
$python -m $module.strokes "$run/pool_train_8_1.npz" "$run" "$here"

# 5. The paper's five models: bars at 130 BPM, then each model with the same bars and the same number of steps,
# in two runs one after the other: with the second the rate rises once more and falls again.
export PYTHONPATH="$(dirname "$here")${PYTHONPATH:+:$PYTHONPATH}"
loopnet() { $python -c 'from loopnet_cli.cli.app import main; main()' "$@"; }
bars="$run/bars.h5"
[ -e "$bars" ] || loopnet dataset render -o "$bars" --bars 3000 --seed 1 --material "$data"
for model in stft wav wavspec multi multi-noenv; do
  for steps in 900 2700; do
    resume=
    [ -e "$run/paper/$model/checkpoint.safetensors" ] && resume=--resume
    loopnet train "$bars" --model $model -o "$run/paper/$model" --steps $steps --seed 1 --patience 0 --precision bf16 $resume
  done
done
$python -m $module.package_paper "$run/paper" "$here"
