"""For all tests: run by two processes (``make test``), a real Asterisk goes before what only computes.

All tests of ``tests/asterisk`` are the work of one process, which has their PBX; the other takes the rest. Phones and callers live
in real time and cannot wait for a processor; whoever computes can.
"""

import os
from contextlib import suppress

import pytest

_POLITE = 10


def pytest_runtest_setup(item: pytest.Item) -> None:
    if hasattr(item.config, "workerinput"):  # one of pytest-xdist's processes
        in_real_time = item.get_closest_marker("xdist_group") is not None
        with suppress(PermissionError):  # not root: once polite, always polite
            os.setpriority(os.PRIO_PROCESS, 0, 0 if in_real_time else _POLITE)
