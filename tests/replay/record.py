"""Makes the recordings beside it: what Asterisk says on AMI during one call of each kind, byte by byte.

Run by hand, after a change of ``asterisk-conf/`` or ``dialplan/`` or of the Asterisk version::

    .venv/bin/python -m tests.replay.record [NAME ...]

Each scenario plays on a real PBX with the phone bank; the service is absent and this module plays its part: it sends the
same actions. The file holds every byte that came in, responses included, from the scenario's first action to its last event.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from ami.readings import SNAPSHOT_VARIABLES
from tests.support.ami_client import Message, parse
from tests.support.pbx import TestPbx
from tests.support.phonebank import Customer, PhoneBank
from tests.support.rawsip import RawSip

RECORDINGS = Path(__file__).parent / "recordings"
Scenario = Callable[["Tape"], Awaitable[None]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(play: Scenario) -> Scenario:
    """Register ``play`` under its own name."""
    SCENARIOS[play.__name__] = play
    return play


class Tape:
    """A login that keeps every byte, and the hands of the service."""

    def __init__(self, pbx: TestPbx, bank: PhoneBank) -> None:
        self.pbx = pbx
        self.bank = bank
        self.received = bytearray()
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter
        self._task: asyncio.Task[None]

    async def open(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.pbx.ami_port)
        self._task = asyncio.create_task(self._read())
        self.act("Login", Username="nobat", Secret=self.pbx.ami_secret)
        await self.event("FullyBooted")

    async def _read(self) -> None:
        while data := await self._reader.read(65536):
            self.received += data

    async def close(self) -> None:
        self._task.cancel()
        self._writer.close()

    def act(self, action: str, **headers: str) -> None:
        self._writer.write(action_bytes(action, headers))

    def offer(self, caller: Message, targets: str, ring_s: int, offer: str = "of1") -> None:
        """What the service sends for an offer: variables and Redirect in one write."""
        channel = caller["Channel"]
        sets = {"ACD_OFFER": offer, "ACD_TARGETS": targets, "ACD_RING": str(ring_s)}
        block = b"".join(
            action_bytes("Setvar", {"Channel": channel, "Variable": name, "Value": value})
            for name, value in sets.items()
        )
        redirect = {"Channel": channel, "Context": "acd-offer", "Exten": "s", "Priority": "1"}
        self._writer.write(block + action_bytes("Redirect", redirect))

    def hang_up(self, channel: str, cause: int = 16) -> None:
        self.act("Hangup", Channel=channel, Cause=str(cause))

    def messages(self) -> list[Message]:
        return [parse(block) for block in bytes(self.received).split(b"\r\n\r\n")]

    async def event(self, name: str, occurrence: int = 1, within_s: float = 20, **headers: str) -> Message:
        """Wait for the n-th event of that name (an Acd name means a UserEvent) with these headers."""
        wanted = {"UserEvent": name, **headers} if name.startswith("Acd") else {"Event": name, **headers}
        deadline = asyncio.get_running_loop().time() + within_s
        while True:
            found = [m for m in self.messages() if all(m.get(k) == v for k, v in wanted.items())]
            if len(found) >= occurrence:
                return found[occurrence - 1]
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"no {name} {headers}; got {[m.get('Event') for m in self.messages()]}")
            await asyncio.sleep(0.005)

    async def caller(self, **how: object) -> tuple[Customer, Message]:
        customer = await self.bank.call("8000", **how)  # type: ignore[arg-type]
        return customer, await self.event("AcdEnter")

    async def settle(self, seconds: float = 0.6) -> None:
        """Nothing more is expected: leave time for what comes unasked."""
        await asyncio.sleep(seconds)


def action_bytes(action: str, headers: dict[str, str]) -> bytes:
    return "".join(f"{k}: {v}\r\n" for k, v in {"Action": action, **headers}.items()).encode() + b"\r\n"


# ---------------------------------------------------------------- scenarios


@scenario
async def answered_agent_hangs_up(tape: Tape) -> None:
    """A caller waits, the agent answers after 0.3 s, talks for 1 s and hangs up; the caller is hung up by the service."""
    await tape.bank.given_phone("agent-101", ring=0.3, talk=1)
    _, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101", 10)
    after = await tape.event("AcdAfter")
    tape.hang_up(after["Channel"])
    await tape.event("Hangup", Channel=after["Channel"])
    await tape.settle()


@scenario
async def answered_caller_hangs_up(tape: Tape) -> None:
    """The same, but the caller hangs up first."""
    await tape.bank.given_phone("agent-101", ring=0.3, talk=0)
    customer, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101", 10)
    await tape.event("BridgeEnter", 2)
    await asyncio.sleep(1)
    await tape.bank.leave(customer)
    await tape.event("Hangup", 2)
    await tape.settle()


@scenario
async def answered_nobody_says_after(tape: Tape) -> None:
    """The agent hangs up and the service stays silent: the dialplan ends the call after a second."""
    await tape.bank.given_phone("agent-101", ring=0, talk=1)
    _, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101", 10)
    await tape.event("Hangup", 2)
    await tape.settle()


@scenario
async def abandoned_waiting(tape: Tape) -> None:
    """The caller gives up while waiting."""
    customer, _ = await tape.caller()
    await asyncio.sleep(1)
    await tape.bank.leave(customer)
    await tape.event("Hangup")
    await tape.settle()


@scenario
async def abandoned_ringing(tape: Tape) -> None:
    """The caller gives up while the agent's phone rings."""
    await tape.bank.given_phone("agent-101", does="silent")
    customer, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101", 10)
    await tape.event("DialBegin")
    await asyncio.sleep(0.5)
    await tape.bank.leave(customer)
    await tape.event("Hangup", 2)
    await tape.settle()


@scenario
async def agent_silent(tape: Tape) -> None:
    """Nobody answers within the 2 s of the offer: the caller waits again."""
    await tape.bank.given_phone("agent-101", does="silent")
    await _missed(tape, "PJSIP/agent-101", 2)


@scenario
async def agent_busy(tape: Tape) -> None:
    """The phone answers 486."""
    await tape.bank.given_phone("agent-101", does="busy")
    await _missed(tape, "PJSIP/agent-101", 5)


@scenario
async def agent_rejects_603(tape: Tape) -> None:
    """The phone answers 603."""
    phone = await RawSip.open(tape.pbx.sip)
    await phone.register("agent-103", "nobat-agent-103")
    await _missed(tape, "PJSIP/agent-103", 5)
    phone.close()


@scenario
async def agent_rejects_403(tape: Tape) -> None:
    """The phone answers 403, which is what an Asterisk says for a rejected call."""
    await tape.bank.given_phone("agent-101", does="reject")
    await _missed(tape, "PJSIP/agent-101", 5)


@scenario
async def agent_phone_dead(tape: Tape) -> None:
    """The phone has a contact but is gone without a word: it never answers the INVITE."""
    phone = await RawSip.open(tape.pbx.sip)
    await phone.register("agent-104", "nobat-agent-104")
    phone.close()
    await _missed(tape, "PJSIP/agent-104", 2)


@scenario
async def agent_dies_talking(tape: Tape) -> None:
    """The agent's phone answers, then is dead: no voice, no BYE. The PBX ends its leg after rtp_timeout (5 s)."""
    phone = await RawSip.open(tape.pbx.sip)
    phone.answer_with = 200
    await phone.register("agent-104", "nobat-agent-104")
    _, caller = await tape.caller(tone=440)
    tape.offer(caller, "PJSIP/agent-104", 5)
    await tape.event("BridgeEnter", 2)
    phone.close()
    await tape.event("Hangup", 2, within_s=30)
    await tape.settle()


@scenario
async def agent_unavailable_480(tape: Tape) -> None:
    """The phone answers 480."""
    await tape.bank.given_phone("agent-101", does="unavailable")
    await _missed(tape, "PJSIP/agent-101", 5)


@scenario
async def agent_redirects_302(tape: Tape) -> None:
    """The phone answers 302 to a number outside: not followed."""
    await tape.bank.given_phone("agent-101", does="redirect")
    await _missed(tape, "PJSIP/agent-101", 5)


@scenario
async def agent_unregistered(tape: Tape) -> None:
    """The phone has no contact."""
    await _missed(tape, "PJSIP/agent-110", 5)


@scenario
async def agent_unknown(tape: Tape) -> None:
    """There is no such endpoint."""
    await _missed(tape, "PJSIP/agent-999", 5)


@scenario
async def agent_silent_unregistered_and_busy(tape: Tape) -> None:
    """Three targets: one rings and stays silent, one has no contact, one is busy."""
    await tape.bank.given_phone("agent-101", does="silent")
    await tape.bank.given_phone("agent-102", does="busy")
    await _missed(tape, "PJSIP/agent-101&PJSIP/agent-110&PJSIP/agent-102", 2)


async def _missed(tape: Tape, targets: str, ring_s: int) -> None:
    customer, caller = await tape.caller()
    tape.offer(caller, targets, ring_s)
    await tape.event("AcdOfferEnded")
    await tape.settle()
    await tape.bank.leave(customer)
    await tape.event("Hangup", Channel=caller["Channel"])
    await tape.settle()


@scenario
async def withdrawn(tape: Tape) -> None:
    """The service hangs up the ringing leg by its exact name: the caller waits again."""
    await tape.bank.given_phone("agent-101", does="silent")
    customer, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101", 10)
    ringing = await tape.event("DialBegin")
    await asyncio.sleep(0.5)
    tape.hang_up(ringing["DestChannel"])
    await tape.event("AcdOfferEnded")
    await tape.settle()
    await tape.bank.leave(customer)
    await tape.event("Hangup", Channel=caller["Channel"])
    await tape.settle()


@scenario
async def ring_all_one_answers(tape: Tape) -> None:
    """Two phones ring, the second answers after half a second, talks for a second and hangs up."""
    await tape.bank.given_phone("agent-101", does="silent")
    await tape.bank.given_phone("agent-102", ring=0.5, talk=1)
    _, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101&PJSIP/agent-102", 10)
    await tape.event("Hangup", 3)
    await tape.settle()


@scenario
async def silent_then_answered(tape: Tape) -> None:
    """The first agent stays silent for 2 s, the next one answers: two offers of one call."""
    await tape.bank.given_phone("agent-101", does="silent")
    await tape.bank.given_phone("agent-102", ring=0.2, talk=1)
    _, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101", 2, "of1")
    await tape.event("AcdOfferEnded")
    tape.offer(caller, "PJSIP/agent-102", 5, "of2")
    await tape.event("Hangup", 3)
    await tape.settle()


@scenario
async def held_and_resumed(tape: Tape) -> None:
    """The agent puts the caller on hold for a second and takes it back."""
    await tape.bank.given_phone("agent-101", ring=0, talk=0)
    customer, caller = await tape.caller()
    tape.offer(caller, "PJSIP/agent-101", 10)
    await tape.event("BridgeEnter", 2)
    await asyncio.sleep(0.5)
    await tape.bank.hold("agent-101")
    await tape.event("Hold")
    await asyncio.sleep(1)
    await tape.bank.unhold("agent-101")
    await tape.event("Unhold")
    await asyncio.sleep(0.5)
    await tape.bank.leave(customer)
    await tape.event("Hangup", 2)
    await tape.settle()


@scenario
async def persian_name(tape: Tape) -> None:
    """A caller with a Persian name: letters of any alphabet pass the filter."""
    _, caller = await tape.caller(name="نوبت‌دهی شرکت")
    tape.act("Status", Channel=caller["Channel"], Variables="ACD_CALL,ACD_QUEUE,ACD_ENTERED,ACD_PRIO,ACD_STATE")
    await tape.event("StatusComplete")
    tape.hang_up(caller["Channel"])
    await tape.event("Hangup")
    await tape.settle()


@scenario
async def code_sign_in(tape: Tape) -> None:
    """*11 from a phone, agent 101 and PIN; the service reads both by Status and answers signed_in."""
    await tape.bank.dial_from("agent-102", "*11", digits="101#ww101#", stay_s=20)
    ask = await tape.event("AcdAsk")
    tape.act("Status", Channel=ask["Channel"], Variables="ACD_ASK,ACD_KIND,ACD_AGENT,ACD_PIN,ACD_REASON")
    await tape.event("StatusComplete")
    _reply(tape, ask, "signed_in")
    await tape.event("Hangup")
    await tape.settle()


@scenario
async def code_break(tape: Tape) -> None:
    """*132: a break with reason 2, answered on_break."""
    await tape.bank.dial_from("agent-102", "*132", stay_s=20)
    ask = await tape.event("AcdAsk")
    _reply(tape, ask, "on_break")
    await tape.event("Hangup")
    await tape.settle()


@scenario
async def code_unanswered(tape: Tape) -> None:
    """*14 and no service: after 5 s the dialplan speaks for itself."""
    await tape.bank.dial_from("agent-102", "*14", stay_s=20)
    await tape.event("Hangup", within_s=25)
    await tape.settle()


def _reply(tape: Tape, ask: Message, slug: str) -> None:
    channel = ask["Channel"]
    tape.act("Setvar", Channel=channel, Variable="ACD_REPLY", Value=slug)
    tape.act("Redirect", Channel=channel, Context="acd-codes", Exten="reply", Priority="1")


@scenario
async def phone_comes_and_goes(tape: Tape) -> None:
    """A phone registers and unregisters."""
    await tape.bank.register(["agent-105"])
    await tape.event("DeviceStateChange", Device="PJSIP/agent-105", State="NOT_INUSE")
    await tape.bank.unregister(["agent-105"])
    await tape.event("DeviceStateChange", Device="PJSIP/agent-105", State="UNAVAILABLE")
    await tape.settle()


@scenario
async def phone_talks_elsewhere(tape: Tape) -> None:
    """Agent 101 is called by agent 102 directly: a call that is none of ours."""
    await tape.bank.given_phone("agent-101", ring=0.3, talk=1)
    await tape.bank.dial_from("agent-102", "101", stay_s=5)
    await tape.event("Hangup", 2)
    await tape.settle()


@scenario
async def snapshot(tape: Tape) -> None:
    """What the service asks after its login, with one caller waiting, one ringing, one talking."""
    await tape.bank.given_phone("agent-101", ring=0, talk=0)
    await tape.bank.given_phone("agent-102", does="silent")
    customers = [await tape.bank.call("8000", name=name) for name in ("Talker", "Ringer", "Waiter")]
    first = await tape.event("AcdEnter", 1)
    second = await tape.event("AcdEnter", 2)
    await tape.event("AcdEnter", 3)
    tape.offer(first, "PJSIP/agent-101", 20, "of1")
    await tape.event("BridgeEnter", 2)
    tape.offer(second, "PJSIP/agent-102", 20, "of2")
    await tape.event("DialBegin", 2)
    tape.received.clear()
    tape.act("CoreSettings")
    tape.act("CoreStatus")
    tape.act(
        "Status",
        Variables=",".join(SNAPSHOT_VARIABLES),
    )
    await tape.event("StatusComplete")
    tape.act("DeviceStateList")
    await tape.event("DeviceStateListComplete")
    tape.act("BridgeList")
    await tape.event("BridgeListComplete")
    for context in ("acd-enter", "acd-wait", "acd-offer", "acd-after", "acd-codes"):
        tape.act("ShowDialPlan", Context=context)
    await tape.event("ShowDialPlanComplete", 5)
    tape.act("ShowDialPlan", Context="acd-missing")
    tape.act("Setvar", Variable="ACD_NUMBER_8000", Value="sales")
    tape.act("Getvar", Variable="ACD_NUMBER_8000")
    tape.act("Ping")
    tape.act("Redirect", Channel="PJSIP/trunk-ffffffff", Context="acd-offer", Exten="s", Priority="1")
    tape.act("Hangup", Channel="PJSIP/trunk-ffffffff")
    tape.act("Setvar", Channel="PJSIP/trunk-ffffffff", Variable="ACD_OFFER", Value="x")
    await tape.settle()
    kept = bytes(tape.received)
    for customer in customers:
        await tape.bank.leave(customer)
    await tape.event("Hangup", 5)
    tape.received[:] = kept


async def main(names: list[str]) -> None:
    RECORDINGS.mkdir(exist_ok=True)
    pbx = await TestPbx.started("record", agents=10)
    bank = await pbx.phone_bank()
    try:
        await bank.unregister(["agent-105", "agent-110"])
        for name in names or list(SCENARIOS):
            await _record(name, pbx, bank)
    finally:
        await bank.close()
        await pbx.close()


async def _record(name: str, pbx: TestPbx, bank: PhoneBank) -> None:
    for phone in ("agent-101", "agent-102"):
        await bank.given_phone(phone, does="answer", ring=0, talk=0)
    tape = Tape(pbx, bank)
    await tape.open()
    if name != "snapshot":
        login = len(tape.received)
        await SCENARIOS[name](tape)
        del tape.received[:login]
    else:
        await SCENARIOS[name](tape)
    (RECORDINGS / f"{name}.ami").write_bytes(bytes(tape.received))
    events = [m for m in tape.messages() if "Event" in m]
    print(f"{name}: {len(events)} events, {len(tape.received)} bytes")
    await tape.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
