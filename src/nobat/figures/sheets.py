"""A table of a report as CSV and as XLSX, in English or Persian.

Names and notes come from outside: in CSV a text that a spreadsheet would take for a formula gets an apostrophe, also where one
would begin within it (a spreadsheet that parts at semicolons or tabs takes what follows for a cell of its own); in XLSX every text
is written as text. CSV is UTF-8 with a byte order mark, by which spreadsheets know that it is, and ends its lines with CRLF (RFC
4180); a Persian XLSX sheet runs from right to left.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import xlsxwriter

Value = str | int | float | None

_FORMULA = re.compile(r"(^|[;\t\r\n])([ \u00a0\u200b-\u200f\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20])")
"""What begins like a formula, in full width too, and after what no eye sees."""
_CELL_BEFORE = ("\t", "\r", "\n")
_DAY_S = 86_400.0


class Kind(Enum):
    """How a column is shown."""

    TEXT = "text"
    COUNT = "count"
    SECONDS = "seconds"
    SHARE = "share"


_SHOWN = {Kind.COUNT: "0", Kind.SECONDS: "[h]:mm:ss", Kind.SHARE: "0.0%"}
_WIDTH = {Kind.TEXT: 20, Kind.COUNT: 11, Kind.SECONDS: 12, Kind.SHARE: 12}


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` names the field in JSON; the titles are for people."""

    key: str
    kind: Kind
    en: str
    fa: str

    def title(self, language: str) -> str:
        return self.fa if language == "fa" else self.en


def safe(value: Value) -> Value:
    """A text that no spreadsheet takes for a formula."""
    if not isinstance(value, str):
        return value
    harmless = _FORMULA.sub(r"\1'\2", value)
    return f"'{harmless}" if harmless.startswith(_CELL_BEFORE) else harmless


def csv_lines(columns: Sequence[Column], rows: Iterable[Sequence[Value]], language: str) -> Iterator[str]:
    """Line by line; the first begins with the byte order mark. Shares are fractions, durations seconds."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow([column.title(language) for column in columns])
    for row in rows:
        writer.writerow([_plain(column.kind, safe(value)) for column, value in zip(columns, row, strict=True)])
        if buffer.tell() > 16_384:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def _plain(kind: Kind, value: Value) -> Value:
    if isinstance(value, float):
        return round(value, 4 if kind is Kind.SHARE else 1)
    return value


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook."""

    title: str
    columns: Sequence[Column]
    rows: Iterable[Sequence[Value]]


def xlsx(pages: Iterable[Sheet], language: str) -> bytes:
    """Sheets with frozen headings. Shares are shown in per cent, durations as h:mm:ss."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        formats = {kind: book.add_format({"num_format": shown}) for kind, shown in _SHOWN.items()}
        for page in pages:
            sheet = book.add_worksheet(page.title[:31])
            if language == "fa":
                sheet.right_to_left()
            for at, column in enumerate(page.columns):
                sheet.set_column(at, at, _WIDTH[column.kind], formats.get(column.kind))
                sheet.write_string(0, at, column.title(language), heading)
            sheet.freeze_panes(1, 0)
            _fill(sheet, page)
    return buffer.getvalue()


def _fill(sheet: Any, page: Sheet) -> None:
    for line, row in enumerate(page.rows, 1):
        for at, (column, value) in enumerate(zip(page.columns, row, strict=True)):
            if isinstance(value, str):
                sheet.write_string(line, at, value)
            elif value is not None:
                sheet.write_number(line, at, value / _DAY_S if column.kind is Kind.SECONDS else value)
