#!/bin/sh
# Runs tools/setup.py with a Python that is new enough: the system's own first, because `python3` may be a shim.
set -eu
here=$(dirname "$0")
for python in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        exec "$python" "$here/setup.py" "$@"
    fi
done
echo "nobat: this needs Python 3.11 or newer (Debian 12 has it: apt-get install python3)" >&2
exit 1
