"""Callers of whom half are called back come to their turn in the order in which they came, on a real Asterisk.

``python -m benchmarks callback_order`` does the same with fifty callers and five agents.
"""

import pytest

from tests.support.called_back import calls_back
from tests.support.serving import Serving
from tests.support.team import Team
from tests.support.turns import held


@pytest.mark.parametrize("mode", ["agent_first", "just_in_time"])
async def test_ten_callers_of_whom_five_are_called_back_keep_their_order(serving: Serving, mode: str) -> None:
    callbacks = calls_back(mode=mode, ring_s=15, confirm_s=4, confirm_times=3, target=0.6)
    team = await Team.given(serving, "ann", "ben", "cyn", ring_s=15, callbacks=callbacks)
    turns = await held(team, 10, talk_s=(1.0, 2.0), ring_s=(0.2, 0.6), seed=6)
    assert turns.talked == set(turns.came)
    assert {number: turns.dialled[number] for number in turns.away} == dict.fromkeys(turns.away, 1)
    if mode == "agent_first":
        assert turns.assigned == turns.came
    assert turns.passed_by <= 1, [turns.came.index(one) for one in turns.assigned]
