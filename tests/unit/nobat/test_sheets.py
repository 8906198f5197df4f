"""Tables as files: what comes from outside stays text, in whatever program it is opened."""

import csv
import io

import pytest
from openpyxl import load_workbook

from nobat.figures.sheets import Column, Kind, Sheet, csv_lines, safe, xlsx

COLUMNS = (Column("name", Kind.TEXT, "Name", "نام"), Column("count", Kind.COUNT, "Count", "تعداد"))
ATTACKS = (
    "=1+1", "+989121234567", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u200f=1", "\u200c=1", "＝1", "＋1", "－1", "＠x",
    "علی;=1", "a\n=1", "a\r\n+1", "a\t@x", "a; -1",
)  # fmt: skip


@pytest.mark.parametrize("text", ATTACKS)
def test_no_cell_begins_like_a_formula_whatever_parts_cells(text: str) -> None:
    for separator in (";", "\t"):
        for line in str(safe(text)).splitlines():
            for cell in line.split(separator):
                assert not cell.strip("\u200c\u200f\u00a0 ").startswith(("=", "+", "-", "@", "＝", "＋", "－", "＠")), (
                    cell
                )
    book = load_workbook(io.BytesIO(xlsx([Sheet("x", COLUMNS, [(text, 1)])], "fa"))).active
    assert book is not None
    assert book["A2"].data_type != "f"


@pytest.mark.parametrize(
    "text", ["مریم علی‌زاده", "O'Neil", "a-b", "09121234567", "a; b", "50 % = half", "", "خط۱\nخط۲"]
)
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert safe(text) == text
    data = "".join(csv_lines(COLUMNS, [(text, -1)], "fa")).encode("utf-8")
    assert data.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))) == [["نام", "تعداد"], [text, "-1"]]
