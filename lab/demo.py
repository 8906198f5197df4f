"""``make demo``: a call centre that works, to look at.

Brings up the lab in ``.lab-demo`` and a phone bank at its trunk; customers dial in, agents answer, and a table shows what the
REST interface says. Ctrl-C ends all of it; with ``DEMO_SECONDS`` it ends by itself. The summary compares what the
customers lived through with what Nobat has on record, call by call; the exit code is 0 only if every call is accounted for.
"""

import asyncio
import contextlib
import dataclasses
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx

from lab.asterisk import Instance, LabError
from lab.demo_view import View
from lab.pbx import CHECKOUT
from lab.phones import lab_phones
from lab.settings import LabSettings, read_settings
from lab.stack import Lab
from tests.support.phonebank import Customer, PhoneBank, Ports
from tests.support.ports import free_port

AGENTS = ("101", "102", "103", "104", "111", "112", "113", "114")
NAMES = ("Ali", "Sara", "نوبت", "Reza", "Maryam", "Chen", "Olga", "José", "", "Zoë")
CALLS_A_SECOND = 0.8
TALK_S, RING_S, PATIENCE_S = (4.0, 12.0), (0.5, 2.0), (10.0, 60.0)


def main() -> int:
    settings = read_settings()
    if "LAB_DIR" not in os.environ:
        settings = dataclasses.replace(settings, directory=CHECKOUT / ".lab-demo")
    seconds = _seconds()
    lab = Lab(settings)
    try:
        print("nobat: starting PBX and service …", flush=True)
        lab.up()
        return asyncio.run(_run(lab, settings, seconds))
    finally:
        lab.down()


def _seconds() -> float | None:
    text = os.environ.get("DEMO_SECONDS", "")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise LabError(f"DEMO_SECONDS={text}: a number is needed") from None


async def _run(lab: Lab, settings: LabSettings, seconds: float | None) -> int:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    bank = _phone_bank(lab, settings)
    tokens = lab.tokens()
    headers = {"Authorization": f"Bearer {tokens['supervisor']}"}
    async with httpx.AsyncClient(base_url=lab.service().url, headers=headers, timeout=10) as api:
        try:
            print("nobat: starting the phone bank …", flush=True)
            await bank.open()
            await _open_for_business(api, bank, settings.agents)
            _tell(lab, settings, tokens)
            await _play(api, bank, stop, seconds)
            return await _account(api, bank)
        finally:
            await bank.close()


def _phone_bank(lab: Lab, settings: LabSettings) -> PhoneBank:
    instance = Instance(f"{lab.pbx.name}-bank", lab.pbx.home, settings.directory / "bank")
    ports = Ports(sip=int(settings.trunk.rpartition(":")[2]), ami=free_port(), rtp_start=30000, rtp_end=39999)
    return PhoneBank(instance, ports, f"127.0.0.1:{settings.sip_port}", lab_phones(settings.agents))


def _tell(lab: Lab, settings: LabSettings, tokens: dict[str, str]) -> None:
    print(f"\n  REST     {lab.service().url}   description: {lab.service().url}/docs")
    spare = f"agent-{100 + settings.agents}"
    for name, token in tokens.items():
        print(f"  token    {name:10} {token}")
    print(
        f"  SIP      127.0.0.1:{settings.sip_port}: register {spare}, password nobat-{spare}, and dial 8000\n",
        flush=True,
    )


async def _open_for_business(api: httpx.AsyncClient, bank: PhoneBank, agents: int) -> None:
    for agent in (agent for agent in AGENTS if int(agent) <= 100 + agents):
        ring = round(random.uniform(*RING_S), 1)
        await bank.given_phone(f"agent-{agent}", does="answer", ring=ring, talk=TALK_S, tone=0)
        (await api.put(f"/v1/agents/{agent}/status", json={"status": "available"})).raise_for_status()


async def _play(api: httpx.AsyncClient, bank: PhoneBank, stop: asyncio.Event, seconds: float | None) -> None:
    """Let customers call until ``stop`` or until the time is over; the last of them leave by then."""
    end = time.monotonic() + seconds if seconds is not None else None
    callers = asyncio.create_task(_keep_calling(bank))
    try:
        with View() as view:
            while not stop.is_set() and (end is None or time.monotonic() < end):
                view.show(*await _look(api), list(bank.customers.values()))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), 0.5)
    finally:
        callers.cancel()
        await asyncio.gather(callers, return_exceptions=True)


async def _keep_calling(bank: PhoneBank) -> None:
    while True:
        number, name = random.choice(("8000", "8000", "8001")), random.choice(NAMES)
        await bank.call(number, name=name, patience_s=random.uniform(*PATIENCE_S))
        await asyncio.sleep(random.expovariate(CALLS_A_SECOND))


async def _look(api: httpx.AsyncClient) -> tuple[list[Any], list[Any], list[Any]]:
    """Queues, agents on duty and live calls, as REST tells them."""
    replies = await asyncio.gather(
        api.get("/v1/queues"),
        api.get("/v1/agents", params={"limit": 200}),
        api.get("/v1/calls", params={"state": ["waiting", "offered", "talking", "after"], "limit": 200}),
    )
    queues, agents, calls = (reply.raise_for_status().json()["items"] for reply in replies)
    return queues, [agent for agent in agents if agent["status"] != "signed_out"], calls


# ---------------------------------------------------------------- the summary


async def _account(api: httpx.AsyncClient, bank: PhoneBank) -> int:
    """Everybody hangs up; then each customer's call must be on record once, with an outcome."""
    print("nobat: everybody hangs up …", flush=True)
    await bank.ami.act("Hangup", Channel="/^PJSIP/", Cause="16")
    customers = list(bank.customers.values())
    await bank.until(lambda: all(customer.is_over for customer in customers), "every customer has left", 20)
    entered = [customer for customer in customers if customer.answered_ms is not None]
    missing = await _missing(api, entered)
    deadline = time.monotonic() + 10
    while missing and time.monotonic() < deadline:  # history is written a moment behind the calls
        await asyncio.sleep(0.3)
        missing = await _missing(api, entered)
    outcomes = Counter(call["outcome"] for call in await _calls(api) if call["state"] == "ended")
    print(f"\n  {len(customers)} customers called, {len(entered)} came into a line")
    print(
        f"  on record: {', '.join(f'{count} {outcome}' for outcome, count in sorted(outcomes.items(), key=str)) or 'nothing'}"
    )
    for customer in missing:
        print(f"  NOT ACCOUNTED FOR: {customer.customer}, caller {customer.number}")
    print(
        "  every call is accounted for" if not missing else f"  {len(missing)} calls are not accounted for", flush=True
    )
    return 1 if missing else 0


async def _missing(api: httpx.AsyncClient, customers: Sequence[Customer]) -> list[Customer]:
    """Customers whose call is not on record exactly once, ended and with an outcome."""
    ended = [call for call in await _calls(api) if call["state"] == "ended" and call["outcome"]]
    count = Counter(call["caller"]["number"] for call in ended)
    return [customer for customer in customers if count[customer.number] != 1]


async def _calls(api: httpx.AsyncClient) -> list[Any]:
    """Every call, page by page."""
    calls: list[Any] = []
    cursor: str | None = None
    while True:
        query = {"limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = (await api.get("/v1/calls", params=query)).raise_for_status().json()
        calls += page["items"]
        cursor = page["next"]
        if cursor is None:
            return calls


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        print(f"nobat: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
