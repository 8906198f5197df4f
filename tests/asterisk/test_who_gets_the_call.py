"""Skills that relax, known callers, the agent spoken to last, several lines: who is served, when and by whom."""

import pytest

from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import AUDIBLY, Team, ms_of, subscriber
from tests.support.until import until


async def known(serving: Serving, number: str, **profile: object) -> Json:
    """Enter a caller into the directory; the row."""
    reply = await serving.api.put(f"/v1/callers/{number}", json=profile)
    reply.raise_for_status()
    return dict(reply.json())


def bars(why: Json) -> dict[str, tuple[str, str | None]]:
    """Each agent's state, and what keeps him from the caller."""
    return {one["agent"]: (one["state"], one["bar"]) for one in why["candidates"]}


async def rung_after_s(team: Team, customer: Customer) -> float:
    """Seconds from the caller's entry to the last ringing of a phone for him."""
    entered = ms_of((await team.serving.call_of(customer))["entered_at"])
    return (team.invites(customer)[-1].ms - entered) / 1000


async def test_a_skill_nobody_free_has_is_waited_for_and_then_relaxed(serving: Serving) -> None:
    relax = [{"after_s": 1.5, "skills": {"english": 1}}]
    able = {"ann": {"english": 1}, "ben": {"english": 3}}
    team = await Team.given(serving, "ann", "ben", able=able, skills={"english": 3}, relax=relax)
    await team.phones(talk=0)
    await team.at_work()
    first = await team.call()
    await serving.until_call(first, state="talking", agent="ben")  # though ann is idle for longer
    second = await team.call()
    await team.until_line([second])
    why = await team.why(second)
    assert why["skills"] == {"english": 3}
    assert bars(why) == {"ann": ("idle", "skill"), "ben": ("talking", "not_idle")}
    idle = await team.why_idle("ann")
    assert (idle["state"], idle["bar"]) == ("idle", None)
    (line,) = idle["lines"]
    assert line["first"] == [{"call": why["call"], "bar": "skill", "held_up_by": None}]
    await team.phone("ann", talk=AUDIBLY)
    await serving.until_call(second, state="ended", outcome="answered", agent="ann")
    after = await team.why(second)
    assert (after["skills"], [one["chosen"] for one in after["decisions"]]) == ({"english": 1}, [["ann"]])
    assert await rung_after_s(team, second) > 1.45
    await serving.bank.leave(first)
    await serving.until_over([first])
    await team.hear_each_other(first, "ben")
    await team.hear_each_other(second, "ann")


async def test_a_caller_nobody_free_can_serve_does_not_block_the_next(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", able={"ben": {"german": 2}})
    await team.phones(talk=0)
    number, *_ = subscriber()
    await known(serving, number, skills={"german": 2})
    line = []
    for caller in (number, None, None):
        line.append(await team.call(caller))
        await team.until_line(line)
    first, second, third = line
    await serving.choose("ann", "available")
    await serving.until_call(second, state="talking", agent="ann")
    why = await team.why(first)
    assert (why["position"], why["skills"], why["decisions"]) == (1, {"german": 2}, [])
    assert bars(why)["ben"] == ("signed_out", "not_idle")
    await team.until_heard(second)
    await serving.bank.leave(second)
    await serving.until_call(third, state="talking", agent="ann")
    await team.until_line([first])
    await serving.bank.leave(third)
    await serving.until_agent("ann", "idle")
    assert bars(await team.why(first))["ann"] == ("idle", "skill")
    await serving.choose("ben", "available")
    await serving.until_call(first, state="talking", agent="ben")
    await team.until_heard(first)
    await serving.bank.leave(first)
    await serving.until_over([first])
    assert [team.rung(customer) for customer in line] == [["ben"], ["ann"], ["ann"]]
    await team.hear_each_other(first, "ben")
    await team.hear_each_other(second, "ann")


async def test_an_agent_of_several_queues_serves_one_order(serving: Serving) -> None:
    team = await Team.given(serving, "ann")
    await team.opens("other", "8011")
    (await serving.api.patch("/v1/agents/ann", json={"queues": [team.queue, "other"]})).raise_for_status()
    customers = []
    for number in ("8010", "8011", "8011", "8010"):
        customers.append(await team.call(number=number))
        await serving.until_call(customers[-1], state="waiting")
    await serving.choose("ann", "available")
    await serving.until_over(customers)
    times = [team.invites(customer)[0].ms for customer in customers]
    assert times == sorted(times)


async def test_a_known_caller_passes_whoever_waits_however_the_number_is_written(serving: Serving) -> None:
    team = await Team.given(serving, "ann")
    local, international, dialled = subscriber()
    row = await known(serving, local, segment="vip", priority=2, name="Ali")
    assert row["number"] == international
    assert row == await serving.get(f"/v1/callers/{dialled}")
    await known(serving, "+493012345678", segment="vip", priority=1)
    regular = await team.call()
    await team.until_line([regular])
    passing = []
    for number in (local, international, dialled, "+493012345678", "00493012345678"):
        passing.append(await team.call(number))
        await team.until_line([*passing, regular])
    why = await team.why(passing[0])
    assert (why["segment"], why["priority"], why["head_start_s"], why["position"]) == ("vip", 2, 600.0, 1)
    await team.phone("ann", talk=AUDIBLY)
    await serving.choose("ann", "available")
    await serving.until_call(passing[0], state="ended", outcome="answered")
    await team.hear_each_other(passing[0], "ann")
    await team.phone("ann", talk=0.1)
    await serving.until_over([*passing, regular])
    times = [team.invites(customer)[0].ms for customer in (*passing, regular)]
    assert times == sorted(times)


async def test_who_has_waited_longer_than_a_head_start_is_not_passed(serving: Serving) -> None:
    team = await Team.given(serving, "ann", priority_s=0.4)
    number, *_ = subscriber()
    await known(serving, number, priority=1)
    regular = await team.call()

    async def has_waited() -> bool:
        return float((await serving.call_of(regular)).get("waited_s", 0.0)) > 0.4

    await until(has_waited, "the regular caller has waited for longer than the head start")
    favoured = await team.call(number)
    await team.until_line([regular, favoured])
    await serving.choose("ann", "available")
    await serving.until_over([regular, favoured])
    assert team.invites(regular)[0].ms < team.invites(favoured)[0].ms


async def test_what_is_known_of_a_caller_chooses_the_agent(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", able={"ben": {"english": 4}}, sticky_s=5)
    await team.phones(talk=AUDIBLY)
    (english, *_), (local, _, dialled) = subscriber(), subscriber()
    await known(serving, english, skills={"english": 3}, language="en")
    await known(serving, local, preferred_agent="cem")
    assert (await serving.get(f"/v1/callers/{english}"))["language"] == "en"
    await team.at_work()
    for caller, agent in ((english, "ben"), (dialled, "cem"), (None, "ann")):
        customer = await team.call(caller)
        await serving.until_call(customer, state="ended", outcome="answered")
        assert team.rung(customer) == [agent]
        await team.hear_each_other(customer, agent)


async def test_a_caller_gets_the_agent_spoken_to_last_again(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", "cem", sticky_s=2)
    await team.at_work()
    await team.phone("ann", talk=AUDIBLY)
    local, international, _ = subscriber()
    first = await team.call(local)
    await serving.until_call(first, state="ended", agent="ann")
    await team.hear_each_other(first, "ann")
    assert await team.one_by_one(1) == ["ben"]
    again = await team.call(international)  # cem is idle for longest
    await serving.until_call(again, state="ended", agent="ann")
    assert team.rung(again) == ["ann"]
    await team.hear_each_other(again, "ann")


async def served_by_ann_who_talks_again(team: Team, number: str) -> Customer:
    """The caller has talked to ann, who is in another conversation now, while ben is free; that other caller."""
    serving = team.serving
    first = await team.call(number)
    await serving.until_call(first, state="ended", agent="ann")
    await serving.until_agent("ann", "idle")
    await team.phone("ann", talk=0)
    other = await team.call()
    await serving.until_call(other, state="talking", agent="ann")
    await serving.given_available("ben")
    return other


async def test_a_caller_is_held_for_that_agent_while_others_are_free(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", sticky_s=30)
    await serving.given_available("ann")
    local, _, dialled = subscriber()
    other = await served_by_ann_who_talks_again(team, local)
    again = await team.call(dialled)
    await team.until_line([again])
    why = await team.why(again)
    assert why["held_for"] == "ann"
    assert ms_of(why["held_until"]) == pytest.approx(
        ms_of((await serving.call_of(again))["entered_at"]) + 30_000, abs=2
    )
    assert bars(why) == {"ann": ("talking", "not_idle"), "ben": ("idle", "held_for_another")}
    assert (await team.why_idle("ben"))["lines"][0]["first"][0]["bar"] == "held_for_another"
    passing = await team.call()  # ben is there for everybody else
    await serving.until_call(passing, state="ended", agent="ben")
    await team.phone("ann", talk=AUDIBLY)
    await serving.bank.leave(other)
    await serving.until_call(again, state="ended", agent="ann")
    assert team.rung(again) == ["ann"]
    await team.hear_each_other(again, "ann")


async def test_the_hold_for_that_agent_ends(serving: Serving) -> None:
    team = await Team.given(serving, "ann", "ben", sticky_s=1)
    await serving.given_available("ann")
    local, international, _ = subscriber()
    await served_by_ann_who_talks_again(team, local)
    await team.phone("ben", talk=AUDIBLY)
    again = await team.call(international)
    await serving.until_call(again, state="ended", agent="ben")
    assert team.rung(again) == ["ben"]
    assert await rung_after_s(team, again) > 0.95
    await team.hear_each_other(again, "ben")
