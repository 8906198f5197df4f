"""Who may be called back: the dialogue's answers, requests over REST, caps through a restart, opt-outs."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from acd.ids import CallId, PbxId
from acd.telephony import Lead, LegStage
from nobat.apply import DatabaseTarget
from nobat.declaration import DeclarationError, read_declaration
from nobat.storage import opt_outs, schema
from nobat.storage.database import Database
from tests.support.office import Office, Person, until
from tests.support.until import until as poll

NUMBER, OTHER = "09123456789", "09351234567"
ANY_HOUR = {"quiet_from": "00:00", "quiet_until": "00:00"}


async def calls_back(office: Office, *queues: str, **harm: Any) -> Person:
    """Queues that call back at any hour; the administrator."""
    admin = await office.admin()
    for name in queues or ("sales",):
        body = {"callbacks": {"enabled": True, "harm": ANY_HOUR | harm}, "announcements": {"language": "en"}}
        response = await admin.ask("PATCH", f"/v1/queues/{name}", json=body)
        assert response.status_code == 200, response.text
    return admin


async def waits(office: Office, number: str | None = NUMBER) -> CallId:
    call = office.pbx.caller("8000", number)
    await office.settled()
    return call


async def asks(
    office: Office, call: CallId, kind: str = "callback", keyed: str = "", code: str = ""
) -> tuple[str, tuple[str, ...]]:
    """The caller presses keys; where he goes on, and what he hears there."""
    ask = office.pbx.caller_asks(call, kind, keyed, code)
    return tuple(await until(lambda: office.pbx.answers.get(ask), "an answer"))


def last_words(office: Office, call: CallId) -> tuple[str, ...]:
    """What the caller is let go with; nothing if he is not."""
    leads = [one for one in office.pbx.requests if isinstance(one, Lead) and one.call == call]
    return leads[-1].say if leads else ()


async def refusals(admin: Person) -> dict[str, float]:
    lines = (await admin.ask("GET", "/metrics")).text.splitlines()
    said = [line for line in lines if line.startswith("acd_callback_refusals_total{")]
    counted = {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in said}
    return {reason: count for reason, count in counted.items() if count}


async def line(admin: Person) -> list[tuple[str, str]]:
    return [(one["kind"], one["caller"]["number"]) for one in (await admin.get("/v1/queues/sales/line"))["items"]]


async def until_line(admin: Person, wanted: list[tuple[str, str]]) -> None:
    async def is_so() -> bool:
        return await line(admin) == wanted

    await poll(is_so, f"line {wanted}")


def request(office: Office, number: str, queue: str = "sales") -> dict[str, Any]:
    """A callback tomorrow, within an hour."""
    due = [datetime.fromtimestamp(office.clock.now() + hours * 3600, UTC).isoformat() for hours in (24, 25)]
    return {"queue": queue, "number": number, "due_from": due[0], "due_until": due[1]}


# ---------------------------------------------------------------- the dialogue


async def test_the_number_is_read_back_and_the_promise_is_on_disk_before_he_is_let_go(office: Office) -> None:
    admin = await calls_back(office)
    call, behind = await waits(office), await waits(office, OTHER)
    step, prompts = await asks(office, call)
    assert step == "number"
    assert prompts[:3] == ("pause", "callback-number", "pause")
    assert prompts[3:6] == ("digit-0", "num-9", "num-1")
    assert prompts[-1] == "callback-confirm"
    assert await line(admin) == [("live", NUMBER), ("live", OTHER)]
    office.pbx.caller_asks(call, "callback_confirm")
    said = await until(lambda: last_words(office, call), "he is let go")
    assert said[0] == "pause"
    assert said[-1] == "goodbye"
    (shown,) = (await admin.get("/v1/callbacks"))["items"]
    assert (shown["number"], shown["call"], shown["state"]) == (NUMBER, call, "waiting")
    assert await line(admin) == [("callback", NUMBER), ("live", OTHER)]
    assert office.pbx.stage(behind) is LegStage.WAITING


async def test_a_number_that_is_keyed_in_is_the_one_that_is_promised(office: Office) -> None:
    admin = await calls_back(office)
    call = await waits(office, "+4930123456")
    assert await asks(office, call) == ("another", ("pause", "callback-not-possible"))
    assert (await asks(office, call, "callback_number", OTHER))[0] == "number"
    office.pbx.caller_asks(call, "callback_confirm", OTHER)
    await until(lambda: last_words(office, call), "he is let go")
    assert [one["number"] for one in (await admin.get("/v1/callbacks"))["items"]] == [OTHER]


@pytest.mark.parametrize(
    ("number", "step", "reason"),
    [
        ("+4930123456", "another", "country"),
        ("+881612345678", "another", "kind"),
        ("110", "another", "emergency"),
        ("8001", "another", "own_number"),
        ("0912", "another", "short_number"),
        ("<unknown>", "another", "not_a_number"),
        (None, "other", "withheld"),
    ],
)
async def test_what_is_not_called_is_said_politely_and_counted(
    office: Office, number: str | None, step: str, reason: str
) -> None:
    admin = await calls_back(office)
    call = await waits(office, number)
    assert (await asks(office, call))[0] == step
    assert await refusals(admin) == {reason: 1.0}
    assert office.pbx.stage(call) is LegStage.WAITING


async def test_a_queue_that_calls_nobody_back_does_as_if_no_key_was_pressed(office: Office) -> None:
    assert await asks(office, await waits(office)) == ("none", ())


async def test_an_opt_out_quiet_hours_and_a_second_callback_are_told_and_the_caller_stays(office: Office) -> None:
    admin = await calls_back(office)
    call = await waits(office)
    await admin.ask("PUT", f"/v1/opt-outs/{NUMBER}")
    assert await asks(office, call) == ("sorry", ("callback-not-now",))
    await admin.ask("DELETE", f"/v1/opt-outs/{NUMBER}")
    await admin.ask(
        "PATCH", "/v1/queues/sales", json={"callbacks": {"harm": {"quiet_from": "00:00", "quiet_until": "23:59"}}}
    )
    assert await asks(office, call) == ("sorry", ("callback-not-now",))
    await calls_back(office)
    assert (await admin.ask("POST", "/v1/callbacks", json=request(office, NUMBER))).status_code == 201
    assert await asks(office, call) == ("sorry", ("callback-not-now",))  # as any other that cannot be now
    assert await refusals(admin) == {"opted_out": 1.0, "quiet_hours": 1.0, "open_already": 1.0}


async def test_a_caller_for_whom_a_phone_rings_is_not_answered(office: Office) -> None:
    admin = await calls_back(office)
    await admin.chooses("101", "available")
    call = await waits(office)
    assert office.pbx.ringing(call)
    ask = office.pbx.caller_asks(call, "callback_confirm")
    await office.settled()
    assert ask not in office.pbx.answers
    assert (await admin.get("/v1/callbacks"))["items"] == []


# ---------------------------------------------------------------- the code

WRONG = ("code", ("callback-wrong-code", "callback-enter-code"))


async def scheduled(office: Office, admin: Person, number: str = NUMBER) -> tuple[str, str]:
    """A callback for tomorrow: its id, and the code that is told once."""
    made = (await admin.ask("POST", "/v1/callbacks", json=request(office, number))).json()
    assert (await admin.get(f"/v1/callbacks/{made['id']}"))["code"] is None
    return made["id"], made["code"]


def not_it(code: str) -> str:
    return f"{(int(code) + 1) % 10_000:04}"


async def test_who_rings_in_cancels_a_callback_with_its_code(office: Office) -> None:
    admin = await calls_back(office)
    callback, code = await scheduled(office, admin)
    call = await waits(office)
    assert await asks(office, call, "callback_change") == ("code", ("pause", "callback-enter-code"))
    assert await asks(office, call, "callback_change", code=not_it(code)) == WRONG
    assert (await asks(office, call, "callback_cancel", code=not_it(code)))[1] == ("callback-not-now",)
    assert (await admin.get(f"/v1/callbacks/{callback}"))["ended"] is None
    assert await asks(office, call, "callback_change", code=code) == ("change", ("pause", "callback-change"))
    assert await asks(office, call, "callback_cancel", code=code) == ("sorry", ("callback-cancelled",))
    assert (await admin.get(f"/v1/callbacks/{callback}"))["ended"] == "cancelled"
    assert office.pbx.stage(call) is LegStage.WAITING


async def test_who_rings_in_has_another_number_called_with_the_code_of_before_a_restart(office: Office) -> None:
    admin = await calls_back(office)
    callback, code = await scheduled(office, admin)
    admin = await office.restarted()
    call = await waits(office)
    assert (await asks(office, call, "callback_number", OTHER, code))[0] == "number"
    assert await asks(office, call, "callback_confirm", OTHER, code) == ("sorry", ("callback-changed",))
    assert (await admin.get(f"/v1/callbacks/{callback}"))["number"] == OTHER
    assert last_words(office, call) == ()


async def test_whether_a_number_has_a_callback_cannot_be_heard_and_codes_cannot_be_tried(office: Office) -> None:
    admin = await calls_back(office)
    callback, code = await scheduled(office, admin)
    known, stranger = await waits(office), await waits(office, OTHER)
    for n in range(1, 4):
        guess = f"{(int(code) + n) % 10_000:04}"
        assert [await asks(office, call, "callback_change", code=guess) for call in (known, stranger)] == [WRONG, WRONG]
    assert await asks(office, known, "callback_change", code=code) == WRONG
    assert (await asks(office, known, "callback_cancel", code=code))[1] == ("callback-not-now",)
    assert (await admin.get(f"/v1/callbacks/{callback}"))["ended"] is None


async def test_who_rings_into_the_place_hears_nothing_of_it_and_leaves_the_callback_when_he_leaves(
    office: Office,
) -> None:
    admin = await calls_back(office)
    call = await waits(office)
    made = await admin.ask("POST", "/v1/callbacks", json={"call": call, "number": NUMBER})
    callback, code = made.json()["id"], made.json()["code"]
    await until(lambda: last_words(office, call), "he is let go")
    behind = await waits(office, OTHER)
    again = await waits(office)
    assert await line(admin) == [("live", NUMBER), ("live", OTHER)]
    office.pbx.caller_hangs_up(again)
    await until_line(admin, [("callback", NUMBER), ("live", OTHER)])
    again = await waits(office)
    assert await asks(office, again, "callback_cancel", code=code) == ("sorry", ("callback-cancelled",))
    office.pbx.caller_hangs_up(again)
    await office.settled()
    assert await line(admin) == [("live", OTHER)]
    assert (await admin.get(f"/v1/callbacks/{callback}"))["ended"] == "rang_again"
    assert office.pbx.stage(behind) is LegStage.WAITING


async def test_who_rang_in_before_a_restart_leaves_the_callback_when_he_leaves_too(office: Office) -> None:
    admin = await calls_back(office)
    call = await waits(office)
    await admin.ask("POST", "/v1/callbacks", json={"call": call, "number": NUMBER})
    await until(lambda: last_words(office, call), "he is let go")
    again = await waits(office)
    await office.written()
    admin = await office.restarted()
    await office.settled()
    assert await line(admin) == [("live", NUMBER)]
    office.pbx.caller_hangs_up(again)
    await until_line(admin, [("callback", NUMBER)])


async def test_who_opts_out_while_somebody_has_rung_in_is_not_called_afterwards(office: Office) -> None:
    admin = await calls_back(office)
    call = await waits(office)
    await admin.ask("POST", "/v1/callbacks", json={"call": call, "number": NUMBER})
    await until(lambda: last_words(office, call), "he is let go")
    again = await waits(office)
    await admin.ask("PUT", f"/v1/opt-outs/{NUMBER}")
    behind = await waits(office, OTHER)
    office.pbx.caller_hangs_up(again)
    await until_line(admin, [("live", OTHER)])
    assert len((await admin.get("/v1/callbacks"))["items"]) == 1
    assert office.pbx.stage(behind) is LegStage.WAITING


async def test_a_callback_that_goes_on_is_no_new_promise(office: Office) -> None:
    admin = await calls_back(office, number_a_day=2)
    call = await waits(office)
    await admin.ask("POST", "/v1/callbacks", json={"call": call, "number": NUMBER})
    await until(lambda: last_words(office, call), "he is let go")
    for _ in range(3):
        again = await waits(office)
        office.pbx.caller_hangs_up(again)
        await until_line(admin, [("callback", NUMBER)])
    open_now = (await admin.get("/v1/queues/sales/line"))["items"][0]["call_id"]
    assert (await admin.ask("DELETE", f"/v1/callbacks/{open_now}")).status_code == 204
    assert (await admin.ask("POST", "/v1/callbacks", json=request(office, NUMBER))).status_code == 201


# ---------------------------------------------------------------- requests over REST


async def test_a_request_is_screened_and_audited_refused_or_not(office: Office) -> None:
    admin = await calls_back(office)
    for number, wanted in (("۰۹۱۲ ۳۴۵ ۶۷۸۹", 201), ("+19005550123", 409), ("110", 409)):
        assert (await admin.ask("POST", "/v1/callbacks", json=request(office, number))).status_code == wanted
    refused = await admin.ask("POST", "/v1/callbacks", json=request(office, "+4930123456"))
    assert (refused.json()["slug"], refused.json()["reason"]) == ("callback_refused", "country")
    assert "4930123456" not in refused.text
    async with office.app.database.read() as connection:
        rows = list((await connection.execute(select(schema.audit.c.action))).scalars())
    assert rows.count("createCallback") == 4


async def test_a_token_that_asks_too_often_is_refused_and_another_is_not(office: Office) -> None:
    admin = await calls_back(office)
    office.app.callbacks.rate.most = 3
    for _ in range(3):
        await admin.ask("POST", "/v1/callbacks", json=request(office, "110"))
    refused = await admin.ask("POST", "/v1/callbacks", json=request(office, NUMBER))
    assert refused.json()["reason"] == "too_many_requests"
    assert (await (await office.admin()).ask("POST", "/v1/callbacks", json=request(office, NUMBER))).status_code == 201


async def test_a_number_has_so_many_callbacks_a_day_through_a_restart(office: Office) -> None:
    admin = await calls_back(office, number_a_day=2)
    for _ in range(2):
        made = await admin.ask("POST", "/v1/callbacks", json=request(office, NUMBER))
        assert made.status_code == 201, made.text
        assert (await admin.ask("DELETE", f"/v1/callbacks/{made.json()['id']}")).status_code == 204
    admin = await office.restarted()
    refused = await admin.ask("POST", "/v1/callbacks", json=request(office, "+98 912 345 6789"))
    assert refused.json()["reason"] == "number_a_day"
    assert (await admin.ask("POST", "/v1/callbacks", json=request(office, OTHER))).status_code == 201


async def test_a_window_is_chosen_on_a_clock(office: Office) -> None:
    """On a day on which half past two does not come: from three on, and no further ahead than may be promised."""
    admin = await calls_back(office)
    day = date(datetime.fromtimestamp(office.clock.now(), UTC).year + 2, 3, 31)
    day -= timedelta(days=day.isoweekday() % 7)
    window = {"day": day.isoformat(), "begin": "02:30", "end": "03:30"}
    body = {"queue": "sales", "number": NUMBER, "window": window, "zone": "Europe/Berlin"}
    too_far = await admin.ask("POST", "/v1/callbacks", json=body)
    assert too_far.json()["slug"] == "invalid_window"
    three_days_before = datetime.combine(day - timedelta(days=3), time(), UTC).timestamp()
    office.clock.move(three_days_before - office.clock.now())
    made = await admin.ask("POST", "/v1/callbacks", json=body)
    assert made.status_code == 201, made.text
    assert (made.json()["due_from"], made.json()["expires_at"]) == (f"{day}T01:00:00.000Z", f"{day}T01:30:00.000Z")


async def test_a_window_that_is_changed_is_judged_like_a_new_one(office: Office) -> None:
    admin = await calls_back(office)
    made = (await admin.ask("POST", "/v1/callbacks", json=request(office, NUMBER))).json()

    async def patched(**hours: float) -> str:
        now = office.clock.now()
        body = {name: datetime.fromtimestamp(now + 3600 * ahead, UTC).isoformat() for name, ahead in hours.items()}
        reply = await admin.ask("PATCH", f"/v1/callbacks/{made['id']}", json=body)
        return str(reply.json().get("slug", reply.status_code))

    assert await patched(due_from=48, due_until=49) == "200"
    assert await patched(due_until=100) == "invalid_window"
    assert await patched(due_from=24 * 91, due_until=24 * 91 + 1) == "invalid_window"
    quiet = {"callbacks": {"harm": {"quiet_from": "00:00", "quiet_until": "23:59"}}}
    await admin.ask("PATCH", "/v1/queues/sales", json=quiet)
    assert await patched(due_from=24, due_until=25) == "callback_refused"
    assert (await refusals(admin))["quiet_hours"] == 1.0


async def test_a_window_on_a_clock_is_kept_as_it_was_chosen_until_another_moment_is(office: Office) -> None:
    admin = await calls_back(office)
    day = datetime.fromtimestamp(office.clock.now() + 3 * 86_400, UTC).date().isoformat()
    window = {"day": day, "begin": "10:00", "end": "11:00"}
    body = {"queue": "sales", "number": NUMBER, "window": window, "zone": "Asia/Tehran"}
    made = (await admin.ask("POST", "/v1/callbacks", json=body)).json()

    async def chosen() -> str | None:
        async with office.app.database.read() as connection:
            return (await connection.execute(select(schema.callbacks.c.chosen))).scalar_one()

    assert await chosen() == f"{day} 10:00 11:00"
    admin = await office.restarted()
    assert (await admin.get(f"/v1/callbacks/{made['id']}"))["due_from"] == made["due_from"]
    due_until = datetime.fromisoformat(made["expires_at"]) + timedelta(hours=1)
    reply = await admin.ask("PATCH", f"/v1/callbacks/{made['id']}", json={"due_until": due_until.isoformat()})
    assert reply.status_code == 200, reply.text
    await office.written()
    assert await chosen() is None


# ---------------------------------------------------------------- opt-outs


async def test_who_opts_out_is_not_called_any_more(office: Office) -> None:
    admin = await calls_back(office)
    made = (await admin.ask("POST", "/v1/callbacks", json=request(office, NUMBER))).json()
    entered = await admin.ask("PUT", "/v1/opt-outs/0098 912 345 6789")
    assert entered.json()["number"] == "+989123456789"
    over = await admin.get(f"/v1/callbacks/{made['id']}")
    assert over["ended"] == "cancelled"
    assert [one["number"] for one in (await admin.get("/v1/opt-outs"))["items"]] == ["+989123456789"]
    assert (await admin.ask("DELETE", "/v1/opt-outs/+989123456789")).status_code == 204
    assert (await admin.ask("DELETE", "/v1/opt-outs/+989123456789")).status_code == 404
    assert (await admin.ask("PUT", "/v1/opt-outs/110")).json()["slug"] == "invalid_number"


async def test_whoever_asks_by_name_is_no_longer_an_entry_of_the_file(office: Office) -> None:
    admin = await calls_back(office)
    by_file = await admin.ask("PUT", f"/v1/opt-outs/{NUMBER}?by_file=true")
    assert by_file.json()["by"] == "nobat apply"
    by_name = (await admin.ask("PUT", f"/v1/opt-outs/{NUMBER}")).json()["by"]
    assert by_name != "nobat apply"
    assert (await admin.ask("PUT", f"/v1/opt-outs/{NUMBER}?by_file=true")).json()["by"] == by_name


async def asked_for(url: str, *numbers: str) -> None:
    """Numbers that people have asked for, over REST."""
    database = Database(url)
    await opt_outs.put(database, numbers, "the desk", 1_700_000_000.0)
    await database.close()


async def test_an_open_callback_ends_when_quiet_hours_begin_and_one_for_later_does_not(office: Office) -> None:
    admin = await calls_back(office)
    call = await waits(office)
    office.pbx.caller_asks(call, "callback_confirm")
    await until(lambda: last_words(office, call), "he is let go")
    later = (await admin.ask("POST", "/v1/callbacks", json=request(office, OTHER))).json()
    await admin.ask(
        "PATCH", "/v1/queues/sales", json={"callbacks": {"harm": {"quiet_from": "00:00", "quiet_until": "23:59"}}}
    )
    await office.app.callbacks.end_quiet()
    now = {one["number"]: one["ended"] for one in (await admin.get("/v1/callbacks"))["items"]}
    assert now == {NUMBER: "cancelled", OTHER: None}
    assert later["id"]


def test_a_file_takes_out_only_opt_outs_that_a_file_has_entered(tmp_path: Path) -> None:
    file = tmp_path / "floor.yaml"
    file.write_text("opt_outs: ['+989123456789', '+989351234567']")
    target = DatabaseTarget(f"sqlite:///{tmp_path / 'nobat.db'}", PbxId("pbx1"))
    plan = target.plan(read_declaration(file), prune=True)
    assert plan.lines() == ["+ opt-outs (2 numbers)"]
    target.carry_out(plan)
    assert target.plan(read_declaration(file), prune=True).empty
    asyncio.run(asked_for(target.url, "+989127654321"))
    file.write_text("queues: []")
    assert target.plan(read_declaration(file), prune=True).empty
    file.write_text("opt_outs: ['+989123456789']")
    assert target.plan(read_declaration(file), prune=False).empty
    plan = target.plan(read_declaration(file), prune=True)
    assert (plan.lines(), plan.removes) == (["- opt-outs (1 numbers)"], True)
    target.carry_out(plan)
    assert target.plan(read_declaration(file), prune=True).empty
    file.write_text("opt_outs: []")
    assert target.plan(read_declaration(file), prune=True).removed_opt_outs == ("+989123456789",)
    file.write_text("opt_outs: [989123456789, '0912']")
    with pytest.raises(DeclarationError, match="entry 1"):
        read_declaration(file)
