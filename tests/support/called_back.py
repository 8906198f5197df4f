"""Customers who are called back on a real PBX: promised over REST, dialled at the phone bank, heard by their tones.

Used by the tests of ``tests/asterisk`` about callbacks.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.phonebank import Customer, PhoneMoment
from tests.support.serving import Json, Serving
from tests.support.team import AGENT_TONES, LOUD, SILENT, Team, subscriber
from tests.support.tones import heard_tones
from tests.support.until import until

HOME_TONE, NEXT_DOOR_TONE = 3360, 3520
"""What a customer's own phone plays when he is called back."""

CAUSES = ("busy", "no_answer", "unreachable", "rejected", "voicemail", "hung_up", "failed", "unknown")


def calls_back(**policy: object) -> Json:
    """A queue's ``callbacks``: retries after a second, so many of each."""
    retries = {cause: {"most": 20, "gap_s": 1.0} for cause in CAUSES}
    return {
        "enabled": True,
        "most_attempts": 40,
        "ring_s": 3,
        "confirm_s": 2,
        "confirm_times": 5,
        "retries": retries,
        **policy,
    }


@dataclass(slots=True)
class AtHome:
    """A customer who has hung up and waits by his phone."""

    team: Team
    number: str
    callback: str
    first: Customer
    tone: int | str = HOME_TONE
    code: str = ""

    @property
    def serving(self) -> Serving:
        return self.team.serving

    @classmethod
    async def promised(
        cls, team: Team, number: str | None = None, calls: str | None = None, tone: int | str = HOME_TONE, **phone: Any
    ) -> "AtHome":
        """He calls (the team's number, if ``calls`` is none), waits, is promised a callback, hears so and is let go."""
        serving = team.serving
        own = number if number is not None else subscriber()[0]
        await serving.bank.given_phone(own, **{"tone": tone, "record": True, **phone})
        customer = await team.call(own, calls)
        call = await serving.until_call(customer, state="waiting")
        reply = await serving.api.post("/v1/callbacks", json={"call": call["id"], "number": own})
        assert reply.status_code == 201, reply.text
        await serving.bank.until(lambda: customer.is_over, f"{own} is let go", 15)
        return cls(team, own, reply.json()["id"], customer, tone, reply.json()["code"])

    async def now(self) -> Json:
        """The callback, as the API shows it."""
        return await self.serving.get(f"/v1/callbacks/{self.callback}")

    async def until_is(self, within_s: float = 15, **wanted: object) -> Json:
        seen: Json = {}

        async def is_so() -> bool:
            seen.update(await self.now())
            return all(seen[name] == value for name, value in wanted.items())

        shown = ("state", "ended", "attempts", "position")
        what = f"callback of {self.number}: {wanted}"
        await until(is_so, what, within_s=within_s, seen=lambda: {name: seen.get(name) for name in shown})
        return seen

    def rung(self, kind: str = "PhoneInvite") -> list[PhoneMoment]:
        """Each time that his phone rang, or was picked up."""
        seen = self.serving.bank.moments[self.team.since :]
        return [one for one in seen if one.kind == kind and one.phone == self.number]

    async def until_rung(self, times: int = 1, within_s: float = 20) -> None:
        await self.serving.bank.until(lambda: len(self.rung()) >= times, f"{self.number} rings", within_s)

    async def until_picked_up(self, times: int = 1, within_s: float = 20) -> None:
        picked_up = f"{self.number} is picked up"
        await self.serving.bank.until(lambda: len(self.rung("PhoneAnswer")) >= times, picked_up, within_s)

    async def presses_one(self) -> str:
        """As often as it takes; the call in which he is on."""
        await self.until_picked_up()
        found: list[str] = []

        async def on() -> bool:
            await self.serving.bank.send_digits(self.serving.bank.leg_of(self.number), "1")
            now = await self.now()
            found[:] = [now["reached_in"]] if now["reached_in"] is not None else []
            return bool(found)

        await until(on, f"{self.number} is on", within_s=15)
        return found[0]

    async def reached(self, within_s: float = 30) -> None:
        """Press 1 until an agent is on, whoever it is, and hang up."""

        now: Json = {}

        async def talks() -> bool:
            now.update(await self.now())
            if now["ended"] is None and self.rung("PhoneAnswer"):
                await self.serving.bank.send_digits(self.serving.bank.leg_of(self.number), "1")
            return bool(now["ended"] == "reached")

        await until(talks, f"{self.number} is reached", within_s=within_s, seen=lambda: [now, self.rung()])
        await self.hangs_up()

    async def hangs_up(self) -> None:
        await self.serving.bank.hang_up(self.serving.bank.leg_of(self.number))

    async def talks_with(self, agent: str) -> None:
        """Press 1, talk for a while, and hang up; each has heard the other."""
        call = await self.presses_one()

        async def has_talked() -> bool:
            now = await self.serving.get(f"/v1/calls/{call}")
            return now["agent"] == agent and float(now["talk_s"] or 0.0) >= 0.6

        await until(has_talked, f"{self.number} talks with {agent}", within_s=15)
        await self.hangs_up()
        await self.until_is(ended="reached")
        await self.heard_each_other(agent)

    async def recording(self) -> Path:
        """What his phone heard, the last time that it was picked up."""
        return await self.serving.bank.recording(f"{self.number}-{self.rung('PhoneAnswer')[-1].caller}")

    async def heard_each_other(self, agent: str) -> None:
        bank = self.serving.bank
        homes = (HOME_TONE, NEXT_DOOR_TONE)
        at_agent = await bank.heard(f"{self.team.device(agent)}-{self.number}", (*homes, *AGENT_TONES))
        at_home = heard_tones(await self.recording(), (*homes, *AGENT_TONES))
        assert at_agent[int(self.tone)] > LOUD, at_agent
        assert max(at_agent[one] for one in homes if one != self.tone) < SILENT, at_agent
        assert at_home.pop(self.team.tone(agent)) > LOUD, at_home
        assert max(at_home.values()) < SILENT, at_home


async def busy_agent(team: Team, agent: str) -> Customer:
    """The agent talks to somebody, and is busy until that one leaves."""
    await team.phone(agent, talk=0)
    await team.serving.given_available(agent)
    customer = await team.call()
    await team.serving.until_call(customer, state="talking", agent=agent)
    return customer


def results(callback: Json) -> list[str | None]:
    """What became of its attempts, in order."""
    return [one["result"] for one in callback["attempts"]]
