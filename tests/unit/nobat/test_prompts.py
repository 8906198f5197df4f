"""The prompts: the same in both languages, audible, and a recording of the site is never touched.

The sounds are measured by numpy, not by what made them.
"""

import os
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from acd.speech.prompts import every_prompt
from lab.prompts import ready_prompts
from nobat.cli import app
from nobat.prompts.build import build
from nobat.prompts.synthesis import PromptError, synthesise
from nobat.prompts.texts import LANGUAGES, texts
from nobat.prompts.wav_file import recipe_of

NAMES = sorted(every_prompt())
PAUSE = "pause"
QUIET = 10 ** (-50 / 20)


# ---------------------------------------------------------------- texts


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_has_a_text_and_every_text_is_a_prompt(language: str) -> None:
    assert set(texts(language)) == set(NAMES)


def test_a_prompt_is_in_the_same_section_in_both_languages() -> None:
    sections = [{name: text.section for name, text in texts(language).items()} for language in LANGUAGES]
    assert sections[0] == sections[1]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_is_in_the_letters_of_its_language(language: str) -> None:
    for text in texts(language).values():
        letters = [letter for letter in text.written if letter.isalpha()]
        assert letters, text.name
        assert all(("\u0600" <= letter <= "\u06ff") == (language == "fa") for letter in letters), text.written


def test_people_read_persian_without_the_vowels_that_the_synthesiser_needs() -> None:
    text = texts("fa")["wait-is"]
    assert (text.written, text.spoken) == ("زمان انتظار شما", "زمانِ انتظارِ شما")
    assert texts("fa")["all-busy"].written.endswith("لطفاً منتظر بمانید.")
    assert (texts("fa")["and"].written, texts("fa")["and"].spoken) == ("و", "[[o]]")


# ---------------------------------------------------------------- sounds


def heard(path: Path) -> tuple[int, "np.ndarray[tuple[int], np.dtype[np.float64]]"]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.getframerate(), np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def decibels(power: float) -> float:
    return float(10 * np.log10(power))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_prompt_is_audible(language: str) -> None:
    for name in NAMES:
        rate, samples = heard(ready_prompts() / language / "nobat" / f"{name}.wav")
        if name == PAUSE:
            assert (len(samples) / rate, abs(samples).max()) == (0.3, 0)
            continue
        assert rate == 8000
        assert 0.2 < len(samples) / rate < 12, name
        peak = abs(samples).max()
        assert decibels(peak**2) <= -2.9, f"{name} could be clipped"
        slices = samples[: len(samples) // 160 * 160].reshape(-1, 160)
        powers = (slices**2).mean(axis=1)
        level = decibels(powers[powers > powers.max() / 1000].mean())
        assert -24 < level < -21, f"{name} is as loud as {level:.1f} dB"
        loud = np.flatnonzero(abs(samples) > QUIET)
        assert loud[0] / rate < 0.1, f"{name} begins with silence"
        assert (len(samples) - loud[-1]) / rate < 0.15, f"{name} ends with silence"


def test_a_prompt_for_wideband_phones_has_what_telephones_cut_off() -> None:
    sound = synthesise(texts("en")["thank-you-for-waiting"], "en", 16000)
    spectrum = abs(np.fft.rfft(np.array(sound.samples)))
    above = spectrum[len(spectrum) * 5 // 8 :]
    assert sound.rate == 16000
    assert decibels((above**2).sum() / (spectrum**2).sum()) > -40


# ---------------------------------------------------------------- building


@pytest.fixture
def sounds(tmp_path: Path) -> Path:
    """A site's folder of sounds with our prompts in it."""
    return shutil.copytree(ready_prompts(), tmp_path / "sounds")


def test_building_again_changes_nothing(sounds: Path) -> None:
    report = build(sounds)
    assert (report.made, report.site, report.removed) == ([], [], [])
    assert len(report.current) == len(NAMES) * len(LANGUAGES)


def test_what_is_lost_is_made_again_the_same(sounds: Path) -> None:
    lost = sounds / "fa/nobat/num-9.wav"
    before = lost.read_bytes()
    lost.unlink()
    assert build(sounds).made == ["fa/nobat/num-9.wav"]
    assert lost.read_bytes() == before


def test_a_recording_of_the_site_stays(sounds: Path) -> None:
    recorded = sounds / "fa/nobat/goodbye.wav"
    shutil.copy(sounds / "en/nobat/pause.wav", recorded)
    with wave.open(str(recorded), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(b"\1\0" * 8000)
    ours = recorded.read_bytes()
    report = build(sounds)
    assert (report.made, report.site) == ([], ["fa/nobat/goodbye.wav"])
    assert recorded.read_bytes() == ours


def test_one_of_ours_that_the_site_has_changed_is_the_sites(sounds: Path) -> None:
    changed = sounds / "en/nobat/goodbye.wav"
    content = bytearray(changed.read_bytes())
    content[-2000] ^= 0x10
    changed.write_bytes(content)
    assert recipe_of(changed) is None
    assert build(sounds).site == ["en/nobat/goodbye.wav"]
    assert changed.read_bytes() == bytes(content)


def test_a_recording_in_another_format_takes_ours_away(sounds: Path) -> None:
    """Beside each other Asterisk would choose by the caller's codec: sometimes one voice, sometimes the other."""
    (sounds / "fa/nobat/goodbye.alaw").write_bytes(b"\xd5" * 8000)
    report = build(sounds)
    assert (report.site, report.removed) == (["fa/nobat/goodbye.alaw"], ["fa/nobat/goodbye.wav"])
    assert not (sounds / "fa/nobat/goodbye.wav").exists()


def test_a_prompt_that_is_no_more_is_removed_and_one_with_another_text_made_anew(sounds: Path) -> None:
    folder = sounds / "en/nobat"
    (folder / "num-3.wav").rename(folder / "left-over.wav")
    shutil.copy(folder / "num-4.wav", folder / "num-3.wav")  # as if three had been spoken otherwise before
    report = build(sounds, ["en"])
    assert (report.made, report.removed, report.site) == (["en/nobat/num-3.wav"], ["en/nobat/left-over.wav"], [])


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PromptError, match="apt-get install espeak-ng sox"):
        build(tmp_path / "sounds")


# ---------------------------------------------------------------- the command


def test_the_command_lists_the_texts() -> None:
    shown = CliRunner().invoke(app, ["prompts", "list", "--language", "fa"])
    assert "fa/goodbye\tاز تماس شما سپاسگزاریم. خدانگهدار." in shown.output.splitlines()
    assert len(shown.output.splitlines()) == len(NAMES)


def test_the_command_says_what_it_did(sounds: Path) -> None:
    (sounds / "fa/nobat/goodbye.gsm").write_bytes(b"\xd0" * 33)
    done = CliRunner().invoke(app, ["prompts", "build", "--to", str(sounds), "-l", "fa"])
    assert done.output == f"the site's own: fa/nobat/goodbye.gsm\nmade 0, kept {len(NAMES) - 1}, removed 1 of ours\n"


@pytest.mark.parametrize("command", [["list"], ["build", "--to", os.devnull]])
def test_an_unknown_language_is_refused(command: list[str]) -> None:
    done = CliRunner().invoke(app, ["prompts", *command, "--language", "xx"])
    assert done.exit_code != 0
    assert "xx" in done.output


def test_the_command_measures_every_prompt(sounds: Path) -> None:
    done = CliRunner().invoke(app, ["prompts", "check", str(sounds)])
    assert done.exit_code == 0, done.output
    assert all(f"{language}: {len(texts(language))} prompts" in done.output for language in LANGUAGES)
    assert done.output.count(" 0 wrong") == len(LANGUAGES)


def test_the_command_tells_what_is_missing_silent_or_clips(sounds: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copied"
    shutil.copytree(sounds, folder)
    (folder / "fa/nobat/goodbye.wav").unlink()
    for name, sample in (("closed", 0), ("holiday", 32767)):
        with wave.open(str(folder / f"en/nobat/{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes(sample.to_bytes(2, "little", signed=True) * 8000)
    done = CliRunner().invoke(app, ["prompts", "check", str(folder)])
    assert done.exit_code == 1
    wrong = {line.split("\t")[0]: line for line in done.output.splitlines() if "\t" in line}
    assert wrong.keys() == {"fa/goodbye", "en/closed", "en/holiday"}
    assert "missing" in wrong["fa/goodbye"]
    assert "quiet" in wrong["en/closed"]
    assert "clips" in wrong["en/holiday"]
