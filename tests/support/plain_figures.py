"""The figures of a day counted once more, plainly, from its events and nothing else: what the stored ones must equal."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

from acd.agents import AgentState
from acd.events import (
    AgentStateChanged,
    AgentStatusChosen,
    CallTold,
    Event,
    OfferDeclined,
    TalkEnded,
    VisitDecided,
    WrapUpEnded,
)
from acd.outcomes import Outcome
from acd.port_words import MissCause

QUARTER = 900
Figures = dict[tuple[str, int], dict[str, float]]
_COLUMNS = {
    AgentState.IDLE: "idle_s",
    AgentState.RINGING: "ringing_s",
    AgentState.TALKING: "talking_s",
    AgentState.WRAP_UP: "working_s",
    AgentState.BREAK: "break_s",
    AgentState.BUSY_ELSEWHERE: "elsewhere_s",
    AgentState.UNREACHABLE: "unreachable_s",
}


def of_queues(events: Iterable[Event]) -> Figures:
    """By queue and the beginning of the quarter in which the visit began."""
    events = list(events)
    found: Figures = defaultdict(lambda: defaultdict(float))
    stays: dict[tuple[str, str], list[VisitDecided]] = defaultdict(list)
    for visit in (one for one in events if isinstance(one, VisitDecided)):
        stays[visit.call, visit.queue].append(visit)
        figures = found[visit.queue, int(visit.entered_at // QUARTER) * QUARTER]
        figures[visit.outcome.value] += 1
        figures["longest_wait_s"] = max(figures["longest_wait_s"], visit.waited_s)
        in_time = visit.waited_s <= (visit.target_s if visit.target_s is not None else 20)
        if visit.outcome is Outcome.ANSWERED:
            figures["answer_wait_s"] += visit.waited_s
            figures["answered_in_target"] += in_time
        if visit.outcome is Outcome.ABANDONED:
            figures["abandoned_in_target"] += in_time
            figures["short_abandoned"] += visit.short
    for told in (one for one in events if isinstance(one, CallTold) and one.high_s is not None):
        for visit in stays[told.call, told.queue]:
            if visit.outcome is Outcome.ANSWERED and visit.entered_at <= told.at <= visit.entered_at + visit.waited_s:
                _add_told(found[visit.queue, int(visit.entered_at // QUARTER) * QUARTER], told, visit)
    for talk, wrap_up_s in _talks(events):
        began = talk.at - talk.talk_s
        entered = max(visit.entered_at for visit in stays[talk.call, talk.queue] if visit.entered_at <= began)
        _add_talk(found[talk.queue, int(entered // QUARTER) * QUARTER], talk, wrap_up_s)
    return found


def of_group(events: Iterable[Event], belongs: Callable[[VisitDecided], bool]) -> Figures:
    """As ``of_queues``, of those visits alone and of the conversations that came of them."""
    visits = [one for one in events if isinstance(one, VisitDecided) and belongs(one)]
    stays = {(one.call, one.queue) for one in visits}
    talks = [one for one in events if isinstance(one, TalkEnded) and (one.call, one.queue) in stays]
    talked = {(one.call, one.agent) for one in talks}
    after = [one for one in events if isinstance(one, WrapUpEnded) and (one.call, one.agent) in talked]
    return of_queues([*visits, *talks, *after])


def of_agents(events: Iterable[Event], until: float) -> Figures:
    """By agent and quarter, second by second of each state; nobody was there before the first event."""
    events = list(events)
    found: Figures = defaultdict(lambda: defaultdict(float))
    since: dict[str, tuple[float, AgentState, bool]] = {}
    for change in (one for one in events if isinstance(one, AgentStateChanged | AgentStatusChosen)):
        at, state, work = since.get(change.agent, (change.at, AgentState.SIGNED_OUT, False))
        _pass_time(found, change.agent, at, state, work, change.at)
        if isinstance(change, AgentStateChanged):
            since[change.agent] = (change.at, change.new, work)
        else:
            since[change.agent] = (change.at, state, change.productive)
    for agent, (at, state, work) in since.items():
        _pass_time(found, agent, at, state, work, until)
    for talk, wrap_up_s in _talks(events):
        _add_talk(found[talk.agent, int((talk.at - talk.talk_s) // QUARTER) * QUARTER], talk, wrap_up_s)
    for miss in (one for one in events if isinstance(one, OfferDeclined) and one.cause is not MissCause.CANCELLED):
        found[miss.agent, int(miss.at // QUARTER) * QUARTER]["missed"] += 1
    return found


def _talks(events: list[Event]) -> list[tuple[TalkEnded, float]]:
    """Each conversation with the wrap-up that followed it."""
    talks: list[tuple[TalkEnded, float]] = []
    last: dict[tuple[str, str], int] = {}
    for event in events:
        if isinstance(event, TalkEnded):
            last[event.call, event.agent] = len(talks)
            talks.append((event, 0.0))
        elif isinstance(event, WrapUpEnded):
            at = last[event.call, event.agent]
            talks[at] = (talks[at][0], event.wrap_up_s)
    return talks


def _add_talk(figures: dict[str, float], talk: TalkEnded, wrap_up_s: float) -> None:
    figures["handled"] += 1
    figures["talk_s"] += talk.talk_s
    figures["hold_s"] += talk.hold_s
    figures["wrap_up_s"] += wrap_up_s


def _add_told(figures: dict[str, float], told: CallTold, visit: VisitDecided) -> None:
    low, high = told.low_s or 0.0, told.high_s or 0.0
    came = visit.entered_at + visit.waited_s - told.at
    figures["told"] += 1
    figures["told_inside"] += low <= came <= high
    figures["told_error_s"] += abs((low + high) / 2 - came)


def _pass_time(found: Figures, agent: str, at: float, state: AgentState, work: bool, until: float) -> None:
    if state is AgentState.SIGNED_OUT:
        return
    while at < until:
        quarter = int(at // QUARTER) * QUARTER
        end = min(until, quarter + QUARTER)
        found[agent, quarter][_COLUMNS[state]] += end - at
        if work and state is AgentState.BREAK:
            found[agent, quarter]["productive_s"] += end - at
        at = end


def differences(stored: Iterable[dict[str, Any]], key: str, plain: Figures) -> list[str]:
    """What is not the same, in words."""
    wrong: list[str] = []
    rows = {(row[key], row["start"]): row for row in stored}
    for at in sorted({*rows, *plain}):
        row, figures = rows.get(at, {}), plain.get(at, {})
        names = ({*row, *figures}) - {key, "start", "last_state", "last_productive", "kind", "name"}
        wrong += [
            f"{at} {name}: stored {row.get(name, 0)}, plain {figures.get(name, 0)}"
            for name in sorted(names)
            if abs(row.get(name, 0) - figures.get(name, 0)) > 0.002
        ]
    return wrong
