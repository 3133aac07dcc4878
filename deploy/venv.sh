#!/bin/sh
# venv.sh FOLDER: makes a Python environment in FOLDER out of the newest-enough python3 of this machine, or says what
# is missing. An environment that is there already, works and is new enough stays.
set -eu

folder=$1
enough='import sys; sys.exit(sys.version_info < (3, 11))'

if [ -x "$folder/bin/python" ] && "$folder/bin/python" -c "$enough" 2>/dev/null &&
    "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi

found=
for name in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11; do
    if command -v "$name" >/dev/null 2>&1 && "$name" -c "$enough" 2>/dev/null; then
        found=$name
        break
    fi
done

if [ -z "$found" ]; then
    have=$(python3 --version 2>/dev/null || echo 'no python3 at all')
    echo "zongheng needs Python 3.11 or newer; this machine has $have." >&2
    echo "Install it (on Debian and Ubuntu: python3 and python3-venv), or name one: make PYTHON=/path/to/python3.12" >&2
    exit 1
fi

if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$found has no venv module: install it (on Debian and Ubuntu: python3-venv)." >&2
    exit 1
fi

echo "Making $folder with $("$found" --version)."
"$found" -m venv --clear "$folder"
