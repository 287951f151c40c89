#!/usr/bin/env bash
# Render every example pattern: each with a few kits as they are, then with knobs turned.
#
#   examples/render_all.sh                   into ./out, with the first three kits of the bank
#   examples/render_all.sh FOLDER KIT...     into FOLDER, with the kits named (see: loopnet kits)
#
# Runs from anywhere; uses the clone's own environment (made by `make demo`), else the loopnet on the PATH.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${1:-out}
[ $# -eq 0 ] || shift

loopnet=$here/../.venv/bin/loopnet
[ -x "$loopnet" ] || loopnet=$(command -v loopnet) || {
    echo "render_all.sh: no loopnet found: run 'make demo' in the clone, or install the package" >&2
    exit 1
}

if [ $# -eq 0 ]; then
    # the first word of a line is the kit's name, which holds no blanks
    names=$("$loopnet" kits list | awk 'NR <= 3 { print $1 }')
    # shellcheck disable=SC2086
    set -- $names
fi

# render SUFFIX OPTION...: one call for all patterns, so that the model is loaded once
render() {
    local suffix=$1
    shift
    "$loopnet" generate "$here"/patterns/*.mid --seed 1 --out-dir "$out" --overwrite --quiet \
        --name "{stem}_$suffix.wav" "$@"
}

for kit in "$@"; do
    render "$kit" --kit "$kit"
done
render "$1-bright-hard" --kit "$1" --brightness .85 --hardness +.3
render "$1-dark-boomy" --kit "$1" --brightness .15 --low-boominess .9
render "$1-am" --kit "$1" --chroma Am

count=$(find "$out" -name '*.wav' | wc -l)
echo "$((count)) loops in $out"
