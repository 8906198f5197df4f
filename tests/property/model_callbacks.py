"""The model PBX, with attempts to reach customers: what ``dialplan/callback.conf`` does, in the fewest words."""

from collections import Counter

from acd import callback_port as p
from acd import telephony as t
from acd.callback_policy import AttemptResult
from acd.callback_port import AttemptStage
from acd.ids import AttemptId, CallId, LegId
from acd.telephony import Fact
from tests.property.model_consult import ConsultingPbx
from tests.property.model_pbx import PBX, Channel


class CallingBackPbx(ConsultingPbx):
    """As ``ConsultingPbx``; an attempt is dialled once, whatever is asked, and leaves a marker."""

    def __init__(self) -> None:
        super().__init__()
        self.attempts: dict[AttemptId, p.DialCustomer] = {}
        self.stages: dict[AttemptId, AttemptStage] = {}
        self.markers: dict[AttemptId, AttemptStage | AttemptResult] = {}
        self.dialled: Counter[AttemptId] = Counter()

    # ------------------------------------------------ requests

    def dial(self, request: p.DialCustomer) -> list[Fact]:
        """The floor must never ask for an attempt twice."""
        attempt = request.attempt
        assert attempt not in self.markers, "the same attempt twice"
        self.dialled[attempt] += 1
        self.attempts[attempt] = request
        self.stages[attempt] = self.markers[attempt] = AttemptStage.DIALLING
        return [p.AttemptNews(attempt, AttemptStage.DIALLING)]

    def stop(self, request: p.StopAttempt) -> list[Fact]:
        if request.attempt not in self.attempts:
            return [t.RequestFailed(request, t.RequestFailure.NO_SUCH_LEG)]
        return self.not_reached(request.attempt, AttemptResult.CANCELLED)

    def read(self, request: p.ReadAttempt) -> list[Fact]:
        return [p.AttemptRead(request.attempt, self.markers.get(request.attempt))]

    # ------------------------------------------------ customers

    def not_reached(self, attempt: AttemptId, result: AttemptResult) -> list[Fact]:
        del self.attempts[attempt], self.stages[attempt]
        self.markers[attempt] = result
        return [p.AttemptEnded(attempt, result)]

    def picks_up(self, attempt: AttemptId) -> list[Fact]:
        self.stages[attempt] = self.markers[attempt] = AttemptStage.ANSWERED
        return [p.AttemptNews(attempt, AttemptStage.ANSWERED)]

    def presses_one(self, attempt: AttemptId, call: CallId, leg: LegId, now: float, serial: int) -> list[Fact]:
        request = self.attempts.pop(attempt)
        del self.stages[attempt]
        self.markers[attempt] = AttemptStage.ON
        entered = t.CallEntered(
            call, leg, request.queue, now, serial, request.priority, request.number, None, place_since=request.since,
            attempt=attempt,
        )  # fmt: skip
        self.channels[call] = Channel(entered)
        return [entered]

    def bridge(self, call: CallId, now: float) -> list[Fact]:
        attempt = self.channels[call].entered.attempt
        if attempt is not None:
            self.markers[attempt] = AttemptStage.TALKED
        return super().bridge(call, now)

    # ------------------------------------------------ life

    def restart(self) -> None:
        super().restart()
        self.attempts.clear()
        self.stages.clear()

    def snapshot(self) -> t.PbxSnapshot:
        found = super().snapshot()
        return t.PbxSnapshot(
            PBX,
            found.boot,
            found.calls,
            found.devices,
            supervisors=found.supervisors,
            attempts=tuple(self.stages.items()),
        )
