"""The service is killed while customers are being called back: each phone rings as often as it should, and everybody is reached."""

import asyncio

from tests.support.called_back import AtHome, busy_agent, calls_back, results
from tests.support.serving import Serving
from tests.support.team import Team
from tests.support.until import until


async def until_quiet(home: AtHome) -> None:
    """The customer's phone rings no more."""
    leg = home.rung()[-1].leg

    async def is_so() -> bool:
        return leg not in [one["Channel"] for one in await home.serving.bank.ami.list("Status")]

    await until(is_so, f"{home.number} rings no more")


async def test_a_kill_in_the_middle_of_four_callbacks(serving: Serving) -> None:
    """One phone rings, one customer is asked for the key, one attempt ends while nobody looks, one customer has not been called."""
    agents = ("ann", "ben", "cyn")
    team = await Team.given(serving, *agents, callbacks=calls_back(ring_s=10, confirm_s=4))
    talking = [await busy_agent(team, agent) for agent in agents]
    rings = await AtHome.promised(team, ring=5, talk=0)
    asked = await AtHome.promised(team, talk=0)
    missed = await AtHome.promised(team, does="reject", ring=0, talk=0)
    waits = await AtHome.promised(team, talk=0)
    await serving.bank.leave(talking[0])
    await rings.until_rung()
    await serving.bank.leave(talking[1])
    await asked.until_picked_up()
    serving.service.kill()
    await serving.bank.leave(talking[2])
    serving.service.start()
    serving.service.wait_ready()
    await missed.until_rung()
    await serving.bank.given_phone(missed.number, does="answer")
    people = (rings, asked, missed, waits)
    await asyncio.gather(*(one.reached() for one in people))
    assert [len(one.rung()) for one in (rings, asked, waits)] == [1, 1, 1]
    assert [results(await one.now()) for one in (rings, asked, waits)] == [["connected"]] * 3
    tried = results(await missed.now())
    assert (tried[0], tried[-1], len(tried)) == ("rejected", "connected", len(missed.rung()))


async def test_what_became_of_an_attempt_is_known_though_nobody_looked(serving: Serving) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back(ring_s=3))
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, does="silent", talk=0)
    await serving.bank.leave(talking)
    await home.until_rung()
    serving.service.kill()
    await until_quiet(home)
    await serving.bank.given_phone(home.number, does="answer")
    serving.service.start()
    serving.service.wait_ready()
    await home.reached()
    assert results(await home.now()) == ["no_answer", "connected"]
    assert len(home.rung()) == 2


async def test_a_customer_who_is_on_is_still_on_after_a_kill(serving: Serving) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back(), ring_s=30)
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, talk=0)
    await team.phone("ann", does="silent")
    await serving.bank.leave(talking)
    call = await home.presses_one()
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    on = await home.until_is(state="on")
    assert on["reached_in"] == call
    await serving.bank.hang_up(serving.bank.leg_of("agent-101"))
    await team.phone("ann", does="answer", talk=0)
    await home.until_is(ended="reached", within_s=20)
    assert len(home.rung()) == 1
    await home.hangs_up()


async def test_a_customer_who_talks_talks_on_after_a_kill_and_counts_as_reached(serving: Serving) -> None:
    """Once while they talk, and once so that nobody sees the talk end: the marker tells."""
    team = await Team.given(serving, "ann", "ben", callbacks=calls_back())
    talking = [await busy_agent(team, agent) for agent in team.agents]
    homes = [await AtHome.promised(team, talk=0, keys="1") for _ in team.agents]
    await team.phone("ben", talk=0.8)
    for one in talking:
        await serving.bank.leave(one)
    for agent in team.agents:
        await serving.until_agent(agent, "talking", within_s=20)
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    calls = [(await home.until_is(ended="reached"))["reached_in"] for home in homes]
    (ours,) = await serving.calls("talking")
    assert (ours["id"] in calls, ours["agent"]) == (True, "ann")
    await serving.bank.hang_up(serving.bank.leg_of(team.device("ann")))
    await serving.until_agent("ann", "idle")
    assert (await serving.get(f"/v1/calls/{ours['id']}"))["outcome"] == "answered"
    assert [len(home.rung()) for home in homes] == [1, 1]


async def test_asterisk_is_killed_and_the_customer_is_called_again(serving: Serving) -> None:
    team = await Team.given(serving, "ann", callbacks=calls_back())
    talking = await busy_agent(team, "ann")
    home = await AtHome.promised(team, ring=30, talk=0)
    await serving.bank.leave(talking)
    await home.until_rung()
    serving.pbx.instance.kill()
    await serving.bank.given_phone(home.number, ring=0)
    serving.pbx.instance.start()

    async def is_known() -> bool:
        return results(await home.now())[:1] == ["unknown"]

    await until(is_known, "the attempt is given up", within_s=30)
    await serving.bank.unregister(["agent-101"])
    await serving.bank.register(["agent-101"])
    await home.reached(within_s=40)
    over = await home.now()
    assert results(over) == ["unknown", "connected"]
    assert len(home.rung()) == 2
