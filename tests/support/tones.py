"""Who heard whom: each leg plays a tone of its own, and one Goertzel filter a tone measures it in a recording.

Pure arithmetic on 16-bit mono WAV files; nothing here knows Asterisk.
"""

import math
import wave
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path


def samples_of(path: Path) -> tuple[int, Sequence[int]]:
    """Rate and samples of a recording."""
    with wave.open(str(path), "rb") as file:
        samples = array("h")
        samples.frombytes(file.readframes(file.getnframes()))
        return file.getframerate(), samples


def goertzel(samples: Sequence[int], rate: int, frequency: int) -> float:
    """Amplitude of ``frequency`` in ``samples``: a sine of amplitude A alone gives A."""
    if not samples:
        return 0.0
    turn = 2 * math.cos(2 * math.pi * frequency / rate)
    before = last = 0.0
    for sample in samples:
        before, last = last, sample + turn * last - before
    power = before * before + last * last - turn * before * last
    return 2 * math.sqrt(max(power, 0.0)) / len(samples)


def heard_tones(path: Path, tones: Iterable[int], *, window_s: float = 0.25) -> dict[int, float]:
    """The strongest that each tone was in any window of the recording.

    Windows, because a talk is only a part of what a leg heard: hold music and silence come before it.
    """
    rate, samples = samples_of(path)
    size = round(rate * window_s)
    windows = [samples[start : start + size] for start in range(0, max(len(samples) - size, 0) + 1, size)]
    return {tone: max((goertzel(window, rate, tone) for window in windows), default=0.0) for tone in tones}


def mean_amplitude(path: Path) -> float:
    """How loud a recording is, whatever it holds."""
    _, samples = samples_of(path)
    return sum(map(abs, samples)) / max(len(samples), 1)
