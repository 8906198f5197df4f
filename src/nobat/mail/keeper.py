"""Sends reports when they are due: once, whatever happens in between.

What was sent is a row in the database, written before the attempt and after it. A service that was away sends the newest report
that is due and no older one. An attempt that fails is repeated, later each time, for a day. A crash between the server's yes and
our row sends a report again, with the same Message-ID.

What writes and sends a letter (``nobat.mail.post``) is loaded when one is due: no start waits for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import structlog

from acd.errors import Conflict, unknown
from acd.hours import Calendar
from nobat.engine import Engine
from nobat.figures.keeper import FiguresKeeper
from nobat.figures.spans import Interval
from nobat.mail.schedule import Due, last_due
from nobat.mail.settings import MailReportSettings, MailSettings
from nobat.storage import mails
from nobat.storage.database import Database
from nobat.storage.errors import StorageUnavailable
from nobat.storage.mails import Mail

log = structlog.get_logger(__name__)

LOOK_S = 20.0
STALE_S = {Interval.DAY: 2 * 86_400.0, Interval.WEEK: 4 * 86_400.0, Interval.MONTH: 10 * 86_400.0}
"""A report is no news any more so long after it was due."""
FIRST_RETRY_S, LAST_RETRY_S = 60.0, 3600.0
ATTEMPTS = 30


class MailKeeper:
    """``figures`` must have come past the end of a report before it is sent."""

    def __init__(
        self,
        settings: MailSettings,
        reports: Sequence[MailReportSettings],
        engine: Engine,
        database: Database,
        figures: FiguresKeeper,
        now: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._reports = reports
        self._engine = engine
        self._database = database
        self._figures = figures
        self._now = now
        self._one_at_a_time = asyncio.Lock()
        """Or a report that somebody sends by hand just now would be taken for one whose sender has died, and be sent twice."""

    async def follow(self) -> None:
        """Send what is due. Runs until cancelled; without a server there is nothing to do."""
        while self._settings.host is not None:
            try:
                await self.look()
            except StorageUnavailable as error:
                log.warning("mails wait for the database", why=str(error))
            await asyncio.sleep(LOOK_S)
        await asyncio.Event().wait()

    async def look(self) -> None:
        """Send each report whose time has come and that was not sent."""
        for report in self._reports:
            async with self._one_at_a_time:
                await self._look_at(report)

    async def _look_at(self, report: MailReportSettings) -> None:
        due = self._due(report)
        before = await mails.one(self._database, report.name, due.span.begin)
        if self._is_wanted(report, due, before):
            await self._send(report, due, before)

    async def send_now(self, name: str) -> Mail:
        """Send a report's newest span whether it was sent or not. Raises ``unknown_report`` and ``no_mail_server``."""
        report = next((one for one in self._reports if one.name == name), None)
        if report is None:
            raise unknown("report", name)
        if self._settings.host is None:
            raise Conflict("no_mail_server", "the settings name no [mail] host")
        async with self._one_at_a_time:
            due = self._due(report)
            return await self._send(report, due, await mails.one(self._database, name, due.span.begin))

    def _due(self, report: MailReportSettings) -> Due:
        every, calendar = Interval(report.every), Calendar(report.calendar)
        return last_due(every, report.at, ZoneInfo(report.timezone), calendar, self._now())

    def _is_wanted(self, report: MailReportSettings, due: Due, before: Mail | None) -> bool:
        now, known = self._now(), self._figures.worked_out_at
        if known is None or known < due.span.end or now > due.at + STALE_S[Interval(report.every)]:
            return False
        if before is None or before.state == "sending":  # of a run that ended in the middle
            return True
        pause = min(LAST_RETRY_S, FIRST_RETRY_S * 2 ** min(before.attempts - 1, 10))
        return before.state == "failing" and now >= before.tried_at + pause

    async def _send(self, report: MailReportSettings, due: Due, before: Mail | None) -> Mail:
        attempts = (before.attempts if before is not None else 0) + 1
        mail = Mail(report.name, due.span.begin, due.span.end, "sending", attempts, self._now(), None, report.to)
        await mails.put(self._database, mail)
        from nobat.mail import post

        why: str | None
        refused: tuple[str, ...] = ()
        try:
            letter = await post.letter(
                report, due, self._settings, self._engine, self._database, self._figures, self._now()
            )
        except StorageUnavailable:
            raise
        except Exception as error:
            log.exception("a report could not be written", report=report.name)
            why = f"{type(error).__name__}: {error}"[:200]
        else:
            why, refused = await post.hand_over(letter, self._settings)
        state: mails.State = "sent" if why is None else "given_up" if attempts >= ATTEMPTS else "failing"
        told = f"refused for {', '.join(refused)}"[:200] if refused else why
        taken = tuple(one for one in report.to if one not in refused)
        mail = replace(mail, state=state, error=told, recipients=taken, tried_at=self._now())
        await mails.put(self._database, mail)
        if why is None:
            log.info("report sent", report=report.name, to=len(taken), refused=len(refused))
        else:
            log.error("a report could not be sent", report=report.name, attempts=attempts, state=state, why=why)
        return mail
