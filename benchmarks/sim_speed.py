"""sim_speed: the real core on a virtual clock, as fast as it goes, against the barest loop of the same arrivals.

What-if questions and the simulations of this folder replay months; so the core is driven here by the fewest facts that a call is
told by (entered, conversation began, agent's leg gone, call gone), one queue, callers who lose patience. ``simulated_day`` has the
same with all that a real PBX says. Every call goes through the whole floor: line, decision with its record, events, figures.
"""

import gc
import random
from heapq import heappop, heappush
from time import perf_counter

from acd import telephony as t
from acd.agents import AgentSpec
from acd.commands import DefineAgent, DefineQueue, SignIn
from acd.floor import Floor
from acd.ids import AgentId, CallId, DeviceId, LegId, PbxId, QueueId, device_on
from acd.queues import QueueSpec
from acd.telephony import DeviceState, Offer
from benchmarks.figures import heading, verdict
from benchmarks.simulated_day import bare

PBX = PbxId("pbx1")
AGENTS, TALK_S, PATIENCE_S, DAY_S = 60, 180.0, 120.0, 86400.0
MIDNIGHT = 1_700_006_400.0
_ENTER, _GIVE_UP, _END = range(3)


def opened() -> Floor:
    """A floor with one queue and its agents signed in."""
    floor = Floor()
    devices = [device_on(PBX, f"PJSIP/agent-{number}") for number in range(AGENTS)]
    free = tuple((device, DeviceState.NOT_IN_USE) for device in devices)
    floor.handle(t.PbxSnapshot(PBX, "boot", (), free), MIDNIGHT)
    floor.handle(DefineQueue(QueueSpec(QueueId("sales"), "8000", wrap_up_s=0.0)), MIDNIGHT)
    for number, device in enumerate(devices):
        floor.handle(DefineAgent(AgentSpec(AgentId(str(number)), device=device, queues=(QueueId("sales"),))), MIDNIGHT)
        floor.handle(SignIn(AgentId(str(number))), MIDNIGHT)
    return floor


class Shift:
    """A day's callers, one event list, nothing else."""

    def __init__(self, calls: int, seed: int) -> None:
        self.floor, self.rng, self.left = opened(), random.Random(seed), calls
        self.agenda: list[tuple[float, int, int, CallId, LegId, DeviceId | None]] = []
        self.rate, self.serial, self.answered, self.gave_up = calls / DAY_S, 0, 0, 0
        self.talking: set[CallId] = set()

    def run(self) -> "Shift":
        """Until the last caller is gone."""
        floor, agenda = self.floor, self.agenda
        self.schedule_arrival(MIDNIGHT)
        while agenda:
            now, kind, _, call, leg, device = heappop(agenda)
            due = floor.next_deadline()
            while due is not None and due <= now:
                self.carry_out(floor.tick(due).requests, due)
                due = floor.next_deadline()
            if kind == _ENTER:
                self.schedule_arrival(now)
                heappush(agenda, (now + self.rng.expovariate(1 / PATIENCE_S), _GIVE_UP, self.serial, call, leg, None))
                fact = t.CallEntered(call, leg, "sales", now, self.serial, 0, None, None)
                self.carry_out(floor.handle(fact, now).requests, now)
            elif kind == _END:
                self.talking.remove(call)
                gone = t.AgentLegGone(call, leg, device, 16, hung_up=True, fault=False)  # type: ignore[arg-type]
                self.carry_out(floor.handle(gone, now).requests, now)
                floor.handle(t.CallGone(call, 16), now)
            elif call in floor.calls and call not in self.talking:
                self.gave_up += 1
                self.carry_out(floor.handle(t.CallGone(call, 16), now).requests, now)
        return self

    def schedule_arrival(self, now: float) -> None:
        """The next caller's entry."""
        if self.left:
            self.left -= 1
            self.serial += 1
            at = now + self.rng.expovariate(self.rate)
            call, leg = CallId(f"{PBX}-{int(at * 1000)}.{self.serial}"), LegId(f"{PBX}-{int(at)}.{self.serial}")
            heappush(self.agenda, (at, _ENTER, self.serial, call, leg, None))

    def carry_out(self, requests: tuple[t.Request, ...], now: float) -> None:
        """Whoever is rung picks up at once."""
        for request in requests:
            if isinstance(request, Offer):
                call, device = request.call, request.targets[0]
                self.answered += 1
                self.talking.add(call)
                leg = LegId(f"{PBX}-a.{self.answered}")
                self.floor.handle(t.TalkBegan(call, request.offer, device, leg), now)
                end = now + self.rng.expovariate(1 / TALK_S)
                heappush(self.agenda, (end, _END, self.answered, call, leg, device))


async def run(*, full: bool) -> bool:
    """Print both; whether 20,000 calls pass in a second."""
    calls, rounds = (100_000, 5) if full else (20_000, 5)
    rates, loops = [], []
    for seed in range(rounds):
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 100)  # as the service has it
        began = perf_counter()
        shift = Shift(calls, seed).run()
        rates.append(calls / (perf_counter() - began))
        gc.unfreeze()
        assert shift.answered + shift.gave_up == calls
        assert not shift.floor.calls
        loops.append(calls / bare(calls, AGENTS, seed))
    heading("sim_speed", f"{calls:,} calls, {AGENTS} agents, best of {rounds}")
    print(
        f"   core {max(rates):,.0f} calls/s; bare loop {max(loops):,.0f} calls/s; ratio {max(rates) / max(loops):.3f}"
    )
    return verdict("calls a second of wall time", max(rates), ">= 20,000", max(rates) >= 20_000)
