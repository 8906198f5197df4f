"""``nobat prompts``: what callers and agents hear, listed, made and measured. Hooked into ``nobat.cli``."""

import math
from pathlib import Path
from typing import Annotated

import typer

prompts_app = typer.Typer(help="What callers and agents hear.", no_args_is_help=True)

LanguageOption = Annotated[
    list[str] | None, typer.Option("--language", "-l", help="en or fa; more than once for both.", show_default="all")
]


@prompts_app.command("list")
def prompts_list(language: LanguageOption = None) -> None:
    """Show each prompt's name and what it says."""
    from nobat import cli
    from nobat.prompts.texts import LANGUAGES, texts

    for one in language or LANGUAGES:
        if one not in LANGUAGES:
            cli.fail(f"there are no texts in {one!r}, only in {', '.join(LANGUAGES)}", code=2)
        for text in texts(one).values():
            print(f"{one}/{text.name}\t{text.written}")


@prompts_app.command("check")
def prompts_check(
    folder: Annotated[Path, typer.Argument(help="Asterisk's folder of sounds, such as /usr/share/asterisk/sounds.")],
    language: LanguageOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show each prompt, not only what is wrong.")] = False,
) -> None:
    """Measure every prompt: is it there, how long, how loud, does it clip. Ends with 1 if anything is wrong."""
    from nobat import cli
    from nobat.prompts.measure import measure
    from nobat.prompts.texts import LANGUAGES

    wrong = 0
    for one in language or tuple(LANGUAGES):
        if one not in LANGUAGES:
            cli.fail(f"there are no texts in {one!r}, only in {', '.join(LANGUAGES)}", code=2)
        found = list(measure(folder, (one,)))
        for prompt in found:
            if prompt.wrong or (verbose and prompt.seconds is not None):
                shown = (
                    f"{prompt.seconds:.2f} s, {prompt.level_db:.1f} dB, peak {prompt.peak_db:.1f} dB"
                    if prompt.seconds
                    else ""
                )
                print(f"{one}/{prompt.name}\t{shown}\t{prompt.wrong}".rstrip())
        heard = [prompt for prompt in found if prompt.level_db is not None and prompt.level_db > -math.inf]
        print(
            f"{one}: {len(found)} prompts, {len(heard)} measured, {sum(p.seconds or 0 for p in heard):.0f} s; "
            + (
                f"level {min(p.level_db or 0 for p in heard):.1f} to {max(p.level_db or -99 for p in heard):.1f} dB, "
                f"highest peak {max(p.peak_db or -99 for p in heard):.1f} dB; "
                if heard
                else ""
            )
            + f"{sum(bool(p.wrong) for p in found)} wrong"
        )
        wrong += sum(bool(prompt.wrong) for prompt in found)
    if wrong:
        raise typer.Exit(1)


@prompts_app.command("build")
def prompts_build(
    to: Annotated[Path, typer.Option("--to", help="Asterisk's folder of sounds, such as /usr/share/asterisk/sounds.")],
    language: LanguageOption = None,
    wideband: Annotated[bool, typer.Option("--wideband", help="Make each at 16 kHz too.")] = False,
) -> None:
    """Make sound files of the prompts that have no recording. Recordings of the site's own are never touched."""
    from nobat import cli
    from nobat.prompts.build import build
    from nobat.prompts.synthesis import PromptError
    from nobat.prompts.texts import LANGUAGES

    try:
        report = build(to, language or LANGUAGES, wideband=wideband)
    except PromptError as error:
        cli.fail(str(error))
    for name in report.site:
        print(f"the site's own: {name}")
    print(f"made {len(report.made)}, kept {len(report.current)}, removed {len(report.removed)} of ours")
