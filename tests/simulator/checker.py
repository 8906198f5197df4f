"""What must hold: looked at all the time against Asterisk's truth, and at the end against what was written down.

Some things may never be (``never``): a phone rung twice for one offer, two conversations at one phone, a caller cut off by a
Redirect, an epoch that falls. Others may be for a moment, while news is on its way (``soon``): each difference between what the
service believes and what is so must be gone in time, 10 s after an event was lost at the latest. And in the end the books must
balance (``books``).
"""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from acd.agents import AgentState, Ringing, Talking
from acd.calls import CallState
from acd.floor import Floor
from acd.routing import agent_bar
from ami import names as n
from ami.causes import device_state
from tests.simulator.asterisk import Asterisk
from tests.simulator.channels import AFTER, ALONE, DIALS, LED, PASSED_ON, PICKED_UP, TALKS, WAITS, Channel
from tests.simulator.manager import Manager

ORPHAN_S = 5.0
_STATES = {
    WAITS: {CallState.WAITING},
    DIALS: {CallState.OFFERED},
    PICKED_UP: {CallState.OFFERED, CallState.TALKING},
    TALKS: {CallState.TALKING},
    AFTER: {CallState.AFTER},
    PASSED_ON: {CallState.AFTER, CallState.WAITING, CallState.OFFERED},
    ALONE: {CallState.WAITING, CallState.OFFERED},
    LED: {CallState.AFTER},
}


class Broken(AssertionError):
    """An invariant does not hold."""


class Checker:
    """``patience_s``: how long a difference may last."""

    def __init__(self, asterisk: Asterisk, manager: Manager, patience_s: float) -> None:
        self._asterisk, self._manager, self.patience_s = asterisk, manager, patience_s
        self._since: dict[str, float] = {}
        self.longest = 0.0
        self.known: set[str] = set()  # calls that the service has known for a while
        self._of: Floor | None = None
        self._seen: dict[str, float] = {}

    # ------------------------------------------------------------ all the time

    def never(self) -> None:
        asterisk = self._asterisk
        for wrong in asterisk.wrongs:
            raise Broken(wrong)
        for (offer, device), times in asterisk.rung.items():
            if times > 1:
                raise Broken(f"{device} was rung {times} times for offer {offer}")
        for phone in asterisk.phones.values():
            if sum(bool(leg.bridge) for leg in phone.legs) > 1:
                raise Broken(f"two conversations at {phone.device}")
            for leg in phone.legs:
                gone_at = leg.caller.gone_at if leg.caller is not None else None
                if gone_at is not None and asterisk.clockwork.now - gone_at > ORPHAN_S:
                    raise Broken(f"{leg.name} is left over: its caller is gone since {gone_at}")
        if self._manager.epochs != sorted(self._manager.epochs):
            raise Broken(f"the epoch fell: {self._manager.epochs}")

    def soon(self, floor: Floor | None) -> None:
        """Differences that last too long. Without a floor to look at nothing is believed."""
        now = self._asterisk.clockwork.now
        found = set(self._differences(floor)) if floor is not None else set()
        self._since = {what: self._since.get(what, now) for what in sorted(found)}
        for what, since in self._since.items():
            self.longest = max(self.longest, now - since)
            if now - since > self.patience_s:
                raise Broken(f"for {now - since:.1f} s: {what}")
        self._take_note(floor, now)

    def _take_note(self, floor: Floor | None, now: float) -> None:
        """What one life of the service has known for a while is written down by it: history is gathered for a tenth of a second."""
        if floor is not self._of:
            self._of, self._seen = floor, {}
        if floor is not None:
            for call in floor.calls:
                if now - self._seen.setdefault(call, now) > 0.3:
                    self.known.add(call)

    def _differences(self, floor: Floor) -> Iterator[str]:
        callers = {one.call: one for one in self._asterisk.channels.values() if one.caller is None and one.call}
        for call, channel in callers.items():
            known = floor.calls.get(call)
            if channel.dying:
                continue
            if known is None:
                yield f"caller {call} is not known"
            elif known.state not in _STATES[channel.doing]:
                yield f"caller {call} {channel.doing} and is believed {known.state.value}"
            elif channel.doing == WAITS and known.fallback is not None:
                yield f"caller {call} waits and is believed alone"
            elif not channel.variables.get(n.VISIT) and known.visit.place_at != channel.entered_at:
                yield f"caller {call} has lost the place"
            if known is not None and channel.doing == WAITS and self._somebody_is_free(floor, channel):
                yield f"caller {call} waits and somebody is free"
        for call in floor.calls:
            if call not in callers:
                yield f"call {call} is over and is believed {floor.calls[call].state.value}"
        yield from self._of_agents(floor, callers)

    def _of_agents(self, floor: Floor, callers: dict[str, Channel]) -> Iterator[str]:
        for agent in floor.agents.values():
            engaged = agent.engagement
            phone = self._asterisk.phones[agent.device.partition("/")[2]] if agent.device is not None else None
            if (
                phone is not None
                and not phone.dead
                and floor.devices.get(agent.device) is not device_state(phone.state)
            ):
                yield f"{agent.device} is {phone.state} and is believed {agent.device_state.value}"
            if isinstance(engaged, Ringing | Talking) and phone is not None:
                caller = callers.get(engaged.call)
                legs = [leg for leg in phone.legs if leg.caller is caller]
                talks = any(leg.bridge for leg in legs)
                if not legs or talks is not isinstance(engaged, Talking):
                    yield f"agent {agent.id} is believed {type(engaged).__name__} with {engaged.call}"

    def _somebody_is_free(self, floor: Floor, channel: Channel) -> bool:
        now = self._asterisk.clockwork.now
        call = floor.calls[channel.call]  # type: ignore[index]
        if call.state is not CallState.WAITING or call.hold_off_until > now or call.held_until > now:
            return False
        return any(
            agent.state is AgentState.IDLE
            and agent_bar(agent, now) is None
            and agent.id not in call.rejected_by
            and self._asterisk.phones[agent.device.partition("/")[2]].state == "NOT_INUSE"
            for agent in floor.queues[call.queue].members.values()
            if agent.device is not None
        )

    # ------------------------------------------------------------ in the end

    def nothing_left(self, floor: Floor) -> None:
        """Everybody has hung up, and that is known."""
        if floor.calls:
            raise Broken(f"calls are left: {[*floor.calls]}")
        for agent in floor.agents.values():
            if isinstance(agent.engagement, Ringing | Talking):
                raise Broken(f"agent {agent.id} is left {agent.engagement}")
        for queue in floor.queues.values():
            if queue.live_calls or queue.offered:
                raise Broken(f"queue {queue.spec.id} counts {queue.live_calls} calls, {len(queue.offered)} offers")

    def books(self, database: Path, *, exact: bool, overtaken: bool, died: bool, blink_s: float) -> Counter[str]:
        """I12: everybody who entered was answered, gave up, overflowed or was lost, once; nobody is missing, nobody is twice.

        A talk shorter than ``blink_s`` may be overtaken by its own end, or have begun while the phone was being withdrawn.
        """
        with sqlite3.connect(database) as connection:
            # Who is found again after a restart is said to have entered again: at the same moment.
            rows = connection.execute(
                "SELECT call_id, kind, count(DISTINCT CASE kind"
                " WHEN 'CallQueued' THEN round((data ->> 'entered_at') * 1000) ELSE run || '.' || seq END)"
                " FROM events GROUP BY call_id, kind"
            ).fetchall()
            visits = connection.execute("SELECT call_id, outcome FROM visits").fetchall()
            written = {row[0] for row in connection.execute("SELECT id FROM calls")}
            ready = connection.execute("SELECT data FROM events WHERE kind = 'PbxReady'").fetchall()
        connection.close()
        repairs = [json.loads(data)["repairs"] for (data,) in ready]
        # A phone that does not answer to anything is believed away until Asterisk says something newer of it. And where events are
        # overtaken a look may show a caller before his own event is there.
        harmless = {"device_state", "call_adopted"} if overtaken else {"device_state"}
        if exact and any(kind not in harmless for found in repairs for kind, _ in found):
            raise Broken(f"nothing was lost, and this was put right: {repairs}")
        told: dict[str, Counter[str]] = {}
        for call, kind, times in rows:
            if call is not None:
                told.setdefault(call, Counter())[kind] = times
        outcomes: dict[str, list[str]] = {}
        for call, outcome in visits:
            outcomes.setdefault(call, []).append(outcome)
        undecided = 0
        for call, kinds in told.items():
            if not kinds["CallQueued"]:
                raise Broken(f"{call} was never said to have entered: {dict(kinds)}")
            if kinds["CallEnded"] != 1 or call not in written:
                raise Broken(f"{call} ended {kinds['CallEnded']} times: {dict(kinds)}")
            missing = kinds["CallQueued"] - kinds["VisitDecided"]
            if missing == 1 and kinds["CallQueued"] > 1 and died:
                # It came back into a line in the tenth of a second before a death: what the stay before came to is not known.
                undecided += 1
            elif missing or len(outcomes.get(call, ())) != kinds["CallQueued"]:
                raise Broken(f"{call}: {kinds['CallQueued']} visits, outcomes {outcomes.get(call)}: {dict(kinds)}")
        truth = {one.call: one for one in self._asterisk.callers}
        for call in told.keys() - truth.keys():
            raise Broken(f"{call} is written down and never was")
        for call in sorted(truth.keys() - told.keys()):
            # Who ended with Asterisk itself has left no note, unless it had served him alone by then.
            if not truth[call].cut or call in self.known or call in self._asterisk.notes:
                raise Broken(f"{call} came, {'' if call in self.known else 'was not known '}and is not written down")
        for call, found in outcomes.items():
            answered, talked = "answered" in found, truth[call].talked_s > blink_s
            if (answered and not truth[call].talks) or (exact and talked and not answered):
                raise Broken(f"{call} {'talked' if talked else 'never talked'} and counts as {found}")
        counts = Counter(outcome for found in outcomes.values() for outcome in found)
        counts += Counter({"undecided": undecided})
        entered = sum(kinds["CallQueued"] for kinds in told.values())
        if entered != sum(counts.values()):
            raise Broken(f"{entered} entered, and {dict(counts)}")
        return counts + Counter({"entered": entered})
