"""Nothing that is private reaches a log, whoever writes the line."""

import json
import logging

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from nobat import logs


@pytest.mark.parametrize(
    "text",
    [
        "call +49 30 1234567 back",
        "0049301234567",
        "(030) 123-4567",
        "0912 345 6789",
        "Bearer abcdefgh1234567",
        "nobat_4fJ-_kd93kdkdkd",
        "postgresql://nobat:geheim@db/nobat",
        "from 4930123456@example.org",
    ],
)
def test_numbers_tokens_and_passwords_are_taken_out_of_text(text: str) -> None:
    scrubbed = logs.scrub(text)
    assert logs.HIDDEN in scrubbed
    for secret in ("1234567", "123-4567", "6789", "abcdefgh", "4fJ", "geheim", "4930123456"):
        assert secret not in scrubbed


@pytest.mark.parametrize("text", ["12 rows in 2.5 s", "127.0.0.1", "2026-01-31T10:00:00Z", "port 8080", "schema 0001"])
def test_what_an_operator_needs_stays(text: str) -> None:
    assert logs.scrub(text) == text


@given(st.text(alphabet="0123456789", min_size=5, max_size=15))
def test_no_run_of_digits_survives(digits: str) -> None:
    assert digits not in logs.scrub(f"caller {digits} said {digits}.")


def test_fields_are_hidden_by_name_and_ids_are_kept() -> None:
    event = {
        "event": "x",
        "number": "1",
        "pin": "12",
        "name": "Ali",
        "token": "t",
        "call": "pbx1-1767225600123.42",
        "rows": 1234567,
    }
    redacted = logs.redact(None, "info", {**event, "more": {"pin": "12", "list": ["+4930123456"]}})
    assert redacted["call"] == "pbx1-1767225600123.42"
    assert redacted["rows"] == 1234567
    assert [redacted[key] for key in ("number", "pin", "name", "token")] == [logs.HIDDEN] * 4
    assert redacted["more"] == {"pin": logs.HIDDEN, "list": [logs.HIDDEN]}


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> "list[dict[str, str]]":
    """Lines as a collector would read them, after the logging of a test's body."""
    logs.configure("info", "json")
    structlog.get_logger("test").warning("a line", number="+4930123456", text="to +4930123456")
    logging.getLogger("uvicorn.error").error("failed for %s", "+4930123456", extra={"caller": "Ali"})
    try:
        int("wrong number +4930123456")
    except ValueError:
        structlog.get_logger("test").exception("it broke")
    structlog.get_logger("test").info("not too much")
    structlog.get_logger("test").debug("too much")
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_own_lines_and_libraries_go_through_one_redaction(lines: "list[dict[str, str]]") -> None:
    assert [line["event"] for line in lines] == ["a line", "failed for [hidden]", "it broke", "not too much"]
    assert "4930123456" not in json.dumps(lines)
    assert "Ali" not in json.dumps(lines)
    assert "ValueError" in lines[2]["exception"]
    assert all({"level", "timestamp"} <= line.keys() for line in lines)


def test_a_terminal_gets_readable_lines_without_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info", "console")
    secret = "nobat_0123456789abcdef"
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        structlog.get_logger("test").exception("it broke")
    told = capsys.readouterr().err
    assert "it broke" in told
    assert secret not in told
