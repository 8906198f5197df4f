"""``python -m tests.fuzz --each 200 --seed 7``: as many requests as one likes, on an empty SQLite database of its own."""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from nobat import logs
from tests.fuzz.run import Report, everybody_and_everything, run
from tests.support.office import Office, agent, queue


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--each", type=int, default=200, help="requests to each operation (200)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same requests (1)")
    parser.add_argument("--only", action="append", default=[], metavar="OPERATION", help="nothing but this one")
    asked = parser.parse_args()
    logs.configure("error", "console")
    with tempfile.TemporaryDirectory(prefix="nobat-fuzz-") as folder:
        report = asyncio.run(_run(Path(folder), asked))
    print("\n".join([*report.lines(), *report.wrong]))
    return 1 if report.wrong else 0


async def _run(folder: Path, asked: argparse.Namespace) -> Report:
    office = Office(f"sqlite:///{folder / 'nobat.db'}")
    await office.prepare(
        [queue("sales", "8000"), queue("support", "8001")],
        [agent("101", "sales"), agent("102", "sales", "support"), agent("103", "support")],
        {"101": "4711"},
    )
    for name in ("101", "102", "103"):
        office.pbx.phone(f"PJSIP/agent-{name}")
    async with office.open():
        known = await everybody_and_everything(office)
        return await run(office, known, asked.each, asked.seed, frozenset(asked.only))


if __name__ == "__main__":
    sys.exit(main())
