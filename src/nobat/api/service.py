"""What the interface works with: collaborators made by the composition root, and nothing global."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from acd.ids import PbxId
from nobat.api.throttle import Throttle
from nobat.auth import Authenticator
from nobat.callback_desk import CallbackDesk
from nobat.catalogue import CatalogueKeeper
from nobat.directory import DirectoryKeeper
from nobat.engine import Engine
from nobat.feed import Feed
from nobat.figures.keeper import FiguresKeeper
from nobat.mail.keeper import MailKeeper
from nobat.metrics import Metrics
from nobat.ports import PbxLink
from nobat.recording.keeper import RecordingKeeper
from nobat.risks import RiskWatch
from nobat.settings import HttpSettings
from nobat.storage.database import Database
from nobat.storage.recorder_thread import RecorderThread
from nobat.voicemail import VoicemailKeeper
from whisper.supervision import Supervision


@dataclass(frozen=True, slots=True)
class Service:
    """``now`` is seconds since the epoch."""

    engine: Engine
    catalogue: CatalogueKeeper
    directory: DirectoryKeeper
    database: Database
    recorder: RecorderThread
    authenticator: Authenticator
    voicemail: VoicemailKeeper
    figures: FiguresKeeper
    mails: MailKeeper
    feed: Feed
    recordings: RecordingKeeper
    supervision: Supervision
    callbacks: CallbackDesk
    risks: RiskWatch
    metrics: Metrics
    throttle: Throttle
    now: Callable[[], float]
    pbxs: Mapping[PbxId, PbxLink] = field(default_factory=dict)
    metrics_here: bool = True
    metrics_token: str | None = None
    limits: HttpSettings = field(default_factory=HttpSettings)
    mobile_numbers: re.Pattern[str] | None = None
    """Where agents may sign in themselves, as ``<number>@<endpoint>``; None: nowhere but at their own device."""

    @property
    def home_pbx(self) -> PbxId:
        """The PBX that is meant when nobody names one: the first in the settings."""
        return next(iter(self.pbxs), PbxId("pbx1"))
