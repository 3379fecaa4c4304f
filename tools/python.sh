#!/bin/sh
# Prints the Python to use: `python3` if it is new enough, else the newest one that is.
# With --newest: the newest one in any case. Prints nothing if there is none.
set -u
minimum='import sys; sys.exit(sys.version_info < (3, 11))'

works() { "$1" -c "$minimum" >/dev/null 2>&1; }

if [ "${1:-}" != "--newest" ] && works python3; then
    command -v python3
    exit 0
fi
for minor in 15 14 13 12 11; do
    for candidate in "python3.$minor" "$HOME/.pyenv/versions/3.$minor."*/bin/python; do
        if works "$candidate"; then
            command -v "$candidate"
            exit 0
        fi
    done
done
works python3 && command -v python3
