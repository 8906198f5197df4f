"""Each operation's example in the OpenAPI document does what it says, asked of a service with calls in it."""

import shlex
from dataclasses import dataclass
from datetime import UTC, datetime
from string import Template
from typing import Any
from urllib.parse import parse_qs

from nobat.api.application import bare_api, operation_ids
from nobat.api.examples import EXAMPLES
from nobat.auth import Role
from tests.fuzz.run import document
from tests.service.test_rights import furnished
from tests.support.memory_pbx import Manner
from tests.support.office import Office, Person, until
from tests.support.stream import streaming


@dataclass(frozen=True)
class Asked:
    """What a shell would make of an example."""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None


def read(source: str, values: dict[str, str]) -> Asked:
    """Variables are filled in where a shell does it: not between single quotes."""
    line, _, below = source.partition("\n")
    words = shlex.split(line.removesuffix(" <<END"))
    single = {word[1:-1] for word in line.split(" --json ")[1:] if word.startswith("'")}
    assert words.pop(0) == "curl"
    method, url, headers, body = "GET", "", {}, None
    while words:
        word = words.pop(0)
        if word == "-X":
            method = words.pop(0)
        elif word == "-H":
            name, _, value = Template(words.pop(0)).substitute(values).partition(": ")
            headers[name] = value
        elif word == "--json":
            said = words.pop(0)
            body = said if said in single else Template(below.removesuffix("\nEND")).substitute(values)
        elif word == "-o":
            assert words.pop(0)
        elif word != "-N":
            url = Template(word).substitute(values)
    return Asked(method, url, headers | ({"Content-Type": "application/json"} if body is not None else {}), body)


class Stage:
    """A service with calls in it, and what has to happen there before an example can be asked."""

    def __init__(self, office: Office, admin: Person, made: dict[str, str]) -> None:
        self.office, self.admin, self.made = office, admin, made

    @property
    def values(self) -> dict[str, str]:
        """What the examples' variables stand for."""
        days = [datetime.fromtimestamp(self.office.clock.now() + day * 86_400, UTC).isoformat() for day in (1, 2)]
        named = {"CALL": "own", "WAITING": "other", "VOICEMAIL": "said", "RECORDING": "kept", "SUPERVISION": "session"}
        ids = {variable: self.made[name] for variable, name in {**named, "CALLBACK": "back"}.items()}
        return {
            "NOBAT": "http://nobat",
            "TOKEN": self.admin.token or "",
            "TOMORROW": days[0],
            "DAY_AFTER": days[1],
            **ids,
        }

    async def prepare(self, operation: str) -> None:
        """Whatever must be so for this one."""
        work = {
            "takeOver": self.in_conference,
            "handBack": self.settled,
            "changeConsult": self.settled,
            "consultCall": self.another_is_free,
            "offerCall": self.the_first_is_free,
            "approveBreak": self.break_wanted,
            "refuseBreak": self.break_wanted,
            "withdrawBreak": self.break_wanted,
            "endWrapUp": self.after_a_call,
            "hangUpCall": self.settled,
            "transferCall": self.settled,
        }.get(operation)
        if work is not None:
            await work()

    async def settled(self) -> None:
        await self.office.settled()

    async def in_conference(self) -> None:
        await self.office.settled()
        changed = await self.admin.ask("PATCH", f"/v1/supervisions/{self.made['session']}", json={"mode": "conference"})
        assert changed.status_code < 300, changed.text
        await self.office.settled()

    async def another_is_free(self) -> None:
        """102, who now serves sales alone, or he would be given who waits in support."""
        await self.office.settled()
        self.office.pbx.phone("PJSIP/agent-102", Manner.ANSWERS)
        await self.admin.ask("PATCH", "/v1/agents/102", json={"queues": ["sales"]})
        await self.admin.chooses("102", "available")

    async def the_first_is_free(self) -> None:
        """101's call is over."""
        await self.office.settled()
        await self.admin.chooses("101", "available")
        await self.office.settled()

    async def break_wanted(self) -> None:
        """One may have a break at a time, and 101 has it."""
        await self.admin.ask("PATCH", "/v1/queues/sales", json={"breaks": {"most": 1}})
        await self.admin.chooses("101", "break", reason="lunch")
        await self.admin.chooses("102", "available")
        asked = await self.admin.chooses("102", "break", reason="tea")
        assert asked["break_request"] is not None

    async def after_a_call(self) -> None:
        """103 has had a call of support and writes down what it was about."""
        await self.admin.ask("PATCH", "/v1/queues/support", json={"wrap_up_s": 60})
        await self.admin.chooses("103", "available")
        call = self.office.pbx.caller("8001")
        await until(lambda: self.office.pbx.ringing(call), "a ringing phone")
        self.office.pbx.pick_up(call)
        await self.office.settled()
        self.office.pbx.agent_hangs_up(call)
        await self.office.settled()


EARLY = ("hearVoicemail", "hearRecording", "putCaller", "createQueue", "createAgent", "closeQueue", "putOptOut")
IN_A_TALK = ("askForHelp", "listHelpRequests", "withdrawHelp", "controlRecording", "changeCall")
WATCHED = ("startSupervision", "changeSupervision", "takeOver", "handBack", "stopSupervision")
MOVES = ("consultCall", "changeConsult", "transferCall", "hangUpCall", "offerCall")
LATE = ("endWrapUp", "approveBreak", "withdrawBreak", "refuseBreak", "chooseStatus")
ORDER = (*EARLY, *IN_A_TALK, *WATCHED)
"""These first, then what is not named, then moves and what is late."""

REFUSED = {"sendReport": "no_mail_server", "controlRecording": "not_recorded", "handBack": "not_taken_over"}
"""Examples that this office must refuse: it has no mail server, records nothing, and its agent has not left the caller yet."""

ENDLESS = {"streamEvents"}


def operations(document: dict[str, Any]) -> list[tuple[str, str]]:
    """Ids and examples, in an order in which they can be asked one after the other."""
    found = {
        operation["operationId"]: operation["x-codeSamples"][0]["source"]
        for methods in document["paths"].values()
        for operation in methods.values()
    }
    late = (*MOVES, *LATE)
    middle = [name for name in found if name not in (*ORDER, *late)]
    return [(name, found[name]) for name in (*ORDER, *middle, *late)]


def test_every_operation_has_an_example_and_no_example_is_of_nothing() -> None:
    assert set(EXAMPLES) == set(operation_ids(bare_api()))


async def test_every_example_does_what_it_says(counter: Office) -> None:
    people = {
        Role.AGENT: await counter.person(Role.AGENT, agent="101"),
        Role.SUPERVISOR: await counter.person(Role.SUPERVISOR, queues=("sales",)),
        Role.ADMIN: await counter.admin(),
    }
    stage = Stage(counter, people[Role.ADMIN], await furnished(counter, people))
    told = []
    for name, source in operations(document(counter)):
        if name in ENDLESS:
            continue
        await stage.prepare(name)
        asked = read(source, stage.values)
        response = await counter.client.request(asked.method, asked.url, headers=asked.headers, content=asked.body)
        slug = response.json().get("slug") if response.status_code >= 400 else None
        if slug != REFUSED.get(name):
            told.append(f"{name}: {response.status_code} {response.text[:300]}\n  {source}")
    assert not told, "\n".join(told)


async def test_the_example_of_the_stream_is_one(counter: Office) -> None:
    admin = await counter.admin()
    source = dict(operations(document(counter)))["streamEvents"]
    asked = read(source, {"NOBAT": "", "TOKEN": admin.token or ""})
    query = {name: values[0] for name, values in parse_qs(asked.url.partition("?")[2]).items()}
    async with streaming(counter.interface, admin.token or "", **query) as stream:
        counter.pbx.caller("8000")
        await stream.until_kind("CallQueued")
