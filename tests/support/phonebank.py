"""The phone bank: a second Asterisk that plays customers and agents' phones against the PBX under test.

What a phone does by itself (ring, answer, stay silent, reject, talk for a while, hang up) lives in the bank's dialplan,
as global variables that ``given_phone`` sets: Python is not in the way of a call, so the bank carries 20 new calls a
second. Each leg plays a tone of its own and may record what it hears; ``tests.support.tones`` then tells who heard whom.

Order: ``PhoneBank(...)``, ``await open()``, ``await register(...)``, ``await given_phone(...)``, ``await call(...)``,
``await close()``. Used by tests, benchmarks and ``lab.demo``.
"""

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from urllib.parse import quote

from lab.asterisk import Instance
from lab.phones import Phone
from tests.support.ami_client import AmiClient, AmiError, Message
from tests.support.tones import heard_tones, mean_amplitude
from tests.support.until import Late, until

CONF = Path(__file__).parent / "phonebank_conf"
LAB_CONF = Path(__file__).parents[2] / "asterisk-conf"
OWN_CONF = ("modules.conf", "manager.conf", "pjsip.conf", "extensions.conf")


@dataclass(frozen=True, slots=True)
class Ports:
    sip: int
    ami: int
    rtp_start: int
    rtp_end: int


@dataclass(slots=True)
class Customer:
    """One customer's call, from its Originate to its end."""

    customer: str
    number: str
    tone: int
    answered_ms: int | None = None
    gone_ms: int | None = None
    cause: int | None = None
    refused: str | None = None

    @property
    def is_over(self) -> bool:
        return self.gone_ms is not None or self.refused is not None


@dataclass(frozen=True, slots=True)
class PhoneMoment:
    """Something a phone saw or did, by the bank's clock: ``PhoneInvite``, ``PhoneAnswer`` or ``PhoneBye``."""

    kind: str
    phone: str
    caller: str
    leg: str
    ms: float


class PhoneBank:
    """Phones and customers of one PBX."""

    def __init__(self, instance: Instance, ports: Ports, pbx: str, phones: Sequence[Phone]) -> None:
        self.instance = instance
        self.ports = ports
        self.pbx = pbx  # host:port of the SIP side of the PBX under test
        self.phones = tuple(phones)
        self.customers: dict[str, Customer] = {}
        self.moments: list[PhoneMoment] = []
        self.were_up: set[str] = set()  # legs that had been picked up when they ended
        self._leaving: dict[str, PhoneMoment] = {}  # phones that hang up by themselves, until the BYE is out
        self.registry: dict[str, str] = {}
        self.dialling: set[str] = set()  # phones that dial or stay on a call they dialled
        self._numbers = count(1)
        self._changed: set[str] = set()
        self._ami: AmiClient | None = None

    @property
    def ami(self) -> AmiClient:
        if self._ami is None:
            raise RuntimeError("the phone bank is not open")
        return self._ami

    # ------------------------------------------------ life

    async def open(self) -> None:
        """Start the bank's Asterisk and wait until all its phones are registered."""
        self._write()
        self.instance.start()
        secret = self._secret
        deadline = asyncio.get_running_loop().time() + 20
        while self._ami is None:
            try:
                self._ami = await AmiClient.connect(self.ports.ami, "bank", secret, self._hear)
            except (OSError, AmiError, asyncio.IncompleteReadError):
                if asyncio.get_running_loop().time() > deadline:
                    raise Late(f"the phone bank did not start\n{self.instance.log_tail()}") from None
                await asyncio.sleep(0.05)
        await self.given_phone("any", does="answer", ring=0, talk=0, tone=0, record=False)
        names = [phone.endpoint for phone in self.phones]
        await self.until(lambda: all(self.registry.get(n) == "Registered" for n in names), "all phones registered", 20)

    async def close(self) -> None:
        if self._ami is not None:
            await self._ami.close()
            self._ami = None
        self.instance.stop()

    @property
    def _secret(self) -> str:
        return f"bank-{self.ports.ami}"

    def _write(self) -> None:
        shared = {f.name: f.read_text() for f in LAB_CONF.glob("*.conf") if f.name not in OWN_CONF}
        values = {
            "PBX_NAME": "bank",
            "SIP_PORT": str(self.ports.sip),
            "AMI_PORT": str(self.ports.ami),
            "AMI_SECRET": self._secret,
            "RTP_START": str(self.ports.rtp_start),
            "RTP_END": str(self.ports.rtp_end),
            "PBX": self.pbx,
            "RECORD_DIR": self.instance.inside("record"),
        }
        generated = {**shared, "pjsip-phones.conf": bank_sections(self.phones)}
        self.instance.write({".": CONF}, generated, values)

    # ------------------------------------------------ phones

    async def given_phone(
        self,
        phone: str,
        *,
        does: str | None = None,
        ring: float | None = None,
        talk: float | tuple[float, float] | None = None,
        tone: int | str | None = None,
        record: bool | None = None,
        keys: str | None = None,
    ) -> None:
        """What ``phone`` does with the next INVITE; ``any`` sets the default of all.

        ``does``: answer, silent, busy, reject, unavailable, unknown, redirect. ``ring``: seconds until it answers. ``talk``:
        seconds until it hangs up (0 = never), or from-to for a random time. ``tone``: what it plays, Hz (0 = silence), or in
        Asterisk's own words. ``keys``: what it presses a moment after it has answered.
        """
        settings: dict[str, str] = {}
        if does is not None:
            settings["DOES"] = does
        if ring is not None:
            settings["RING"] = f"{ring:g}"
        if talk is not None:
            settings["TALK"] = "-".join(str(round(s * 1000)) for s in talk) if isinstance(talk, tuple) else f"{talk:g}"
        if tone is not None:
            settings["TONE"] = str(tone)
        if record is not None:
            settings["RECORD"] = "1" if record else "0"
        if keys is not None:
            settings["KEYS"] = keys
        for name, value in settings.items():
            await self.ami.act("Setvar", Variable=f"{name}_{phone}", Value=value)
            self._changed.add(f"{name}_{phone}")

    async def register(self, phones: Iterable[str], within_s: float = 10) -> None:
        """Register ``phones`` and wait until the PBX has accepted each."""
        names = list(phones)
        for name in names:
            await self.ami.act("PJSIPRegister", Registration=name)
        await self.until(
            lambda: all(self.registry.get(name) == "Registered" for name in names),
            f"registered: {names}",
            within_s,
        )

    async def unregister(self, phones: Iterable[str], within_s: float = 10) -> None:
        """Unregister ``phones``; the PBX then has no contact for them."""
        names = list(phones)
        for name in names:
            await self.ami.act("PJSIPUnregister", Registration=name)
        await self.until(
            lambda: all(self.registry.get(name) == "Unregistered" for name in names),
            f"unregistered: {names}",
            within_s,
        )

    async def dial_from(
        self, phone: str, number: str, *, digits: str = "", stay_s: float = 30, record: bool = False
    ) -> str:
        """Let ``phone`` dial ``number`` on the PBX (a phone code, a colleague); then send ``digits``. Returns its leg's id."""
        leg = f"dial-{phone}-{next(self._numbers)}"
        self.dialling.add(phone)
        await self._originate(
            leg, f"PJSIP/{phone}/sip:{number}@{self.pbx}", "phone-dials", phone,
            {"DIGITS": digits, "STAY": f"{stay_s:g}", "PHONE": phone, "RECORD": leg if record else ""},
        )  # fmt: skip
        return leg

    async def shown_at(self, phone: str) -> str:
        """The name that the phone showed when it was rung last."""
        return (await self.ami.act("Getvar", Variable=f"SHOWN_{phone}"))["Value"]

    def leg_of(self, phone: str) -> str:
        """The channel of the phone's latest INVITE."""
        for moment in reversed(self.moments):
            if moment.phone == phone and moment.kind == "PhoneInvite":
                return moment.leg
        raise Late(f"{phone} was never rung")

    async def hang_up(self, leg: str) -> None:
        """Hang up a leg of the bank by channel name or id: a phone's, or a customer's."""
        await self.ami.act("Hangup", Channel=leg, Cause="16")

    async def hold(self, phone: str) -> None:
        """The phone puts its call on hold (a re-INVITE, as a real phone sends it)."""
        await self.ami.act("Redirect", Channel=await self._settled(phone), Context="hold", Exten="s", Priority="1")

    async def _settled(self, phone: str) -> str:
        """The phone's leg, once it has its tone and its recorder: the PBX and the service may be faster than its own dialplan."""
        leg = self.leg_of(phone)

        async def is_so() -> bool:
            return bool((await self.ami.act("Getvar", Channel=leg, Variable="TALK"))["Value"])

        await until(is_so, f"{phone} does what it does in a conversation", every_s=0.02)
        return leg

    async def unhold(self, phone: str) -> None:
        await self.ami.act("Redirect", Channel=self.leg_of(phone), Context="unhold", Exten="s", Priority="1")

    async def die(self, phone: str) -> None:
        """The phone's network is gone: no sound comes from it any more, and no goodbye."""
        await self.ami.act("Redirect", Channel=self.leg_of(phone), Context="dead", Exten="s", Priority="1")

    async def refer(self, phone: str, to: str) -> None:
        """The phone passes its call on to ``to`` by its own key (REFER)."""
        leg = self.leg_of(phone)
        await self.ami.act("Setvar", Channel=leg, Variable="REFER_TO", Value=f"sip:{to}@{self.pbx}")
        await self.ami.act("Redirect", Channel=leg, Context="transfer", Exten="s", Priority="1")

    async def join_calls(self, phone: str, other: str) -> None:
        """The phone gives the party of its call to that of its other call (the leg ``other``, which it dialled), by its own key:
        REFER with Replaces."""
        parts = []
        for name in ("call-id", "remote_tag", "local_tag"):
            parts.append((await self.ami.act("Getvar", Channel=other, Variable=f"CHANNEL(pjsip,{name})"))["Value"])
        call_id, remote, own = (quote(part, safe="") for part in parts)
        replaces = f"{call_id}%3Bto-tag%3D{remote}%3Bfrom-tag%3D{own}"
        leg = self.leg_of(phone)
        await self.ami.act(
            "Setvar", Channel=leg, Variable="REFER_TO", Value=f"<sip:{phone}@{self.pbx}?Replaces={replaces}>"
        )
        await self.ami.act("Redirect", Channel=leg, Context="transfer", Exten="s", Priority="1")

    async def answer_together(self, first: str, second: str) -> None:
        """Two phones that ring (and would go on ringing) are picked up in the same instant."""
        await self.ami.act(
            "Redirect",
            Channel=self.leg_of(first), Context="phone-answer", Exten="s", Priority="answer",
            ExtraChannel=self.leg_of(second), ExtraContext="phone-answer", ExtraExten="s", ExtraPriority="answer",
        )  # fmt: skip

    async def send_digits(self, leg: str, digits: str) -> None:
        for digit in digits:
            await self.ami.act("PlayDTMF", Channel=leg, Digit=digit, Duration="120")
            await asyncio.sleep(0.3)

    # ------------------------------------------------ customers

    async def call(
        self,
        number: str,
        *,
        name: str = "",
        caller: str | None = None,
        tone: int = 0,
        record: bool = False,
        patience_s: float = 3600,
    ) -> Customer:
        """A customer dials ``number``. Returns at once; the call goes on by itself until ``patience_s`` is over."""
        serial = next(self._numbers)
        customer = Customer(f"customer-{serial}", caller if caller is not None else f"0912{serial:07d}", tone)
        self.customers[customer.customer] = customer
        await self._originate(
            customer.customer, f"PJSIP/customer/sip:{number}@{self.pbx}", "customer", "s",
            {
                "CUSTOMER": customer.customer, "TONE": str(tone), "RECORD": "1" if record else "0",
                "PATIENCE": f"{patience_s:g}",
            },
            caller_id=f'"{name}" <{customer.number}>',
        )  # fmt: skip
        return customer

    async def leave(self, customer: Customer) -> None:
        """The customer hangs up."""
        await self.hang_up(customer.customer)

    async def _originate(
        self, leg: str, channel: str, context: str, exten: str, variables: dict[str, str], caller_id: str = ""
    ) -> None:
        headers = {"ChannelId": leg, "Channel": channel, "Context": context, "Exten": exten, "Priority": "1"}
        if caller_id:
            headers["CallerID"] = caller_id
        await self.ami.act("Originate", **headers, Async="true", Timeout="30000", variables=variables)

    # ------------------------------------------------ what was heard

    async def heard(self, leg: str, tones: Iterable[int]) -> dict[int, float]:
        """How strong each of ``tones`` is in what ``leg`` heard; 0 is silence. For a leg that is over: a customer's name,
        or ``<phone>-<number of its caller>``."""
        return heard_tones(await self.recording(leg), tuple(tones))

    async def loudness(self, leg: str) -> float:
        """Mean amplitude of what ``leg`` heard, for music and voices."""
        return mean_amplitude(await self.recording(leg))

    async def recording(self, leg: str, within_s: float = 10) -> Path:
        """The file with what ``leg`` heard, once the leg is over and the file whole."""
        path = self.instance.directory / "record" / f"{leg}.wav"
        await until(
            lambda: path.exists() and path not in self._open_files(),
            f"the recording of {leg} is whole",
            within_s=within_s,
        )
        return path

    def _open_files(self) -> set[Path]:
        """Files that the bank's Asterisk still writes: it keeps a recording's last seconds in memory."""
        pid = self.instance.running_pid()
        found = set()
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed meanwhile
                found.add(Path(os.readlink(entry)))
        return found

    # ------------------------------------------------ waiting

    async def until(self, condition: Callable[[], bool], what: str, within_s: float = 10) -> None:
        """Wait for something that the bank can see."""
        await until(condition, what, within_s=within_s, seen=self._seen)

    def _seen(self) -> str:
        """For a person who reads a failure: what happened last, and which phones are not registered."""
        unregistered = {name: state for name, state in self.registry.items() if state != "Registered"}
        return f"{self.moments[-5:]}, not registered {unregistered}"

    async def quiet(self) -> None:
        """End every call and give every phone its first behaviour again, registered."""
        await self.ami.act("Hangup", Channel="/^PJSIP/", Cause="16")
        for name in self._changed:
            await self.ami.act("Setvar", Variable=name, Value="")
        self._changed.clear()
        await self.given_phone("any", does="answer", ring=0, talk=0, tone=0, record=False)
        await self.register([name for name, state in self.registry.items() if state != "Registered"])

    def _hear(self, event: Message) -> None:
        kind = event.get("UserEvent", event["Event"])
        if kind == "Registry":
            self.registry[event["Username"].removeprefix("sip:").partition("@")[0]] = event["Status"]
        elif kind == "PhoneDialled":
            self.dialling.discard(event["Phone"])
        elif kind == "PhoneBye":
            self._leaving[event["Leg"]] = PhoneMoment(kind, event["Phone"], event["Caller"], event["Leg"], 0.0)
        elif kind == "Hangup":
            if event["ChannelStateDesc"] == "Up":
                self.were_up.add(event["Channel"])
            leaving = self._leaving.pop(event["Channel"], None)
            if leaving is not None:
                self.moments.append(replace(leaving, ms=float(event["Timestamp"]) * 1000))
        elif kind.startswith("Phone"):
            self.moments.append(
                PhoneMoment(kind, event["Phone"], event["Caller"], event["Leg"], int(event["Us"]) / 1000)
            )
        elif kind.startswith("Customer"):
            self._hear_customer(kind, event)
        elif kind == "OriginateResponse" and event["Response"] == "Failure":
            customer = self.customers.get(event.get("Uniqueid", ""))
            if customer is not None:
                customer.refused = event["Reason"]
            self.dialling.discard(event.get("Uniqueid", "").removeprefix("dial-").rpartition("-")[0])

    def _hear_customer(self, kind: str, event: Message) -> None:
        customer = self.customers[event["Customer"]]
        if kind == "CustomerUp":
            customer.answered_ms = int(event["Ms"])
        elif kind == "CustomerGone":
            customer.gone_ms = int(event["Ms"])
            customer.cause = int(event["Cause"] or 0)


def bank_sections(phones: Sequence[Phone]) -> str:
    """The bank's end of each phone: a registration, the endpoint from which it dials, and its password."""
    return "\n".join(_bank_sections(phone) for phone in phones)


def _bank_sections(phone: Phone) -> str:
    name = phone.endpoint
    return (
        f"[{name}](leg)\nfrom_user = {name}\noutbound_auth = {name}\naors = {name}\n"
        f"[{name}](place)\n"
        f"[{name}](secret)\nusername = {name}\npassword = {phone.password}\n"
        f"[{name}](line)\noutbound_auth = {name}\nclient_uri = sip:{name}@@PBX@\ncontact_user = {name}\n"
    )
