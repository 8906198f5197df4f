"""The tables of the guide to hardening: no row of the abuse catalogue is missing, and every test that they name exists."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/guides/hardening.md").read_text()
ROWS = [
    line for line in GUIDE.splitlines() if line.startswith("| ") and not line.startswith(("| # ", "| what ", "| rule "))
]
NAMED = re.compile(r"`(tests/[a-z_0-9/]+\.py)::(test_[a-z_0-9]+)`")
CONF = ROOT / "asterisk-conf"


def functions(file: str) -> set[str]:
    """The tests of a file."""
    tree = ast.parse((ROOT / file).read_text())
    return {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_attack_of_the_catalogue_is_answered_once() -> None:
    assert [found[1] for line in ROWS if (found := re.match(r"\| (A\d+) \|", line))] == [f"A{n}" for n in range(1, 47)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_a_row_names_tests_that_exist_or_says_why_not(row: str) -> None:
    named = NAMED.findall(row)
    for file, test in named:
        assert test in functions(file), f"{file} has no {test}"
    reasons = [cell.partition("– ")[2] for cell in row.split("|") if "– " in cell]
    assert named or any(len(reason) > 20 for reason in reasons), row


def test_every_test_that_the_text_names_exists() -> None:
    assert all(test in functions(file) for file, test in NAMED.findall(GUIDE))


def setting(file: str, name: str) -> list[str]:
    """The values of one setting in a shipped file."""
    return re.findall(rf"^{name} = ?([^;\n]*?) *(?:;.*)?$", (CONF / file).read_text(), re.MULTILINE)


def test_lines_that_no_console_shows() -> None:
    """Of the configuration that the tests' PBX runs: what Asterisk itself does not tell about."""
    (write_ms,) = setting("manager.conf", "writetimeout")
    assert 2_000 <= int(write_ms) <= 5_000
    assert setting("manager.conf", "authlimit") == ["10"]
    assert setting("manager.conf", "authtimeout") == ["10"]
    filters = re.findall(
        r"^eventfilter\(action\((\w+)\),name\((\w+)\)", (CONF / "manager.conf").read_text(), re.MULTILINE
    )
    assert len([name for action, name in filters if action == "include"]) == 14
    (regular,) = setting("manager.conf", re.escape("eventfilter(action(exclude),method(regex))"))
    assert "[:cntrl:]" in regular
    assert not {"Newchannel", "VarSet", "DTMFBegin", "DTMFEnd"} & {name for _, name in filters}
    assert setting("asterisk.conf", "live_dangerously") == ["no"]
    assert setting("pjsip.conf", "rtp_timeout") == ["@RTP_TIMEOUT@"] * 2
    assert setting("pjsip.conf", "qualify_frequency") == ["@QUALIFY_S@"]
    assert setting("logger.conf", "security.log") == ["security"]
    for file in CONF.rglob("*.conf"):
        assert not re.search(r"^\[anonymous\]|^type *= *phoneprov", file.read_text(), re.MULTILINE), file.name
    assert "ignoreip" in (CONF / "fail2ban/jail.d/nobat-asterisk.conf").read_text()
