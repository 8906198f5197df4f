"""Which prompts a phone heard, in order: the recording is compared with every sound file, at every place.

Nothing tells the comparison what to expect. It goes by pieces of a second, each of which may come a little early or late, because a
busy machine loses a packet now and then. A prompt that went through the telephone's codec is alike to its file by more than 0.99;
the most alike of other prompts is a short word with the same vowel, by up to 0.9.
"""

import wave
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

RATE = 8000
PIECE = RATE
SLIP = RATE // 25
ALIKE = 0.8
"""Below 1, for a recording may miss the beginning of the first prompt or the end of the last."""


@dataclass(frozen=True, slots=True)
class Found:
    name: str
    begin: int
    end: int
    alike: float

    @property
    def rank(self) -> tuple[float, int]:
        """The better of two that overlap: *six* and *sixth* differ in the third decimal."""
        return self.alike, self.end - self.begin

    def overlaps(self, other: "Found") -> bool:
        return self.begin < other.end - SLIP and other.begin < self.end - SLIP


def heard_prompts(recording: Path, sounds: Path) -> list[str]:
    """Names of the files of the folder ``sounds`` that were heard, as ``by_sound`` gives them."""
    second = np.zeros(RATE)
    heard = Heard(np.concatenate([second, _samples(recording), second]))
    found: list[Found] = []
    for path in sorted(sounds.glob("*.wav")):
        sound = _samples(path)
        if np.abs(sound).max() > 0:
            found += heard.places_of(path.stem, sound)
    chosen: list[Found] = []
    for one in sorted(found, key=lambda one: one.rank, reverse=True):
        if not any(one.overlaps(other) for other in chosen):
            chosen.append(one)
    return by_sound([one.name for one in sorted(chosen, key=lambda one: one.begin)], sounds)


def times_heard(recording: Path, prompt: Path) -> int:
    """How often one prompt was heard from its first piece to its last."""
    second = np.zeros(RATE)
    heard = Heard(np.concatenate([second, _samples(recording), second]))
    return len(list(heard.places_of(prompt.stem, _samples(prompt))))


def by_sound(names: Iterable[str], sounds: Path) -> list[str]:
    """``names`` with one name for all that sound the same (*and*, *range-to*), and without pauses: nobody hears those."""
    same = {_samples(path).tobytes(): path.stem for path in sorted(sounds.glob("*.wav"))}
    played = [_samples(sounds / f"{name}.wav") for name in names]
    return [same[sound.tobytes()] for sound in played if sound.any()]


class Heard:
    """A recording, ready to be compared many times."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.size = 1 << (len(samples) + PIECE).bit_length()
        self.spectrum = np.fft.rfft(samples, self.size)
        self.energy = np.concatenate([np.zeros(1), np.cumsum(samples**2)])

    def places_of(self, name: str, sound: Samples) -> Iterator[Found]:
        """Where ``sound`` is heard from its first piece to its last."""
        first = sound[:PIECE]
        product = np.fft.irfft(self.spectrum * np.conj(np.fft.rfft(first, self.size)), self.size)
        alike = self._normalised(product, first, 0, len(self.samples) - len(first) + 1)
        while alike[(at := int(alike.argmax()))] >= ALIKE:
            alike[max(at - len(first) // 2, 0) : at + len(first) // 2] = 0.0
            whole = self._followed(sound, at)
            if whole >= ALIKE:
                yield Found(name, at, at + len(sound), whole)

    def _followed(self, sound: Samples, at: int) -> float:
        """How alike the pieces of ``sound`` are on average, each near the place where the one before it ended."""
        alike, weights = [], []
        for start in range(0, len(sound), PIECE):
            piece = sound[start : start + PIECE]
            if not piece.any():
                continue
            begin = at + start - SLIP
            near = self.samples[begin : begin + len(piece) + 2 * SLIP]
            if len(near) < len(piece) + 2 * SLIP:
                return 0.0
            here = self._normalised(np.correlate(near, piece), piece, begin, 2 * SLIP + 1)
            alike.append(float(here.max()))
            weights.append(float((piece**2).sum()))
            at += int(here.argmax()) - SLIP
        return float(np.average(alike, weights=weights))

    def _normalised(self, product: Samples, piece: Samples, begin: int, places: int) -> Samples:
        """Correlation as likeness, from ``begin`` on: 1 is the same, whatever the volume; silence is like nothing."""
        ends = self.energy[begin + len(piece) : begin + len(piece) + places]
        there = ends - self.energy[begin : begin + places]
        own = float((piece**2).sum())
        alike: Samples = product[:places] / np.sqrt(np.maximum(there, own / 1000) * own)
        return alike


def _samples(path: Path) -> Samples:
    with wave.open(str(path), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def are_in_order(found: list[str], wanted: list[str]) -> bool:
    """Whether nothing else was heard, and in this order. A busy machine loses packets: a short word in twenty may be missing."""
    left = iter(wanted)
    return len(found) >= len(wanted) - 1 - len(wanted) // 20 and all(one in left for one in found)
