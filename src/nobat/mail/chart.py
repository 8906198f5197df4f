"""A picture of a report: how many were answered and how many were not, hour by hour or day by day. PNG, for mail shows no SVG."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WIDTH, HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 12, 30
ANSWERED, ABANDONED, OTHER = (46, 125, 50), (198, 40, 40), (158, 158, 158)
_INK, _GRID, _PAPER = (66, 66, 66), (224, 224, 224), (255, 255, 255)
_LABELS_AT_MOST = 16


@dataclass(frozen=True, slots=True)
class Bar:
    """Visits of one hour or day; ``label`` is under the bar."""

    label: str
    answered: int
    abandoned: int
    other: int

    @property
    def height(self) -> int:
        return self.answered + self.abandoned + self.other


def draw(bars: Sequence[Bar]) -> bytes:
    """The bars from left to right."""
    image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=12)
    top = _round_up(max((bar.height for bar in bars), default=0))
    floor, tall = HEIGHT - _BOTTOM, HEIGHT - _BOTTOM - _TOP
    for step in range(5):
        y = floor - tall * step / 4
        pen.line([(_LEFT, y), (WIDTH - _RIGHT, y)], fill=_GRID)
        pen.text((_LEFT - 6, y), f"{top * step / 4:g}", fill=_INK, font=font, anchor="rm")
    width = (WIDTH - _LEFT - _RIGHT) / max(1, len(bars))
    every = -(-len(bars) // _LABELS_AT_MOST) or 1
    for number, bar in enumerate(bars):
        x, y = _LEFT + number * width, float(floor)
        for count, colour in ((bar.answered, ANSWERED), (bar.abandoned, ABANDONED), (bar.other, OTHER)):
            if count:
                high = tall * count / top
                pen.rectangle([(x + width * 0.12, y - high), (x + width * 0.88, y)], fill=colour)
                y -= high
        if number % every == 0:
            pen.text((x + width / 2, floor + 8), bar.label, fill=_INK, font=font, anchor="mt")
    buffer = io.BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _round_up(count: int) -> int:
    """The next of 4, 8, 20, 40, 80, 200, …: figures whose quarters are whole."""
    return next(int(top * 10**zeros) for zeros in range(12) for top in (4, 8, 20) if top * 10**zeros >= count)
