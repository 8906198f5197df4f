"""Makes the letter of a report from the figures, and hands it to the mail server. ``nobat.mail.keeper`` says when."""

import asyncio
from email.message import EmailMessage
from functools import partial
from zoneinfo import ZoneInfo

import aiosmtplib

from acd import picture
from acd.hours import Calendar
from nobat.engine import Engine
from nobat.figures import reading, spans
from nobat.figures.keeper import FiguresKeeper
from nobat.figures.report import QueueFigures
from nobat.figures.spans import Interval, Rows
from nobat.mail.letter import Content, written
from nobat.mail.schedule import Due
from nobat.mail.settings import MailReportSettings, MailSettings
from nobat.storage.database import Database

TIMEOUT_S = 30.0


async def letter(
    report: MailReportSettings,
    due: Due,
    settings: MailSettings,
    engine: Engine,
    database: Database,
    figures: FiguresKeeper,
    now: float,
) -> EmailMessage:
    """The report as it is sent. Raises ``StorageUnavailable``."""
    content = await _content(report, due, engine, database, figures)
    return await asyncio.to_thread(written, content, report.name, settings.sender, report.to, now)


async def hand_over(message: EmailMessage, settings: MailSettings) -> tuple[str | None, tuple[str, ...]]:
    """None when the server has taken it, else why not; and for whom it was refused while others have it."""
    password = settings.password.get_secret_value() if settings.password is not None else None
    try:
        refused, _ = await aiosmtplib.send(
            message,
            hostname=settings.host,
            port=settings.port,
            username=settings.username,
            password=password,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            timeout=TIMEOUT_S,
        )
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        return f"{type(error).__name__}: {error}"[:200], ()
    return None, tuple(refused)  # the others have it: sending again would send it twice


async def _content(
    report: MailReportSettings, due: Due, engine: Engine, database: Database, keeper: FiguresKeeper
) -> Content:
    zone, calendar, every = ZoneInfo(report.timezone), Calendar(report.calendar), Interval(report.every)
    views = engine.read(picture.queues)
    queues = [view.spec.id for view in views if report.queues is None or view.spec.id in report.queues]
    finer = spans.rows(due.span, Interval.HOUR if every is Interval.DAY else Interval.DAY, zone, calendar)
    whole = spans.rows(due.span, Interval.TOTAL, zone)
    all_of_them = report.queues is None  # those that are no more too, for what they did

    async def read(cut: Rows, until: float | None) -> reading.Found[str, QueueFigures]:
        live = engine.read(lambda floor, _: reading.live(floor, until))
        return await reading.of_queues(database, dict.fromkeys(queues, cut), live, cut if all_of_them else None)

    parts = await keeper.seen(partial(read, finer))
    sums = await keeper.seen(partial(read, whole))
    agents = None
    if report.agents:
        names = {view.id: view.name for view in engine.read(picture.agents) if not set(view.queues).isdisjoint(queues)}
        left = whole if all_of_them else None
        found = await reading.of_agents(database, dict.fromkeys(map(str, names), whole), left)
        by_id = {str(agent): name for agent, name in names.items()}
        agents = [(agent, by_id.get(agent, agent), figures) for agent, _, figures in found]
    totals = [(queue, figures) for queue, _, figures in sums]
    promised = await reading.callbacks_of_queues(database, dict.fromkeys(queues, whole))
    callbacks = [(queue, figures) for queue, _, figures in promised if figures.requested]
    return Content(every, due.span, zone, calendar, report.language, totals, parts, agents, callbacks)
