"""``nobat audit``: whether the audit is as it was written, and what to keep of it. Hooked into ``nobat.cli``."""

import re
from pathlib import Path
from typing import Annotated

import typer

audit_app = typer.Typer(help="The audit: who asked for what.", no_args_is_help=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (TOML).", envvar="NOBAT_CONFIG", show_default="none"),
]
_LINK = re.compile(r"([0-9]{1,18}):([0-9a-f]{64})")


@audit_app.command("verify")
def verify(
    expect: Annotated[
        str | None,
        typer.Option(help="What `nobat audit head` printed earlier: NUMBER:HASH.", show_default="none"),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Walk the whole chain. Names each row that was changed, removed or inserted, and exits with 1 if there is any."""
    from nobat import cli
    from nobat.storage import audit

    found = _LINK.fullmatch(expect) if expect is not None else None
    if expect is not None and found is None:
        cli.fail("--expect is NUMBER:HASH, as `nobat audit head` prints it", code=2)
    noted = audit.Link(int(found[1]), found[2]) if found is not None else None
    verdict = cli._with_database(cli._settings(config), lambda database: audit.verify(database, noted))
    for one in verdict.wrong:
        print(one)
    if verdict.unnamed:
        print(f"… and {verdict.unnamed} more")
    if verdict.wrong:
        cli.fail(f"the audit is not as it was written: {len(verdict.wrong) + verdict.unnamed} places")
    since = f", the first {verdict.first.number} are forgotten" if verdict.first.number else ""
    print(f"{verdict.rows} rows as they were written{since}; the newest is {verdict.head}")


@audit_app.command("head")
def head(config: ConfigOption = None) -> None:
    """Print the newest row's place and hash. Kept on another machine, it proves that nobody wrote the whole chain anew."""
    from nobat import cli
    from nobat.storage import audit

    newest = cli._with_database(cli._settings(config), audit.head)
    if newest is None:
        cli.fail("the head of the chain is missing")
    print(newest)


@audit_app.command("trim")
def trim(
    keep_days: Annotated[int, typer.Option(min=1, max=36_500, help="Forget what is older than so many days.")],
    config: ConfigOption = None,
) -> None:
    """Forget the oldest rows; the others can be verified as before. That it was done becomes a row itself."""
    from nobat import cli
    from nobat.clock import Clock
    from nobat.storage import audit, operators

    now = Clock().now()
    entry = operators.entry("trimAudit", f"older than {keep_days} days")
    before = now - keep_days * 86_400
    count = cli._with_database(
        cli._settings(config), lambda database: audit.trim(database, before, entry, int(now * 1000))
    )
    print(f"forgot {count} rows")
