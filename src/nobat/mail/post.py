"""Makes the letter of a report from the figures, and hands it to the mail server. ``nobat.mail.keeper`` says when."""

import asyncio
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import aiosmtplib
import structlog

from acd import picture
from acd.hours import Calendar
from nobat.engine import Engine
from nobat.figures import reading, spans
from nobat.figures.spans import Interval
from nobat.mail.letter import Content, written
from nobat.mail.schedule import Due
from nobat.mail.settings import MailReportSettings, MailSettings
from nobat.storage.database import Database

log = structlog.get_logger(__name__)

TIMEOUT_S = 30.0


async def send(
    report: MailReportSettings, due: Due, settings: MailSettings, engine: Engine, database: Database, now: float
) -> str | None:
    """None when the server has taken it, else why not. Raises ``StorageUnavailable``."""
    content = await _content(report, due, engine, database)
    letter = await asyncio.to_thread(written, content, report.name, settings.sender, report.to, now)
    return await _hand_over(letter, settings)


async def _hand_over(letter: EmailMessage, settings: MailSettings) -> str | None:
    """None when the server has taken it, else why not."""
    password = settings.password.get_secret_value() if settings.password is not None else None
    try:
        refused, _ = await aiosmtplib.send(
            letter,
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=password,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            timeout=TIMEOUT_S,
        )
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"[:200]
    if refused:  # the others have it: sending again would send it twice
        log.error("a report was refused for some", report=letter["Subject"], refused=len(refused))
    return None


async def _content(report: MailReportSettings, due: Due, engine: Engine, database: Database) -> Content:
    zone, calendar, every = ZoneInfo(report.timezone), Calendar(report.calendar), Interval(report.every)
    views = engine.read(picture.queues)
    queues = [view.spec.id for view in views if report.queues is None or view.spec.id in report.queues]
    finer = spans.rows(due.span, Interval.HOUR if every is Interval.DAY else Interval.DAY, zone, calendar)
    whole = spans.rows(due.span, Interval.TOTAL, zone)
    parts = await reading.of_queues(database, dict.fromkeys(queues, finer), ())
    sums = await reading.of_queues(database, dict.fromkeys(queues, whole), ())
    agents = None
    if report.agents:
        names = {view.id: view.name for view in engine.read(picture.agents) if not set(view.queues).isdisjoint(queues)}
        found = await reading.of_agents(database, dict.fromkeys(map(str, names), whole))
        by_id = {str(agent): name for agent, name in names.items()}
        agents = [(agent, by_id[agent], figures) for agent, _, figures in found]
    totals = [(queue, figures) for queue, _, figures in sums]
    promised = await reading.callbacks_of_queues(database, dict.fromkeys(queues, whole))
    callbacks = [(queue, figures) for queue, _, figures in promised if figures.requested]
    return Content(every, due.span, zone, calendar, report.language, totals, parts, agents, callbacks)
