"""``nobat token``: who may ask the REST interface. Hooked into ``nobat.cli``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nobat.storage.database import Database

token_app = typer.Typer(help="Make, list and revoke API tokens.", no_args_is_help=True)

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", "-c", help="Settings file (TOML).", envvar="NOBAT_CONFIG", show_default="none"),
]


@token_app.command("create")
def token_create(
    role: Annotated[str, typer.Option(help="agent, supervisor or admin.")],
    name: Annotated[str, typer.Option(help="Whose it is; shown in lists and in the audit.")],
    agent: Annotated[
        str | None, typer.Option(help="The agent that an agent's token acts for.", show_default="none")
    ] = None,
    queue: Annotated[
        list[str] | None, typer.Option(help="Bind a supervisor's token to queues.", show_default="all")
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(min=0.01, max=3_660, help="Valid for so many days.", show_default="until it is revoked"),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make a token and print it, and nothing else. It is shown this once."""
    from nobat import cli

    settings = cli._settings(config)
    from nobat.auth import Role, TokenProblem, new_token
    from nobat.clock import Clock
    from nobat.storage import catalogue, operators, tokens

    if role not in tuple(Role):
        cli.fail(f"there is no role {role!r}; roles are {', '.join(Role)}", code=2)
    try:
        token, kept = new_token(Role(role), name, Clock().now(), agent, tuple(queue or ()), days)
    except TokenProblem as error:
        cli.fail(str(error), code=2)

    async def add(database: "Database") -> None:
        known = await catalogue.load(database)
        missing = [f"agent {agent!r}"] if agent is not None and agent not in known.agents else []
        missing += [f"queue {one!r}" for one in kept.queues if one not in known.queues]
        if missing:
            print(f"nobat: note: there is no {', no '.join(missing)} yet", file=sys.stderr)
        await operators.note(database, ("createToken", f"{kept.id} {kept.role} {kept.name}"))
        await tokens.add(database, kept)

    cli._with_database(settings, add)
    print(token)


@token_app.command("list")
def token_list(config: ConfigOption = None) -> None:
    """Show all tokens without the tokens themselves."""
    from nobat import cli

    settings = cli._settings(config)
    from nobat.api.times import moment
    from nobat.clock import Clock
    from nobat.storage import tokens

    now = Clock().now()
    for one in cli._with_database(settings, tokens.everything):
        bound = f" agent {one.agent}" if one.agent else f" queues {', '.join(one.queues)}" if one.queues else ""
        over = "ended" if one.ends_at is not None and one.ends_at <= now else "ends"
        ends = f", {over} {moment(one.ends_at):%Y-%m-%d %H:%M}" if one.ends_at is not None else ""
        gone = f", revoked {moment(one.revoked_at):%Y-%m-%d %H:%M}" if one.revoked_at is not None else ""
        print(f"{one.id}  {one.role:<10}  {one.name}{bound}  made {moment(one.created_at):%Y-%m-%d %H:%M}{ends}{gone}")


@token_app.command("revoke")
def token_revoke(
    token_id: Annotated[str, typer.Argument(help="As `nobat token list` shows it.")], config: ConfigOption = None
) -> None:
    """End a token's life. A running service refuses it within two seconds."""
    from nobat import cli

    settings = cli._settings(config)
    from nobat.clock import Clock
    from nobat.storage import operators, tokens

    async def revoke(database: "Database") -> bool:
        await operators.note(database, ("revokeToken", token_id))
        return await tokens.revoke(database, token_id, Clock().now())

    if not cli._with_database(settings, revoke):
        cli.fail(f"there is no valid token {token_id!r}")
    print("revoked")
