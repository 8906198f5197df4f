"""One prompt made by programs: espeak-ng speaks it, sox brings it to the telephone's rate and cuts the silence around it.

Used by ``nobat.prompts.build`` and by nobody else.
"""

import shutil
import subprocess

from nobat.prompts.sound import Sound, from_raw, silence
from nobat.prompts.texts import Text

PROGRAMS = ("espeak-ng", "sox")
WORDS_A_MINUTE = "160"  # a little slower than its usual 175: numbers are to be understood at once

# Cut what is below 0.2 % of full scale at both ends (espeak-ng is silent there), and leave a breath, so that words which follow
# each other do not run into one.
_CUT = ("silence", "1", "0.01", "0.2%", "reverse")
_SOX_EFFECTS = ("highpass", "120", *_CUT, *_CUT, "pad", "0.02", "0.05")

RECIPE = f"{WORDS_A_MINUTE} {' '.join(_SOX_EFFECTS)}"
"""Whatever changes the sounds is in here, so that a change makes them anew."""


class PromptError(Exception):
    """A prompt could not be made; the text is for the operator."""


def need_programs() -> None:
    """PromptError that says how to get what is missing."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        raise PromptError(f"{' and '.join(missing)} not found; on Debian: apt-get install {' '.join(missing)}")


def synthesise(text: Text, language: str, rate: int) -> Sound:
    """``text`` spoken, cut and at the common level."""
    if text.pause_s:
        return silence(text.pause_s, rate)
    spoken = _run(
        ["espeak-ng", "-v", language, "-s", WORDS_A_MINUTE, "--stdin", "--stdout"], text.spoken.encode(), text
    )
    shape = ["-t", "raw", "-e", "signed-integer", "-b", "16", "-L", "-c", "1"]
    # -D: no dither, so that the same text gives the same file.
    command = ["sox", "-D", "-t", "wav", "-", *shape, "-", "rate", "-v", str(rate), *_SOX_EFFECTS]
    sound = from_raw(_run(command, spoken, text), rate)
    if not sound.samples:
        raise PromptError(f"the prompt {text.name!r} came out silent")
    return sound.levelled()


def _run(command: list[str], data: bytes, text: Text) -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)  # noqa: S603 - our own words
    if done.returncode != 0:
        raise PromptError(f"{command[0]} failed at {text.name!r}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout
