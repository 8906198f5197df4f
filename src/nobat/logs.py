"""Logging: static text and fields, one JSON object a line (or a readable line on a terminal), to standard error.

``configure`` is called once by the command line. Everything goes through one chain of processors, the standard
library's loggers (uvicorn, alembic, panoramisk) included, and through one redaction: no phone number, name, digits,
token or PIN reaches a log, whoever wrote the line. Ids of calls and legs are kept, for by them a fault is traced.
"""

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, TextIO

import structlog

HIDDEN = "[hidden]"
SECRET_FIELDS = frozenset({
    "number", "name", "caller", "caller_name", "caller_number", "pin", "token", "secret", "password", "authorization",
    "notes", "digits", "reason_digits", "body", "url_query",
})  # fmt: skip
ID_FIELDS = frozenset(
    {"call", "leg", "offer", "agent", "queue", "pbx", "device", "ask", "timestamp", "version", "boot"}
)

_TOKEN = re.compile(r"\bnobat_[A-Za-z0-9_-]{8,}|(?i:\bbearer\s+)[A-Za-z0-9._~+/=-]{8,}")
_PASSWORD_IN_URL = re.compile(r"(://[^:/@\s]+):[^@\s]+@")
_NUMBER = re.compile(r"(?<![\w.-])\+?\d(?:[\s()/-]{0,2}\d){4,}(?![\w-])|\+?\d{5,}")


def scrub(text: str) -> str:
    """``text`` without tokens, passwords in addresses, and anything that may be a phone number."""
    text = _TOKEN.sub(HIDDEN, text)
    text = _PASSWORD_IN_URL.sub(r"\1:[hidden]@", text)
    return _NUMBER.sub(HIDDEN, text)


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The one redaction: fields that hold secrets by their name, all other text by what it looks like."""
    for field, value in event.items():
        event[field] = _redacted(field, value)
    return event


def _redacted(field: str, value: object) -> object:
    if field in SECRET_FIELDS:
        return value if value is None else HIDDEN
    if field in ID_FIELDS or field.startswith("_"):
        return value
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, Mapping):
        return {key: _redacted(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted(field, item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub(str(value))


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment: a test, or a supervisor, may put another in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, _stream: TextIO) -> None:
        """There is nothing to set."""


def configure(level: str = "info", form: str = "auto") -> None:
    """Send all logging through the chain. ``form``: json, console or auto (console on a terminal)."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if console
        else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    handler = _StandardError()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic", "sqlalchemy", "aiosqlite", "asyncio"):
        logger = logging.getLogger(noisy)
        logger.handlers, logger.propagate = [], True
        logger.setLevel(max(logging.WARNING, root.level))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
