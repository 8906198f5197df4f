"""What may go wrong in a run, by name: the wire's manners, and what befalls service, link, Asterisk and database now and then."""

from dataclasses import dataclass, field

from tests.simulator.people import Temper
from tests.simulator.wire import Faults

DAILY = Temper()


@dataclass(frozen=True)
class Scenario:
    """``befalls`` are names of what happens every ``every_s`` seconds or so. ``exact``: nothing may be missed or put right."""

    faults: Faults = field(default_factory=Faults)
    befalls: tuple[str, ...] = ()
    every_s: float = 6.0
    exact: bool = False
    patience_s: float = 10.0
    temper: Temper = DAILY
    lasts_s: float = 30.0


RACES = Temper(
    answers=0.62, refuses=0.2, silent=0.17, at_the_end=0.4, caller_leaves=0.5, together=0.8, talk_s=0.3, patience_s=15.0, gap_s=0.35
)  # fmt: skip

SCENARIOS: dict[str, Scenario] = {
    "races": Scenario(exact=True, patience_s=3.0),
    "crowd": Scenario(exact=True, patience_s=3.0, temper=RACES, lasts_s=20.0),
    "reordered": Scenario(Faults(held_back=0.3), exact=True, patience_s=3.0),
    "doubled": Scenario(Faults(doubled=0.3), exact=True, patience_s=3.0),
    "slow": Scenario(Faults(latency_s=0.15), exact=True, patience_s=4.0),
    "lost": Scenario(Faults(lost=0.01), patience_s=10.0, lasts_s=60.0),
    "very lost": Scenario(Faults(lost=0.1), patience_s=20.0),
    "mute": Scenario(Faults(mute=0.02), patience_s=15.0),
    "cuts": Scenario(befalls=("cut", "cut", "hole", "refused")),
    "kills": Scenario(befalls=("kill", "kill", "failpoint", "failpoint", "long kill")),
    "stops": Scenario(befalls=("stop", "kill")),
    "asterisk": Scenario(befalls=("crash", "crash", "kill and crash"), every_s=9.0),
    "database": Scenario(befalls=("database", "slow database", "kill", "failpoint")),
    "everything": Scenario(
        Faults(held_back=0.1, doubled=0.05),
        befalls=(
            "cut",
            "hole",
            "kill",
            "failpoint",
            "failpoint",
            "database",
            "slow database",
            "long hole",
            "crash",
            "stop",
        ),
        every_s=4.0,
        patience_s=12.0,
    ),
}


def quiet(faults: Faults) -> None:
    """From now on the wire does nothing but carry."""
    for name, value in vars(Faults()).items():
        setattr(faults, name, value)
