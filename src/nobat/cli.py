"""The ``nobat`` command: serve, migrate, apply, status, token, config.

Each command imports what it needs when it runs, so that ``nobat serve`` starts quickly and ``--help`` is instant. A
mistake of the operator's ends in one readable message on standard error and an exit code: 2 for wrong settings or usage,
1 for anything that could not be done.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from nobat.settings import Settings

app = typer.Typer(
    name="nobat",
    help="Contact-centre control for Asterisk: queues, agents, service level.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
config_app = typer.Typer(help="Look at the settings.", no_args_is_help=True)
app.add_typer(config_app, name="config")

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", "-c", help="Settings file (TOML).", envvar="NOBAT_CONFIG", show_default="environment only"
    ),
]


def _settings(path: Path | None) -> "Settings":
    """The settings, or one message and exit code 2."""
    from nobat.settings_file import SettingsError, load_settings

    try:
        return load_settings(path)
    except SettingsError as error:
        fail(f"wrong settings\n{error}", code=2)


def fail(message: str, code: int = 1) -> NoReturn:
    """End the program with one message for the operator."""
    print(f"nobat: {message}", file=sys.stderr)
    raise typer.Exit(code)


@config_app.command("show")
def config_show(config: ConfigOption = None) -> None:
    """Print the settings in force, secrets hidden."""
    from nobat.settings_file import render

    print(render(_settings(config)))


def main() -> None:
    """Entry point of the ``nobat`` command."""
    app()


if __name__ == "__main__":
    main()
