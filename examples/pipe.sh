#!/usr/bin/env bash
# MIDI in, WAV out: between other programs, nothing is left on the disk.
#
#   examples/pipe.sh <beat.mid >beat.wav
#   examples/pipe.sh <beat.mid | aplay                          what plays WAV
#   examples/pipe.sh --kit warm-808 <beat.mid | sox - -r 48000 beat.flac
set -euo pipefail
"${LOOPNET:-loopnet}" generate - -o - --quiet "$@"
