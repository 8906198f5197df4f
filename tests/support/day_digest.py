"""A working day, and a digest of all that happened on it: the same for every form of the core. Run as a program, by tests.

With random strategies, skills that relax, priorities and phones that are not picked up, nearly all of the core has a part in it.
"""

from hashlib import sha256

import acd.floor
from acd.ids import QueueId
from acd.queues import QueueSpec
from acd.skills import RelaxStep
from acd.strategies import STRATEGIES
from tests.support.day import Day, Plan

QUEUES = tuple(
    QueueSpec(QueueId(name), str(8000 + number), strategy=name, wrap_up_s=10.0, rest_s=5.0, priority_s=30.0,
              relax=(RelaxStep(60.0, ()),) if number % 2 else ())
    for number, name in enumerate(STRATEGIES)
)  # fmt: skip


def main() -> None:
    """Print where the core comes from, and the digest."""
    seen, days = sha256(), [Day(Plan(calls=1_500, hours=2.0, agents=40, queues=QUEUES), seed).run() for seed in (1, 2)]
    for day in days:
        for event in day.events:
            seen.update(repr(event).encode())
    print(acd.floor.__file__)
    print(seen.hexdigest())


if __name__ == "__main__":
    main()
