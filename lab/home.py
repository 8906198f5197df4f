"""Finds the Asterisk that the lab and the tests run."""

from pathlib import Path

from lab.asterisk import AsteriskHome


def find_home() -> AsteriskHome:
    return AsteriskHome(Path("/root/.cache/nobat/try/rootfs"))
