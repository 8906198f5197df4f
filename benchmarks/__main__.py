"""``make bench``: all benchmarks in their quick form; ``BENCH="--full assign_latency"`` picks some, at full length."""

import argparse
import asyncio
import importlib
import os
import sys

from nobat import interpreter

NAMES = (
    "simulated_day",
    "sim_speed",
    "decisions",
    "burst",
    "memory",
    "journal",
    "audit",
    "history",
    "migration",
    "reports",
    "feed",
    "scrape",
    "meanwhile",
    "erlang",
    "ewt",
    "risk",
    "policy",
    "callback_place",
    "callback_crashes",
    "callback_order",
    "callback_kills",
    "fairness",
    "ami_drain",
    "events_per_call",
    "assign_latency",
    "assign_prompts",
    "cpu_share",
    "recording_cost",
    "supervision",
    "supervised_recording",
    "storm",
    "start",
    "recovery",
    "alone",
    "races",
    "outage",
    "overload",
    "leak",
)

ON_THE_CORE = {"simulated_day", "sim_speed", "decisions", "burst", "memory", "erlang", "policy", "fairness"}
"""Those that run on the compiled core where it was made and nothing else is asked for: the service itself runs without."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; none: all of them")
    parser.add_argument("--full", action="store_true", help="the length at which figures are published (some minutes)")
    parser.add_argument("--recorded", metavar="FILE", help="ewt: a service's SQLite database instead of simulated days")
    asked = parser.parse_args()
    strange = set(asked.names) - set(NAMES)
    if strange:
        parser.error(f"no benchmark is called {', '.join(sorted(strange))}")
    if asked.recorded is not None and asked.names != ["ewt"]:
        parser.error("--recorded goes with ewt alone")
    options = {"recorded": asked.recorded} if asked.recorded is not None else {}
    if asked.names and set(asked.names) <= ON_THE_CORE:
        os.environ.setdefault("NOBAT_CORE", "compiled")
    missed = []
    for name in asked.names or NAMES:
        print(f"\n-- {name} runs{' at full length' if asked.full else ''} …", flush=True)
        module = importlib.import_module(f"benchmarks.{name}")
        interpreter.calm()  # as the service has it
        if not asyncio.run(module.run(full=asked.full, **options)):
            missed.append(name)
    print(f"\n{'all goals reached' if not missed else 'goals missed: ' + ', '.join(missed)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
