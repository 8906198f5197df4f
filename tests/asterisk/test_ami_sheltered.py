"""The AMI link and what may be done over it: TLS with a certificate that is verified, an Asterisk that lets the AMI do too much,
events that somebody's words have shaped, and Originate into every context of the dialplan."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from acd.ids import PbxId
from ami.health import Health, HealthState, NobodyObserves
from nobat.clock import Clock
from nobat.links import make_ami_link
from nobat.settings import PbxSettings, Settings
from tests.support.ami_client import AmiClient, AmiError, Message
from tests.support.certificate import made
from tests.support.pbx import SAYING, TestPbx
from tests.support.phonebank import PhoneBank
from tests.support.until import until

NAME = PbxId("pbx1")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sheltered() -> AsyncIterator[TestPbx]:
    """A PBX whose AMI speaks TLS as well."""
    started = await TestPbx.started("sheltered", agents=2, tls=True)
    yield started
    await started.close()


class Told(NobodyObserves):
    """Keeps every state of a link."""

    def __init__(self) -> None:
        self.states: list[tuple[HealthState, str]] = []

    def health(self, health: Health) -> None:
        self.states.append((health.state, health.reason))


@asynccontextmanager
async def linked(one: PbxSettings) -> AsyncIterator[Told]:
    """The service's own link by these settings."""
    told = Told()
    link = make_ami_link(Settings(pbx=(one,)), Clock(), 7)(NAME, lambda _: None, told)
    running = asyncio.create_task(link.run())
    try:
        yield told
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def by_tls(pbx: TestPbx, ca: Path | None, port: int | None = None) -> PbxSettings:
    return PbxSettings(
        name=NAME, port=port or pbx.settings.ami_tls_port, secret=pbx.ami_secret, tls=True, ca=ca
    )  # fmt: skip


async def until_told(told: Told, state: HealthState, reason: str) -> None:
    await until(lambda: (state, reason) in told.states, f"{state}: {reason}", seen=lambda: told.states)


# ---------------------------------------------------------------- TLS


async def test_the_link_speaks_tls_and_trusts_no_other_certificate(sheltered: TestPbx, tmp_path: Path) -> None:
    """A certificate of somebody else's, a machine that does not vouch for it, an AMI without TLS: the secret is never sent."""
    certificate = sheltered.instance.directory / "etc" / "keys" / "asterisk.pem"
    async with linked(by_tls(sheltered, certificate)) as told:
        await until_told(told, HealthState.READY, "ready")
    log = sheltered.instance.directory / "log" / "security.log"
    seen = log.read_text().count('AccountID="nobat"')
    assert seen
    other = tmp_path / "other.pem"
    other.write_bytes(made()[0])
    for ca in (other, None):
        async with linked(by_tls(sheltered, ca)) as told:
            await until_told(told, HealthState.DOWN, "certificate_refused")
    async with linked(by_tls(sheltered, certificate, sheltered.ami_port)) as told:
        await until_told(told, HealthState.DOWN, "no_tls")
    assert log.read_text().count('AccountID="nobat"') == seen, "nobody has tried to log in"


# ---------------------------------------------------------------- events


async def heard(pbx: TestPbx, said: list[str]) -> list[str]:
    """What is told of events whose values these are."""
    events: list[Message] = []
    client = await pbx.ami(events.append)
    for one in [*said, "the end"]:
        await client.act(
            "Originate",
            variables={"SAID": one},
            Channel=f"Local/s@{SAYING}",
            Context=SAYING,
            Exten="over",
            Priority="1",
        )

    def told() -> list[str]:
        return [one["Said"].strip() for one in events if one.get("UserEvent") == "AcdProbe"]

    await until(pbx.is_quiet, "all were raised", every_s=0.02, seen=lambda: pbx.left)
    await until(lambda: len(told()) > len(SOUND), "what may be told is told", seen=told)
    await client.close()
    return told()


# The context writes ^ as a tab, @ as LF, ! as CR.
SOUND = ["plain", "نوبت‌دهی", "", "a: b", "  two words  "]
SHAPED = ["a^b", "a@b", "a!b", "a!@b", "a^^b", "a!@!@b"]


async def test_an_event_that_somebodys_words_have_shaped_is_not_told(sheltered: TestPbx) -> None:
    told = await heard(sheltered, [*SOUND, *SHAPED])
    assert sorted(told) == sorted([*(one.strip() for one in SOUND), "the end"])


# ---------------------------------------------------------------- Originate

FORGED = {
    "ACD_TARGETS": "PJSIP/agent-101",
    "ACD_DIAL": "PJSIP/agent-101",
    "ACD_RING": "2",
    "ACD_QUEUE": "sales",
    "ACD_SPY_ON": "PJSIP/agent-101-00000001",
    "ACD_WITH": "PJSIP/agent-101-00000001",
    "ACD_FORGET": "x",
}
"""What one would want dialled, heard or forgotten."""


def places(shown: str) -> list[tuple[str, str]]:
    """Context and extension of each place of our dialplan, a pattern by a number that it takes."""
    found, context = [], ""
    for line in shown.splitlines():
        if begins := re.match(r"\[ Context '([^']+)'", line):
            context = begins[1]
        elif (exten := re.match(r"\s+'([^']+)' =>\s+1\. ", line)) and context.startswith("acd-"):
            number = {"_[0-9+].": "8000", "_[A-Za-z0-9].": "at-1", "_[A-Za-z0-9+].": "101:trunk"}.get(
                exten[1], exten[1]
            )
            found.append((context, re.sub(r"[XZN]", "1", number.removeprefix("_"))))
    return found


@pytest.mark.parametrize("variables", [{}, FORGED], ids=["bare", "forged"])
async def test_originate_into_any_context_without_its_mark_dials_nobody(
    pbx: TestPbx, bank: PhoneBank, ami: AmiClient, variables: dict[str, str]
) -> None:
    await bank.given_phone("any", does="silent")
    await bank.given_phone("agent-101", does="silent")
    told: list[Message] = []
    listening = await pbx.ami(told.append)
    everywhere = [place for place in places(await pbx.console("dialplan show")) if place[1] not in {"h", "i", "t"}]
    assert len(everywhere) > 60, everywhere
    for context, exten in everywhere:
        await ami.act(
            "Originate", variables=variables, Channel=f"Local/{exten}@{context}/n", Context="acd-after", Exten="s",
            Priority="1", Timeout="1000", Async="true",
        )  # fmt: skip

    def ended() -> int:
        return len([event for event in told if event["Event"] == "OriginateResponse"])

    async def is_over() -> bool:
        left = [one["Channel"] for one in await ami.list("Status")]
        for channel in left:
            try:
                await ami.act("Hangup", Channel=channel)
            except AmiError:
                continue
        return not left

    await until(lambda: ended() == len(everywhere), "each has come to its end, or its second is over", seen=ended)
    await until(is_over, "all have ended")
    rung = [event["DialString"] for event in told if event["Event"] == "DialBegin"]
    assert [one for one in rung if "@acd-" not in one] == []  # the places themselves are rung, as Local channels
    await listening.close()


# ---------------------------------------------------------------- the last: this Asterisk is changed


async def test_an_asterisk_that_lives_dangerously_is_not_routed_on(sheltered: TestPbx) -> None:
    """``live_dangerously`` is turned on, and off again; each as it starts."""
    file = sheltered.instance.directory / "etc" / "asterisk.conf"
    safe = file.read_text()
    plain = PbxSettings(name=NAME, port=sheltered.ami_port, secret=sheltered.ami_secret)
    try:
        file.write_text(safe.replace("live_dangerously = no", "live_dangerously = yes"))
        sheltered.instance.kill()
        await sheltered.restart()
        async with linked(plain) as told:
            await until_told(told, HealthState.DANGEROUS, "live_dangerously")
            assert HealthState.READY not in {state for state, _ in told.states}
        client = await sheltered.ami()
        assert await client.list("DBGetTree", Family="acd-probe") == [], "nothing is left behind"
        await client.close()
    finally:
        file.write_text(safe)
        sheltered.instance.kill()
        await sheltered.restart()
    async with linked(plain) as told:
        await until_told(told, HealthState.READY, "ready")
