"""Sound as samples: how loud it is, and setting it to one loudness. Pure arithmetic on 16-bit mono.

Level is that of the speech alone, as ITU-T P.56 means it: a word with a long pause in it is as loud as one without. Here it
is the mean power of those slices of 20 ms that are within 30 dB of the loudest.
"""

import math
import sys
from array import array
from dataclasses import dataclass

FULL = 32768.0
SLICE_S = 0.02
ACTIVE_WITHIN_DB = 30.0

LEVEL_DB = -22.0
"""Every prompt's speech level, in dB of full scale: a little louder than the -26 that telephone networks are planned for, and
low enough that few prompts have to stay below it for their peaks."""

PEAK_DB = -3.0
"""No sample is louder: nothing on the way to the phone can clip it."""


@dataclass(frozen=True, slots=True)
class Sound:
    rate: int
    samples: "array[int]"

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def peak_db(self) -> float:
        return _db(max(map(abs, self.samples), default=0) / FULL)

    def level_db(self) -> float:
        """The level of the speech; minus infinity for silence."""
        powers = self._powers()
        floor = max(powers, default=0.0) * 10 ** (-ACTIVE_WITHIN_DB / 10)
        active = [power for power in powers if power > floor]
        return _db(math.sqrt(sum(active) / len(active))) if active else -math.inf

    def levelled(self) -> "Sound":
        """At the common level, or below it where its peaks would be too loud."""
        gain = 10 ** (min(LEVEL_DB - self.level_db(), PEAK_DB - self.peak_db()) / 20)
        return Sound(self.rate, array("h", [round(sample * gain) for sample in self.samples]))

    def _powers(self) -> list[float]:
        size = round(self.rate * SLICE_S)
        slices = (self.samples[start : start + size] for start in range(0, len(self.samples), size))
        return [sum(sample * sample for sample in one) / len(one) / FULL**2 for one in slices]


def silence(seconds: float, rate: int) -> Sound:
    return Sound(rate, array("h", bytes(2 * round(seconds * rate))))


def from_raw(data: bytes, rate: int) -> Sound:
    """Little-endian samples, as sox writes them on request."""
    samples = array("h", data)
    return Sound(rate, _swapped_if_big(samples))


def to_raw(sound: Sound) -> bytes:
    """Little-endian samples, as WAV files hold them."""
    return _swapped_if_big(array("h", sound.samples)).tobytes()


def _swapped_if_big(samples: "array[int]") -> "array[int]":
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _db(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf
