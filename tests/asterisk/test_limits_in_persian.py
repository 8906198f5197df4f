"""What a Persian queue's callers hear of its limits: the Persian prompts, in the order in which they are to be said."""

import pytest

from lab.prompts import ready_prompts
from tests.support.heard_prompts import by_sound, heard_prompts
from tests.support.serving import Json, Serving
from tests.support.team import Team

SOUNDS = ready_prompts() / "fa" / "nobat"
PERSIAN: Json = {"language": "fa", "welcome": "", "position": False, "expected_wait": False}
HOLIDAY: Json = {"calendar": "jalali"}
EVERY_DAY = [
    {"date": f"{month:02}-{day:02}", "calendar": "jalali"}
    for month in range(1, 13)
    for day in range(1, 32 if month < 7 else 31)
]


@pytest.mark.parametrize(
    ("settings", "prompts"),
    [
        ({"hours": {"weekly": {}}}, ("closed",)),
        ({"hours": {"holidays": EVERY_DAY}}, ("holiday",)),
        ({"overflow": {"joining_needs": "signed_in"}}, ("no-agent", "call-later")),
        ({"overflow": {"closed": {"kind": "message", "say": ["closed", "num-7", "num-30"]}}, "hours": {"weekly": {}}},
         ("closed", "num-7", "num-30")),
    ],
    ids=["closed", "holiday", "nobody", "own-words"],
)  # fmt: skip
async def test_said_in_persian(serving: Serving, settings: Json, prompts: tuple[str, ...]) -> None:
    team = await Team.given(serving, "ann", announcements=PERSIAN, **settings)
    customer = await serving.bank.call(team.number, record=True)
    await serving.until_over([customer])
    heard = heard_prompts(await serving.bank.recording(customer.customer), SOUNDS)
    assert heard == by_sound(prompts, SOUNDS)
    assert (await serving.call_of(customer))["language"] == "fa"
