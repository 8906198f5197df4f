"""A real PBX with the shipped configuration, and a phone bank, for all tests of this folder: started once, ended by pid.

After each test the PBX must be without channels, or the test that left one is told.
"""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.ami_client import AmiClient
from tests.support.pbx import TestPbx
from tests.support.phonebank import PhoneBank
from tests.support.serving import Serving
from tests.support.until import until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all: PBX and phone bank live as long as the session."""
    for item in items:
        if "tests/asterisk" in item.nodeid:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What a failure looked like from inside: the last lines of the service, the PBX and the phones."""
    report = yield
    if report.failed and isinstance(item, pytest.Function):
        serving, pbx = item.funcargs.get("serving"), item.funcargs.get("pbx")
        if isinstance(serving, Serving):
            report.sections.append(("the service's log", serving.service.log_tail(40)))
            report.sections.append(("the phones", "\n".join(map(str, serving.bank.moments[-12:]))))
            pbx = serving.pbx
        if isinstance(pbx, TestPbx):
            report.sections.append(("the PBX's log", pbx.instance.log_tail(40)))
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def pbx() -> AsyncIterator[TestPbx]:
    """The PBX; no service drives it unless a test starts one."""
    started = await TestPbx.started("test")
    yield started
    await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_bank(pbx: TestPbx) -> AsyncIterator[PhoneBank]:
    bank = await pbx.phone_bank()
    yield bank
    await bank.close()


@pytest_asyncio.fixture(loop_scope="session")
async def bank(session_bank: PhoneBank, pbx: TestPbx, ami: AmiClient) -> AsyncIterator[PhoneBank]:
    """The phone bank with nothing left of the test before: phones answer at once and stay, nobody calls."""
    yield session_bank
    await session_bank.quiet()
    await until(pbx.is_quiet, "no channel left on the PBX", within_s=10, seen=lambda: pbx.left)


@pytest_asyncio.fixture(loop_scope="session")
async def ami(pbx: TestPbx) -> AsyncIterator[AmiClient]:
    """A login of the test's own, with the service's account and its source filters."""
    client = await pbx.ami()
    yield client
    await client.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_serving() -> AsyncIterator[Serving]:
    opened = await Serving.opened()
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def serving(session_serving: Serving) -> AsyncIterator[Serving]:
    """A call centre with nothing left of the test before: nobody calls, nobody is signed in."""
    yield session_serving
    await session_serving.quiet()
