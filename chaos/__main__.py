"""``make chaos``: random faults on real Asterisk, one every ten seconds; ``CHAOS_SECONDS`` (600) and ``CHAOS_SEED``."""

import argparse
import asyncio
import os
import random
import secrets
import sys

from chaos.run import EVERY_S, Plan, chaos
from lab.asterisk import LabError

DESCRIPTION = """\
Starts a PBX, a phone bank and the service, lets people call and agents work, and does something evil every ten seconds:
kills, stops or freezes the service, cuts, delays, doubles, drops or reorders what Asterisk says, locks the database, kills
Asterisk, lets phones die. A judge watches and says at the end what must not have been. Exit code 0: nothing; 1: something;
2: it could not run. The same seed draws the same people and the same faults at the same moments; what two machines do
between them differs by milliseconds, so a failure that is a race may take some runs to come again."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos", description=DESCRIPTION)
    environment = os.environ
    parser.add_argument(
        "--seconds", type=float, default=float(environment.get("CHAOS_SECONDS") or 600), help="default 600"
    )
    parser.add_argument(
        "--seed", default=environment.get("CHAOS_SEED") or secrets.token_hex(4), help="default: a new one"
    )
    parser.add_argument(
        "--rate", type=float, default=float(environment.get("CHAOS_RATE") or 3.0), help="callers a second"
    )
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql"), default=environment.get("CHAOS_DATABASE") or "sqlite"
    )
    parser.add_argument(
        "--only", default=environment.get("CHAOS_ONLY") or "", metavar="WORDS", help="faults whose name has these"
    )
    parser.add_argument(
        "--keep", default="", metavar="FOLDER", help="where log and database go when something was found"
    )
    asked = parser.parse_args()
    plan = Plan(asked.seed, asked.seconds, asked.rate, asked.database == "postgresql", asked.only, asked.keep)
    if plan.only and plan.seconds >= EVERY_S and not plan.faults():
        parser.error(f"no fault's name has any of {plan.only!r}")
    print(f"chaos: {plan.seconds:.0f} s, seed {plan.seed} (CHAOS_SEED={plan.seed} does the same again)", flush=True)
    random.seed(plan.seed)
    try:
        sound = asyncio.run(chaos(plan))
    except LabError as error:
        print(f"chaos: {error}", file=sys.stderr)
        return 2
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())
