"""Recordings on a real Asterisk, by tones: who is on which side, what a pause leaves out, and who may hear it."""

import io
import time
import wave
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tests.support.phonebank import Customer
from tests.support.serving import Json, Serving
from tests.support.team import CALLER_TONE, LOUD, Team
from tests.support.tones import goertzel
from tests.support.until import until

FINE_S = 0.02
"""Windows in which a paused span is looked through, and its edges are found."""

EDGE_S = 0.1
AUDIBLE = 200.0
"""A tone of which a window of 20 ms holds a tenth is more."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A stereo recording, taken apart."""

    rate: int
    left: Sequence[int]
    right: Sequence[int]

    @classmethod
    def of(cls, content: bytes) -> "Sound":
        with wave.open(io.BytesIO(content)) as file:
            assert (file.getnchannels(), file.getsampwidth()) == (2, 2)
            samples = array("h")
            samples.frombytes(file.readframes(file.getnframes()))
            return cls(file.getframerate(), samples[0::2], samples[1::2])

    @property
    def seconds(self) -> float:
        return len(self.left) / self.rate

    def strength(self, side: Sequence[int], tone: int, start: float, end: float) -> float:
        """The tone's mean strength between two moments."""
        return goertzel(side[int(start * self.rate) : int(end * self.rate)], self.rate, tone)

    def quiet(self, side: Sequence[int], tone: int) -> list[tuple[float, float]]:
        """Spans of at least a fifth of a second without the tone."""
        size = round(FINE_S * self.rate)
        spans: list[tuple[float, float]] = []
        since: float | None = None
        for first in range(0, len(side) - size + 1, size):
            silent = goertzel(side[first : first + size], self.rate, tone) < AUDIBLE
            if silent and since is None:
                since = first / self.rate
            if not silent and since is not None:
                spans.append((since, first / self.rate))
                since = None
        if since is not None:
            spans.append((since, len(side) / self.rate))
        return [span for span in spans if span[1] - span[0] > 0.2]


async def recorded(serving: Serving, call: str, **wanted: object) -> Json:
    """The recording of a call that is over, when it is no longer being worked on."""
    found: list[Json] = []

    async def is_there() -> bool:
        found[:] = (await serving.get("/v1/recordings", call=call))["items"]
        return bool(found) and all(one["state"] != "open" for one in found)

    await until(is_there, f"the recording of {call}", within_s=30, seen=lambda: found)
    assert all(found[0][name] == value for name, value in wanted.items()), found[0]
    return found[0]


async def sound_of(serving: Serving, recording: Json) -> Sound:
    reply = await serving.api.get(f"/v1/recordings/{recording['id']}/audio")
    reply.raise_for_status()
    return Sound.of(reply.content)


async def control(serving: Serving, call: str, action: str) -> Json:
    reply = await serving.api.post(f"/v1/calls/{call}/recording", json={"action": action})
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


async def talking(team: Team) -> tuple[Customer, str]:
    """A conversation that has lasted for a moment."""
    customer = await team.call()
    call = await team.serving.until_call(customer, state="talking")
    await team.until_heard(customer)
    return customer, call["id"]


def plain_files(serving: Serving) -> list[str]:
    folder = serving.pbx.instance.recordings
    return sorted(file.name for file in folder.glob("*.wav")) if folder.exists() else []


async def talked(team: Team, seconds: float, customer: Customer) -> None:
    """Wait until the conversation is that old."""

    async def is_so() -> bool:
        return float((await team.serving.call_of(customer))["talk_s"] or 0.0) >= seconds

    await until(is_so, f"{seconds} s of talk")


async def test_each_side_has_its_own_voice_and_nothing_plain_is_left(serving: Serving) -> None:
    team = await Team.given(serving, "ann", recording={"mode": "always"})
    await team.phone("ann", ring=0.5, talk=0)
    await team.at_work()
    customer, call = await talking(team)
    await talked(team, 2.6, customer)
    await serving.bank.leave(customer)
    one = await recorded(serving, call, state="whole", agent="ann", queue=team.queue, mode="always", supervised=False)
    sound = await sound_of(serving, one)
    assert abs(sound.seconds - (await serving.call_of(customer))["talk_s"]) < 0.3
    assert abs(sound.seconds - one["duration_s"]) < 0.01
    own, other = team.tone("ann"), CALLER_TONE
    middle = (0.3, sound.seconds - 0.2)
    assert sound.strength(sound.left, other, *middle) > LOUD
    assert sound.strength(sound.right, own, *middle) > LOUD
    assert sound.strength(sound.left, own, *middle) < 100
    assert sound.strength(sound.right, other, *middle) < 100
    assert plain_files(serving) == []
    assert serving.pbx.instance.recordings.stat().st_mode & 0o007 == 0
    (kept,) = (serving.service.directory / "recordings").glob(f"{one['id']}*")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"RIFF" not in kept.read_bytes()
    part = await serving.api.get(f"/v1/recordings/{one['id']}/audio", headers={"range": "bytes=65500-65699"})
    whole = await serving.api.get(f"/v1/recordings/{one['id']}/audio")
    assert (part.status_code, part.content) == (206, whole.content[65_500:65_700])
    assert part.headers["content-range"] == f"bytes 65500-65699/{one['size']}"


async def test_a_pause_leaves_nothing_and_its_edges_are_sharp(serving: Serving) -> None:
    team = await Team.given(serving, "ann", recording={"mode": "always"})
    await team.phone("ann", talk=0)
    await team.at_work()
    customer, call = await talking(team)
    asked_at = serving_now()
    assert (await control(serving, call, "pause"))["state"] == "paused"
    paused_at = serving_now()
    again = await serving.api.post(f"/v1/calls/{call}/recording", json={"action": "pause"})
    assert (again.status_code, again.json()["slug"]) == (409, "illegal_transition")
    await talked(team, 2.5, customer)
    resumed_at = serving_now()
    assert (await control(serving, call, "resume"))["state"] == "running"
    heard_at = serving_now()
    await talked(team, 3.5, customer)
    await serving.bank.leave(customer)
    one = await recorded(serving, call, state="whole")
    began_at = datetime.fromisoformat(one["began_at"]).timestamp()
    sound = await sound_of(serving, one)
    for side, tone in ((sound.left, CALLER_TONE), (sound.right, team.tone("ann"))):
        (start, end) = longest(sound.quiet(side, tone))
        assert asked_at - began_at - EDGE_S < start < paused_at - began_at + EDGE_S
        assert resumed_at - began_at - EDGE_S < end < heard_at - began_at + EDGE_S
        assert sound.strength(side, tone, start + FINE_S, end - FINE_S) < 1.0
        assert not any(side[int((start + FINE_S) * sound.rate) : int((end - FINE_S) * sound.rate)])
    assert abs(one["silent_s"] - (resumed_at - asked_at)) < 0.3


async def test_a_service_that_dies_in_a_pause_leaves_it_paused(serving: Serving) -> None:
    team = await Team.given(serving, "ann", recording={"mode": "always", "most_pause_s": 1.0})
    await team.phone("ann", talk=0)
    await team.at_work()
    customer, call = await talking(team)
    await control(serving, call, "pause")
    paused_at = serving_now()
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(customer, state="talking")
    refused = await serving.api.post(f"/v1/calls/{call}/recording", json={"action": "pause"})
    assert refused.json()["current"] == "paused"
    resumed_at = serving_now()
    await control(serving, call, "resume")
    heard_at = serving_now()
    await talked(team, heard_at - paused_at + 1.5, customer)
    await serving.bank.leave(customer)
    one = await recorded(serving, call, state="whole")
    began_at = datetime.fromisoformat(one["began_at"]).timestamp()
    sound = await sound_of(serving, one)
    for side, tone in ((sound.left, CALLER_TONE), (sound.right, team.tone("ann"))):
        (start, end) = longest(sound.quiet(side, tone))
        assert start < paused_at - began_at + EDGE_S
        assert resumed_at - began_at - EDGE_S < end < heard_at - began_at + EDGE_S
        assert not any(side[int((start + FINE_S) * sound.rate) : int((end - FINE_S) * sound.rate)])


async def test_the_agents_phone_pauses_and_resumes(serving: Serving) -> None:
    team = await Team.given(serving, "ann", recording={"mode": "always"})
    await team.phone("ann", talk=0)
    await team.at_work()
    customer, call = await talking(team)
    leg = serving.bank.leg_of(team.device("ann"))
    await serving.bank.send_digits(leg, "*16")
    await until(lambda: asked(serving, call, "pause"), "paused by phone")
    paused_at = serving_now()
    await talked(team, 4.0, customer)
    await serving.bank.send_digits(leg, "*17")
    resumed_at = serving_now()
    await until(lambda: asked(serving, call, "resume"), "resumed by phone")
    await talked(team, 7.0, customer)
    await serving.bank.leave(customer)
    one = await recorded(serving, call, state="whole")
    began_at = datetime.fromisoformat(one["began_at"]).timestamp()
    sound = await sound_of(serving, one)
    start, end = paused_at - began_at, resumed_at - began_at
    for side, tone in ((sound.left, CALLER_TONE), (sound.right, team.tone("ann"))):
        assert sound.strength(side, tone, start + EDGE_S, end - 1.0) < 1.0
    assert sound.strength(sound.left, CALLER_TONE, sound.seconds - 0.4, sound.seconds - 0.1) > LOUD


async def asked(serving: Serving, call: str, action: str) -> bool:
    """Whether the recording has been asked that, and obeys."""
    refused = await serving.api.post(f"/v1/calls/{call}/recording", json={"action": "start"})
    assert refused.status_code == 409
    client = await serving.pbx.ami()
    channels = await client.list("Status", Variables="ACD_RECORDING,ACD_CALL")
    await client.close()
    wanted = "paused" if action == "pause" else "running"
    return any(
        f"ACD_CALL={call}" in one["Variable"] and f"ACD_RECORDING={wanted}" in one["Variable"] for one in channels
    )


async def test_on_demand_keeps_what_was_asked_for_and_nothing_else(serving: Serving) -> None:
    team = await Team.given(serving, "ann", recording={"mode": "on_demand"})
    await team.phone("ann", talk=0)
    await team.at_work()
    customer, call = await talking(team)
    assert (await control(serving, call, "start"))["state"] == "running"
    started_at = serving_now()
    await talked(team, 2.0, customer)
    assert (await control(serving, call, "stop"))["state"] == "stopped"
    await talked(team, 3.0, customer)
    await serving.bank.leave(customer)
    one = await recorded(serving, call, state="whole", mode="on_demand")
    began_at = datetime.fromisoformat(one["began_at"]).timestamp()
    sound = await sound_of(serving, one)
    for side, tone in ((sound.left, CALLER_TONE), (sound.right, team.tone("ann"))):
        first, last = sound.quiet(side, tone)
        assert first[0] == 0.0
        assert abs(first[1] - (started_at - began_at)) < EDGE_S
        assert abs(last[1] - sound.seconds) < EDGE_S
        assert sound.strength(side, tone, first[1] + FINE_S, last[0] - FINE_S) > LOUD
    unwanted = await team.call()
    call = (await serving.until_call(unwanted, state="talking"))["id"]
    await team.until_heard(unwanted)
    await serving.bank.leave(unwanted)
    await serving.until_call(unwanted, state="ended")
    await until(lambda: not plain_files(serving), "the halves are gone", within_s=20)
    assert (await serving.get("/v1/recordings", call=call))["items"] == []


def longest(spans: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return max(spans, key=lambda span: span[1] - span[0])


def serving_now() -> float:
    return time.time()  # noqa: TID251 - set against times of the API


async def test_the_caller_is_asked_afterwards_and_the_answer_is_kept(serving: Serving) -> None:
    team = await Team.given(serving, "ann", survey={"offered": True}, announcements={"language": "fa"})
    await team.phone("ann", talk=1)
    await team.at_work()
    customer = await team.call()
    await serving.until_call(customer, state="after")
    await until(lambda: asks(serving), "the question is put")
    await serving.bank.send_digits(customer.customer, "4")
    call = await serving.until_call(customer, state="ended", within_s=15)
    assert (call["survey"], call["agent"], call["outcome"]) == (4, "ann", "answered")
    silent = await team.call()
    await serving.until_call(silent, state="after")
    await until(lambda: asks(serving), "the question is put")
    await serving.bank.leave(silent)
    assert (await serving.until_call(silent, state="ended"))["survey"] is None

    async def counted() -> bool:
        stats = await serving.get(f"/v1/queues/{team.queue}/stats", window="today")
        return bool(stats["survey"] == {"asked": 2, "answered": 1, "mean": 4.0})

    await until(counted, "the figures have it")


async def asks(serving: Serving) -> bool:
    """Whether a caller hears the question, and may answer."""
    client = await serving.pbx.ami()
    there = [(one["Context"], one["Application"]) for one in await client.list("Status")]
    await client.close()
    return ("acd-survey", "Read") in there


async def test_a_service_that_dies_in_the_question_asks_once_and_hears_the_answer(serving: Serving) -> None:
    team = await Team.given(serving, "ann", survey={"offered": True}, announcements={"language": "fa"})
    await team.phone("ann", talk=1)
    await team.at_work()
    customer = await team.call()
    await until(lambda: asks(serving), "the question is put", within_s=15)
    serving.service.kill()
    serving.service.start()
    serving.service.wait_ready()
    await serving.until_call(customer, state="after")
    assert await asks(serving)
    await serving.bank.send_digits(customer.customer, "5")
    call = await serving.until_call(customer, state="ended", within_s=15)
    assert (call["survey"], call["outcome"]) == (5, "answered")
