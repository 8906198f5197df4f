"""The live feed: everybody sees what happens to the own, in order, once, and goes on where the stream broke off."""

from nobat.auth import Role
from nobat.feed import KEPT
from nobat.storage import tokens
from tests.support.office import Office, Person, until
from tests.support.stream import streaming


async def talk(office: Office, number: str = "8000", caller: str = "111") -> str:
    """A caller is answered and hangs up."""
    call = office.pbx.caller(number, caller)
    await until(lambda: office.pbx.ringing(call), "a ringing phone")
    office.pbx.pick_up(call)
    await office.settled()
    office.pbx.caller_hangs_up(call)
    await office.settled()
    return call


def token_of(person: Person) -> str:
    assert person.token is not None
    return person.token


async def test_a_call_as_it_happens(counter: Office) -> None:
    admin = await counter.admin()
    await admin.chooses("101", "available")
    async with streaming(counter.interface, token_of(admin)) as stream:
        assert stream.status == 200
        call = await talk(counter)
        await stream.until_kind("CallEnded")
        of_call = [kind for _, kind, data in stream.events if data.get("call") == call]
        assert of_call == ["CallQueued", "CallOffered", "CallConnected", "VisitDecided", "TalkEnded", "CallEnded"]
        queued = await stream.until_kind("CallQueued")
        assert (queued["number"], queued["queue"]) == ("111", "sales")
        assert queued["entered_at"].endswith("Z")
        ids = [int(identity.partition("-")[2]) for identity, _, _ in stream.events if identity is not None]
        assert ids == sorted(set(ids))


async def test_a_reader_sees_the_own_and_nothing_else(counter: Office) -> None:
    admin = await counter.admin()
    supervisor = await counter.person(Role.SUPERVISOR, queues=("sales",))
    agent = await counter.person(Role.AGENT, agent="101")
    for name in ("101", "103"):
        await admin.chooses(name, "available")
    async with (
        streaming(counter.interface, token_of(supervisor)) as seen,
        streaming(counter.interface, token_of(agent)) as own,
        streaming(counter.interface, token_of(admin), queue="support", kind="CallEnded") as few,
    ):
        other = await talk(counter, "8001", "222")
        mine = await talk(counter, "8000", "111")
        counter.pbx.caller("9999", "333")  # nobody's number
        for stream in (seen, own):
            await stream.until_kind("CallEnded")
            assert {data["call"] for _, _, data in stream.events if "call" in data} == {mine}
            assert "222" not in stream.text
            assert '"103"' not in stream.text
        await few.until_kind("CallEnded")
        assert [data["call"] for _, _, data in few.events] == [other]


async def test_a_stream_that_broke_off_goes_on_after_its_last_event(counter: Office) -> None:
    admin = await counter.admin()
    await admin.chooses("101", "available")
    async with streaming(counter.interface, token_of(admin)) as first:
        await talk(counter)
        await first.until_kind("CallEnded")
    last = first.events[2][0]
    missed = await talk(counter)
    async with streaming(counter.interface, token_of(admin), last) as second:
        await until(lambda: second.kinds.count("CallEnded") == 2, "both calls")
        assert second.events[: len(first.events) - 3] == first.events[3:]
        assert missed in second.text
        assert "gap" not in second.kinds
    async with streaming(counter.interface, token_of(admin), "1-5") as third:
        assert third.events[0][1:] == ("gap", {"reason": "restarted"})


async def test_who_reads_slowly_costs_nobody_and_is_told(counter: Office) -> None:
    admin = await counter.admin()
    await admin.chooses("101", "available")
    feed = counter.app.feed
    async with (
        streaming(counter.interface, token_of(admin)) as slow,
        streaming(counter.interface, token_of(admin)) as quick,
    ):
        await talk(counter)
        await until(lambda: "CallEnded" in slow.kinds, "both have read")
        slow.reading.clear()
        await talk(counter)
        await until(lambda: quick.kinds.count("CallEnded") == 2, "the quick one goes on")
        feed.observe([entry.event for entry in feed.after(0, 500)] * 900, 0.0)
        assert feed.end - feed.begin == KEPT
        slow.reading.set()
        await until(lambda: ("gap", {"reason": "too_slow"}) in [event[1:] for event in slow.events], "it is told")


async def test_a_right_that_goes_takes_the_stream_with_it(counter: Office) -> None:
    admin = await counter.admin()
    supervisor = await counter.person(Role.SUPERVISOR, queues=("sales",))
    async with streaming(counter.interface, token_of(supervisor)) as stream:
        (mine,) = [one for one in await tokens.everything(counter.app.database) if one.role == "supervisor"]
        assert await tokens.revoke(counter.app.database, mine.id, counter.clock.now())
        await counter.pass_time(5)
        counter.pbx.caller("8000", "111")
        await until(lambda: stream.over, "the stream's end")
        assert "111" not in stream.text
    assert (await admin.ask("GET", "/v1/events", params={"queue": "nowhere"})).status_code == 404
    assert (await supervisor.ask("GET", "/v1/events")).status_code == 401
    other = await counter.person(Role.SUPERVISOR, queues=("sales",))
    assert (await other.ask("GET", "/v1/events", params={"queue": "support"})).status_code == 404
