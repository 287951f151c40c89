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
