"""An answer of Asterisk's that does not come, once: it is asked again, and nobody is left alone for it."""

import pytest

from ami.health import HealthState
from tests.support.fake_ami import FakeAmi
from tests.support.until import until
from tests.unit.ami.test_pbx import Floor, running


@pytest.fixture
async def fake() -> FakeAmi:
    async with FakeAmi() as server:
        server.devices = {"PJSIP/agent-101": "NOT_INUSE"}
        yield server


def asked(fake: FakeAmi, action: str) -> int:
    return len(fake.actions(action))


async def test_one_look_without_an_answer_leaves_the_pbx_fit(fake: FakeAmi) -> None:
    floor = Floor(fake, recheck_s=30.0, snapshot_every_s=0.05, snapshot_s=0.2)
    seen: list[HealthState] = []
    async with running(floor):
        await floor.ready()
        fake.mute.add("DeviceStateList")
        looks = asked(fake, "DeviceStateList")
        await until(lambda: asked(fake, "DeviceStateList") > looks, "a look that is not answered", every_s=0.002)
        fake.mute.clear()
        looks = asked(fake, "DeviceStateList")

        def goes_on() -> bool:
            seen.append(floor.pbx.health.state)
            return asked(fake, "DeviceStateList") > looks + 2

        await until(goes_on, "looks that are answered again", every_s=0.002)
    assert set(seen) == {HealthState.READY}


async def test_two_in_a_row_do_not_and_it_is_soon_asked_again(fake: FakeAmi) -> None:
    floor = Floor(fake, recheck_s=30.0, snapshot_every_s=0.05, snapshot_s=0.1)
    async with running(floor):
        await floor.ready()
        fake.mute.add("DeviceStateList")
        await floor.until_state(HealthState.SYNCING)
        fake.mute.clear()
        await floor.ready()
