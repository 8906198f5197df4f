"""Frozen pictures of the floor for readers: REST, metrics, history. No reader ever holds a live object.

Built on demand by ``acd.picture``; the times are seconds since the epoch, durations are seconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from acd.agents import AgentState, Status
from acd.calls import CallState
from acd.consult_port import ConsultStage
from acd.directory import CallerProfile
from acd.ewt import Estimator
from acd.ids import AgentId, CallbackId, CallId, DeviceId, LegId, OfferId, PbxId, QueueId
from acd.limits import Closing, Limit
from acd.outcomes import Outcome
from acd.queues import Place, QueueSpec
from acd.recordings import RecordingMode, RecordingState
from acd.sla import Counts, ServiceLevels
from acd.talks import TargetKind, Transfer


@dataclass(frozen=True, slots=True)
class VisitView:
    queue: QueueId
    entered_at: float
    decided_at: float | None
    outcome: Outcome | None
    limit: Limit | None = None
    led_to: str | None = None


@dataclass(frozen=True, slots=True)
class TalkView:
    """One party's conversation with the caller; ``ended_at`` None while it goes on."""

    queue: QueueId
    agent: AgentId | None
    device: DeviceId | None
    leg: LegId | None
    number: str | None
    began_at: float
    ended_at: float | None
    talk_s: float
    hold_s: float


@dataclass(frozen=True, slots=True)
class ConsultView:
    """A consult that goes on. ``agent``, ``device``, ``leg``: who is rung, or talked to since ``answered_at``."""

    by: AgentId | None
    kind: TargetKind
    to: str
    stage: ConsultStage
    since: float
    agent: AgentId | None
    device: DeviceId | None
    leg: LegId | None
    answered_at: float | None


@dataclass(frozen=True, slots=True)
class RecordingView:
    """``obeyed``: whether the PBX has confirmed it."""

    id: str
    mode: RecordingMode
    state: RecordingState
    since: float
    obeyed: bool


@dataclass(frozen=True, slots=True)
class CallView:
    """One call. ``outcome`` is the last visit's; ``offered_to`` names the agents whose phones ring now.

    ``agent`` and ``device`` are those of the last talk, ``connected_at`` of the first; ``talk_s`` and ``hold_s`` are sums.
    ``place_since``: of a caller who was cut off before, the entry that the place in the line counts from. ``survey``: what the
    caller thought of it, 1 to 5. ``recording``: of the conversation that goes on.
    """

    id: CallId
    leg: LegId
    pbx: PbxId
    queue: QueueId
    state: CallState
    state_since: float
    number: str | None
    name: str | None
    priority: int
    entered_at: float
    waited_s: float
    position: int | None
    outcome: Outcome | None
    offer: OfferId | None
    offered_to: tuple[AgentId, ...]
    agent: AgentId | None
    device: DeviceId | None
    connected_at: float | None
    talk_s: float | None
    hold_s: float
    ended_at: float | None
    ended_by: str | None
    disposition: str | None
    notes: str | None
    visits: tuple[VisitView, ...]
    talks: tuple[TalkView, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    consult: ConsultView | None = None
    language: str | None = None
    place_since: float | None = None
    survey: int | None = None
    recording: RecordingView | None = None
    callback: CallbackId | None = None  # that the caller was promised, or by which he was reached


@dataclass(frozen=True, slots=True)
class CurrentCall:
    """The call that rings for an agent, is talked or worked on. ``caller`` is the number in its normal form, ``profile`` the
    directory's row, for a caller it knows.
    """

    id: CallId
    queue: QueueId
    queue_name: str
    state: CallState
    number: str | None
    name: str | None
    priority: int
    waited_s: float
    caller: str | None
    profile: CallerProfile | None
    callback: CallbackId | None = None  # the customer is being dialled, or was


@dataclass(frozen=True, slots=True)
class WrapUpView:
    """The work after a call. ``until`` None: no end by time. ``owes``: only a disposition ends it."""

    queue: QueueId
    since: float
    until: float | None
    owes: bool
    dispositions: tuple[str, ...]
    usual_s: float


@dataclass(frozen=True, slots=True)
class BreakRequestView:
    """A break that waits; ``number`` 1 is next among those who wait for a place in one of the same queues."""

    agent: AgentId
    reason: str | None
    asked_at: float
    number: int
    queues: tuple[QueueId, ...]


@dataclass(frozen=True, slots=True)
class AgentView:
    """One agent. ``wrap_up_until`` None in wrap-up means no fixed end; ``rest_until`` is past or 0 when nothing rests.

    ``break_due``: when the break that is on should be over; ``late``: that, or the longest wrap-up, is past.
    """

    id: AgentId
    name: str
    status: Status
    status_since: float
    reason: str | None
    state: AgentState
    state_since: float
    device: DeviceId | None
    home_device: DeviceId | None
    queues: tuple[QueueId, ...]
    skills: Mapping[str, int]
    weights: Mapping[QueueId, int]
    ranks: Mapping[QueueId, int]
    call: CallId | None
    wrap_up_until: float | None
    rest_until: float | None
    current: CurrentCall | None
    wrap_up: WrapUpView | None
    break_due: float | None
    break_request: BreakRequestView | None
    late: bool


@dataclass(frozen=True, slots=True)
class LineEntry:
    """One place in a line; ``position`` 1 is the head. A caller for whom phones ring keeps the place.

    ``expected_wait_s`` is what could be told to the caller now, from low to high; None while nothing can be said.
    """

    call: CallId
    place: Place
    position: int
    entered_at: float
    waited_s: float
    priority: int
    number: str | None
    name: str | None
    offered: bool
    expected_wait_s: tuple[float, float] | None
    kind: str = "live"  # or callback: of somebody who is to be called back, and ``call`` is the callback's id


@dataclass(frozen=True, slots=True)
class QueueView:
    """``closed`` says why no callers are taken now; ``changes_at`` when hours open or close it next."""

    spec: QueueSpec
    waiting: int
    longest_wait_s: float
    agents: Mapping[AgentState, int]
    break_requests: int
    closed: Limit | None = None
    changes_at: float | None = None
    closing: Closing | None = None
    callbacks: int = 0  # in line, those being dialled included


@dataclass(frozen=True, slots=True)
class WaitAccuracy:
    """How right the expected waits were of late: the estimator in use, and over all of ``n`` (None while there is none)
    the mean error and the share of waits that fell into the range.
    """

    estimator: Estimator
    error_s: float | None
    inside: float | None
    n: int


@dataclass(frozen=True, slots=True)
class QueueStats:
    """Figures of the visits entered since ``since``. ``counts`` + ``waiting`` = ``offered``, always."""

    queue: QueueId
    since: float
    offered: int
    counts: Counts
    waiting: int
    service_level: ServiceLevels
    asa_s: float | None
    longest_wait_s: float
    agents: Mapping[AgentState, int]
    expected_wait: WaitAccuracy


@dataclass(frozen=True, slots=True)
class PbxView:
    pbx: PbxId
    up: bool
    reason: str | None
    since: float
