"""A whole run: an office with something of everything in it, and everybody who asks it for everything.

Called by ``tests/service/test_every_request.py`` in small and by ``python -m tests.fuzz`` as long as one likes.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from nobat.auth import Role
from tests.fuzz.requests import cases, mistakes, operations, send
from tests.service.test_rights import furnished
from tests.support.office import Office, Person


@dataclass
class Report:
    """What a run has seen."""

    seed: int
    requests: int = 0
    statuses: dict[int, int] = field(default_factory=dict)
    operations: dict[str, set[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    took_s: float = 0.0

    def lines(self) -> list[str]:
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        return [
            f"{self.requests} requests to {len(self.operations)} operations in {self.took_s:.1f} s (seed {self.seed})",
            statuses,
            f"{len(self.wrong)} answers that the document does not allow",
        ]


async def run(
    office: Office, known: dict[str, str], count: int, start: int, only: frozenset[str] = frozenset()
) -> Report:
    """``count`` requests to each operation, in turn by an administrator, a supervisor, an agent and nobody."""
    report, began = Report(start), time.monotonic()
    people = await everybody(office)
    for name, operation in operations(document(office)).items():
        if only and name not in only:
            continue
        if name == "streamEvents":
            office.app.feed.close()
        seen = report.operations.setdefault(name, set())
        for number, case in enumerate(cases(operation, count, start)):
            person = people[WHO[number % len(WHO)]]
            response = await send(office.client, case, person.token, known if number // len(WHO) % 2 == 0 else {})
            report.requests += 1
            seen.add(response.status_code)
            report.statuses[response.status_code] = report.statuses.get(response.status_code, 0) + 1
            report.wrong += [f"as {WHO[number % len(WHO)]}: {one}" for one in mistakes(case, response)]
    report.took_s = time.monotonic() - began
    return report


WHO = ("admin", "admin", "supervisor", "agent", "nobody")


async def everybody(office: Office) -> dict[str, Person]:
    """One of each role, and one without a token."""
    return {
        "admin": await office.person(Role.ADMIN),
        "supervisor": await office.person(Role.SUPERVISOR, queues=("sales",)),
        "agent": await office.person(Role.AGENT, agent="101"),
        "nobody": Person(office.client, None),
    }


def document(office: Office) -> dict[str, Any]:
    """The document that this very service serves."""
    api: Any = office.interface
    while not hasattr(api, "openapi"):
        api = api._app
    return dict(api.openapi())


async def everybody_and_everything(office: Office) -> dict[str, str]:
    """Things to ask for, by the names of the parameters of paths."""
    people = {
        Role.AGENT: await office.person(Role.AGENT, agent="101"),
        Role.SUPERVISOR: await office.person(Role.SUPERVISOR, queues=("sales",)),
        Role.ADMIN: await office.admin(),
    }
    made = await furnished(office, people)
    return {
        "queue": "sales",
        "agent": "101",
        "call": made["own"],
        "number": "09123456789",
        "voicemail": made["said"],
        "recording": made["kept"],
        "supervision": made["session"],
        "callback": made["back"],
        "report": "daily",
    }
