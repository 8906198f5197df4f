"""Pictures of a report, hour by hour or day by day: how many were answered and how many were not, and the service level.

PNG, for mail shows no SVG.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 30
ANSWERED, ABANDONED, OTHER, LEVEL = (46, 125, 50), (198, 40, 40), (158, 158, 158), (21, 101, 192)
_INK, _GRID, _PAPER = (66, 66, 66), (224, 224, 224), (255, 255, 255)
_LABELS_AT_MOST = 16

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Bar:
    """Visits of one hour or day; ``label`` is under the bar. ``level`` is the primary service level, None where nothing counts."""

    label: str
    answered: int
    abandoned: int
    other: int
    level: float | None = None

    @property
    def height(self) -> int:
        return self.answered + self.abandoned + self.other


def draw(bars: Sequence[Bar]) -> bytes:
    """Visits by what came of them: bars from left to right."""
    top = _round_up(max((bar.height for bar in bars), default=0))
    stacks = [((bar.answered, ANSWERED), (bar.abandoned, ABANDONED), (bar.other, OTHER)) for bar in bars]
    return _drawn([bar.label for bar in bars], stacks, top, "")


def draw_levels(bars: Sequence[Bar]) -> bytes:
    """The primary service level in per cent; nothing stands where nothing counts."""
    stacks = [((100 * (bar.level or 0.0), LEVEL),) for bar in bars]
    return _drawn([bar.label for bar in bars], stacks, 100, "%")


def _drawn(labels: Sequence[str], stacks: Sequence[Sequence[tuple[float, Colour]]], top: int, unit: str) -> bytes:
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=12)
    floor, tall = HEIGHT - _BOTTOM, HEIGHT - _BOTTOM - _TOP
    for step in range(5):
        y = floor - tall * step / 4
        pen.line([(_LEFT, y), (WIDTH - _RIGHT, y)], fill=_GRID)
        pen.text((_LEFT - 6, y), f"{top * step / 4:g}{unit}", fill=_INK, font=font, anchor="rm")
    width = (WIDTH - _LEFT - _RIGHT) / max(1, len(labels))
    every = -(-len(labels) // _LABELS_AT_MOST) or 1
    for number, (label, stack) in enumerate(zip(labels, stacks, strict=True)):
        x, y = _LEFT + number * width, float(floor)
        for count, colour in stack:
            if count:
                high = tall * count / top
                pen.rectangle([(x + width * 0.12, y - high), (x + width * 0.88, y)], fill=colour)
                y -= high
        if number % every == 0:
            pen.text((x + width / 2, floor + 8), label, fill=_INK, font=font, anchor="mt")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _round_up(count: int) -> int:
    """The next of 4, 8, 20, 40, 80, 200, …: figures whose quarters are whole."""
    return next(int(top * 10**zeros) for zeros in range(12) for top in (4, 8, 20) if top * 10**zeros >= count)
