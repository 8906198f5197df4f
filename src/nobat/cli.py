"""The ``nobat`` command: serve, migrate, backup, restore, apply, fallback, status, erase, token, audit, callers, prompts, config.

Each command imports what it needs when it runs, so that ``nobat serve`` starts quickly and ``--help`` is instant. A mistake of
the operator's ends in one readable message on standard error and an exit code: 2 for wrong settings or usage, 1 for anything
that could not be done.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from nobat import interpreter
from nobat.audit_cli import audit_app
from nobat.prompts_cli import prompts_app
from nobat.token_cli import token_app

if TYPE_CHECKING:
    from nobat.apply import Target
    from nobat.settings import Settings
    from nobat.storage.database import Database

T = TypeVar("T")

app = typer.Typer(
    name="nobat",
    help="Contact-centre control for Asterisk: queues, agents, service level.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
callers_app = typer.Typer(help="The directory of known callers.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(callers_app, name="callers")
app.add_typer(token_app, name="token")
app.add_typer(audit_app, name="audit")
app.add_typer(prompts_app, name="prompts")

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (TOML).", envvar="NOBAT_CONFIG", show_default="none"),
]
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Address of a service's REST interface.", envvar="NOBAT_URL", show_default="none"),
]
TokenOption = Annotated[
    str | None, typer.Option("--token", help="Token for --url.", envvar="NOBAT_TOKEN", show_default="none")
]
TokenFileOption = Annotated[
    Path | None, typer.Option("--token-file", help="File whose first line is the token.", show_default="none")
]


@app.command()
def serve(config: ConfigOption = None) -> None:
    """Run the service until SIGTERM or Ctrl-C. Calls outlive it."""
    interpreter.begin()
    settings = _settings(config)
    from nobat import logs
    from nobat.app import CannotStart
    from nobat.app import serve as run
    from nobat.storage.errors import WrongDatabase

    logs.configure(settings.log.level, settings.log.format)
    try:
        asyncio.run(run(settings))
    except (CannotStart, WrongDatabase) as error:
        fail(str(error))


@app.command()
def migrate(
    config: ConfigOption = None,
    ahead: Annotated[
        bool, typer.Option("--ahead", help="Only what takes long, while the service of the older program goes on.")
    ] = False,
) -> None:
    """Bring the database up to date. `serve` does it by itself at its start."""
    settings = _settings(config)
    from nobat.storage import migrate as migration

    if ahead:
        done = _with_database(settings, lambda database: migration.ahead(database, print), as_it_is=True)
        print("done; now start the new service" if done else "there is nothing to do ahead")
        return
    changed = _with_database(settings, migration.migrate, as_it_is=True)
    print("the database is up to date" if not changed else f"the database is at schema {migration.HEAD} now")


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where the backup is put, as one file.")],
    config: ConfigOption = None,
    keep: Annotated[
        int | None, typer.Option(min=1, help="Remove all but so many of the newest.", show_default="all stay")
    ] = None,
) -> None:
    """Write a backup of the database into FOLDER while calls go on. Recordings and their key are not in it."""
    settings = _settings(config)
    from nobat.api.times import moment
    from nobat.clock import Clock
    from nobat.storage import backup as backups

    made = _tried(backups.make_backup(settings.database.url, folder, moment(Clock().now()), keep))
    print(f"{made.file}  {made.size / 1e6:.1f} MB, schema {made.version}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="What `nobat backup` has written.")],
    config: ConfigOption = None,
    replace: Annotated[bool, typer.Option("--replace", help="Also if the database has something in it.")] = False,
) -> None:
    """Make the database what it was when FILE was written. No service may be running on it."""
    settings = _settings(config)
    from nobat.storage import backup as backups

    version = _tried(backups.restore(settings.database.url, file, replace=replace))
    print(f"restored from {file} (schema {version})")


@app.command()
def apply(  # noqa: PLR0913, PLR0917 - one parameter for each option
    file: Annotated[Path, typer.Argument(help="YAML or TOML with queues and agents; - is standard input.")],
    config: ConfigOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    prune: Annotated[bool, typer.Option("--prune", help="Also remove what is not in the file.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Make queues and agents what FILE says; prints the difference first.

    Writes to the database of the settings, or with --url to a running service.
    """
    from nobat.apply import ApplyError
    from nobat.declaration import DeclarationError, read_declaration
    from nobat.rest_client import RestError
    from nobat.storage.errors import StorageUnavailable, WrongDatabase

    try:
        wanted = read_declaration(file)
        target = _target(config, url, _token(token, token_file))
        plan = target.plan(wanted, prune=prune)
        if plan.empty:
            print("nothing to change")
            return
        print("\n".join(plan.lines()))
        if dry_run:
            return
        _agree(plan.removes, yes)
        target.carry_out(plan)
    except (DeclarationError, ApplyError, RestError, WrongDatabase) as error:
        fail(str(error))
    except StorageUnavailable as error:
        fail(f"the database is away: {error}")
    print("done")


def _target(config: Path | None, url: str | None, token: str | None) -> "Target":
    from acd.ids import PbxId
    from nobat.apply import DatabaseTarget, RestTarget
    from nobat.rest_client import RestClient

    if url is not None:
        return RestTarget(RestClient(url, token))
    settings = _settings(config)
    return DatabaseTarget(settings.database.url, PbxId(settings.pbx[0].name if settings.pbx else "pbx1"))


def _agree(removes: bool, yes: bool) -> None:
    """Ask a person; refuse to remove anything for a program that did not say --yes."""
    if yes:
        return
    if sys.stdin.isatty():
        if not typer.confirm("do it?"):
            fail("nothing was changed")
    elif removes:
        fail("this removes something: say --yes")


@app.command()
def fallback(
    config: ConfigOption = None,
    pbx: Annotated[str | None, typer.Option(help="Which [[pbx]] of the settings.", show_default="the first")] = None,
) -> None:
    """Print the queues by which Asterisk serves callers while the service is gone: its file nobat-queues.conf."""
    settings = _settings(config)
    from acd.ids import PbxId
    from nobat.fallback import queues_conf
    from nobat.storage import catalogue

    known = [one.name for one in settings.pbx]
    name = pbx if pbx is not None else next(iter(known), "pbx1")
    if pbx is not None and pbx not in known:
        fail(f"the settings have no [[pbx]] named {pbx!r}", code=2)
    found = _with_database(settings, catalogue.load)
    print(queues_conf(found.queues.values(), found.agents.values(), PbxId(name)), end="")


@app.command()
def status(
    config: ConfigOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
) -> None:
    """Show queues, agents and PBXs of a running service."""
    from nobat.rest_client import RestClient, RestError
    from nobat.status import report

    try:
        print(report(RestClient(url if url is not None else _own_url(config), _token(token, token_file))))
    except RestError as error:
        hint = "; give a token with --token, --token-file or NOBAT_TOKEN" if error.status == 401 else ""
        fail(f"{error}{hint}")


@app.command()
def erase(
    number: Annotated[str, typer.Argument(help="The caller's number, in any writing.")],
    config: ConfigOption = None,
    url: UrlOption = None,
    token: TokenOption = None,
    token_file: TokenFileOption = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Take one caller out of everything that a running service keeps: docs/guides/history.md says what that is."""
    from nobat.rest_client import RestClient, RestError

    _agree(removes=True, yes=yes)
    client = RestClient(url if url is not None else _own_url(config), _token(token, token_file), timeout_s=120.0)
    try:
        found = client.ask("POST", "/v1/erasures", {"number": number})
    except RestError as error:
        fail(str(error))
    print("\n".join(f"{name.replace('_', ' '):<14}{value}" for name, value in found.items()))


@callers_app.command("import")
def callers_import(
    file: Annotated[Path, typer.Argument(help="CSV: number,name,segment,priority,skills,language,preferred_agent.")],
    config: ConfigOption = None,
) -> None:
    """Enter known callers, or change them. Nothing is imported if any line is wrong.

    A running service knows them within two seconds.
    """
    settings = _settings(config)
    from acd.directory import Numbering
    from nobat.caller_file import AT_ONCE, CallerFileError, read_callers, write_callers
    from nobat.storage import operators

    local = settings.numbering
    try:
        entries = read_callers(file, Numbering(local.country, local.trunk, local.international))
    except CallerFileError as error:
        fail(str(error))

    def progress(done: int) -> None:
        if len(entries) > AT_ONCE:
            print(f"{done} of {len(entries)}", file=sys.stderr)

    async def write(database: "Database") -> None:
        await operators.note(database, ("importCallers", f"{len(entries)} callers of {file.name}"))
        await write_callers(database, entries, progress)

    _with_database(settings, write)
    print(f"imported {len(entries)} callers")


@config_app.command("show")
def config_show(config: ConfigOption = None) -> None:
    """Print the settings in force, secrets hidden."""
    from nobat.settings_file import render

    print(render(_settings(config)))


def _settings(path: Path | None) -> "Settings":
    """The settings, or one message and exit code 2."""
    from nobat.settings_file import SettingsError, load_settings

    try:
        return load_settings(path)
    except SettingsError as error:
        fail(f"wrong settings\n{error}", code=2)


def _own_url(config: Path | None) -> str:
    """Where the service of these settings answers."""
    http = _settings(config).http
    return f"http://{http.host}:{http.port}"


def _token(token: str | None, file: Path | None) -> str | None:
    if file is None:
        return token
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{file}: {error}")


def _with_database(settings: "Settings", work: "Callable[[Database], Awaitable[T]]", *, as_it_is: bool = False) -> T:
    """Run ``work`` on the database, brought up to date unless it is wanted ``as_it_is``; one message if it is away or wrong."""
    from nobat.storage.database import Database
    from nobat.storage.errors import StorageUnavailable, WrongDatabase
    from nobat.storage.migrate import migrate as bring_up_to_date

    async def run() -> T:
        database = Database(settings.database.url)
        try:
            if not as_it_is:
                await bring_up_to_date(database)
            return await work(database)
        finally:
            await database.close()

    try:
        return asyncio.run(run())
    except WrongDatabase as error:
        fail(str(error))
    except StorageUnavailable as error:
        fail(f"the database is away: {error}")


def _tried(work: "Coroutine[None, None, T]") -> T:
    """What a backup or a restore comes to, or one message."""
    from nobat.storage.backup import BackupError
    from nobat.storage.errors import StorageUnavailable, WrongDatabase

    try:
        return asyncio.run(work)
    except (BackupError, WrongDatabase) as error:
        fail(str(error))
    except StorageUnavailable as error:
        fail(f"the database is away: {error}")


def fail(message: str, code: int = 1) -> NoReturn:
    """End the program with one message for the operator."""
    print(f"nobat: {message}", file=sys.stderr)
    raise typer.Exit(code)


def main() -> None:
    """Entry point of the ``nobat`` command."""
    app()


if __name__ == "__main__":
    main()
