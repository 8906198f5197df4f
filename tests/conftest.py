"""For all tests: two processes run them (``make test``), and a real Asterisk goes before what only computes.

Each process has a PBX of its own for ``tests/asterisk``, whose files are begun first, the longest before the others: most of their
time they wait. Phones and callers live in real time and cannot wait for a processor; whoever computes can.
"""

import os
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("nobat", deadline=None)  # a busy machine is no failure
settings.load_profile("nobat")

_POLITE = 10


def _in_real_time(node: str) -> bool:
    return node.startswith("tests/asterisk/")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Who runs what: a file of ``tests/asterisk`` is one piece of work, and so is each other test; the largest are begun first."""
    from xdist.scheduler import LoadScopeScheduling

    class FilesInRealTime(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.partition("::")[0] if _in_real_time(nodeid) else nodeid

    return FilesInRealTime(config, log)


def pytest_runtest_setup(item: pytest.Item) -> None:
    if hasattr(item.config, "workerinput"):  # one of pytest-xdist's processes
        with suppress(PermissionError):  # not root: once polite, always polite
            os.setpriority(os.PRIO_PROCESS, 0, 0 if _in_real_time(item.nodeid) else _POLITE)
