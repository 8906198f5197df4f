#!/usr/bin/python3
"""The image's health check: whether the service answers. Standard library only, for it runs every ten seconds.

``/healthz``, not ``/readyz``: a service whose PBX is away is well, and starting it again would help nobody.
"""

import os
import sys
import tomllib
from http.client import HTTPConnection, HTTPException
from pathlib import Path


def address() -> tuple[str, int]:
    """Where the service listens: the environment, else its settings file, else what it does by itself."""
    file = Path(os.environ.get("NOBAT_CONFIG", ""))
    said = tomllib.loads(file.read_text()).get("http", {}) if file.is_file() else {}
    host = os.environ.get("NOBAT_HTTP__HOST", said.get("host", "127.0.0.1"))
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - it is asked on this machine
    port = os.environ.get("NOBAT_HTTP__PORT", said.get("port", 8080))
    return everywhere.get(host, host), int(port)


def main() -> int:
    host, port = address()
    connection = HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return 0 if connection.getresponse().status == 200 else 1
    except (OSError, HTTPException):
        return 1


if __name__ == "__main__":
    sys.exit(main())
