"""All settings of the service: one tree, a sentence under each field, read once at the start by the command line.

Sources, the later wins: defaults, the TOML file (``--config`` or ``NOBAT_CONFIG``), environment variables (``NOBAT_``
and two underscores between levels: ``NOBAT_DATABASE__URL``). ``nobat.settings_file`` reads the file and turns a mistake
in it into one message with file and line; docs/reference/settings.md is generated from here by ``nobat.reference``.
"""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from acd.breaks import BreakReason
from ami import failpoints
from nobat.callback_settings import CallbackSettings
from nobat.holiday_lists import HolidayListSettings
from nobat.mail.settings import MailReportSettings, MailSettings
from nobat.retention_settings import RetentionSettings
from nobat.settings_base import Section, read_secret
from nobat.tracing_settings import TracingSettings

Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0, le=86_400)]
PbxName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$")]


class DatabaseSettings(Section):
    """Where queues, agents, tokens and history are kept."""

    url: str = Field(default="sqlite:///nobat.db", repr=False)
    """`sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:password@host/database`."""

    url_file: Path | None = None
    """File whose first line is the address, for it may have a password in it."""

    commit_deadline_s: Seconds = 2.0
    """How long a promise (an agent's chosen status) may take to be on disk before its command is refused."""

    @model_validator(mode="before")
    @classmethod
    def _from_file(cls, given: object) -> object:
        if not isinstance(given, dict) or given.get("url_file") is None:
            return given
        if "url" in given:
            raise ValueError("give either url or url_file, not both")
        said = read_secret(None, Path(given["url_file"]), "url")
        return {**given, "url": said.get_secret_value() if said is not None else "", "url_file": None}

    @field_validator("url")
    @classmethod
    def _known_kind(cls, url: str) -> str:
        scheme = url.partition(":")[0]
        if scheme not in {"sqlite", "sqlite+aiosqlite", "postgresql", "postgres", "postgresql+asyncpg"}:
            raise ValueError("must begin with sqlite:/// or postgresql://")
        return url

    @property
    def shown_url(self) -> str:
        """The address with its password hidden, fit for logs and for people."""
        password = urlsplit(self.url).password
        return self.url.replace(f":{password}@", ":***@", 1) if password else self.url


class HttpSettings(Section):
    """The REST interface."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback belongs behind a proxy that speaks TLS."""

    port: Port = 8080
    """TCP port to listen on."""

    max_body_bytes: Annotated[int, Field(ge=1024, le=16_777_216)] = 65_536
    """A longer request body is refused with 413."""

    body_s: Seconds = 10.0
    """A body that takes longer to come is refused with 408, and a connection whose headers do is closed."""

    answer_s: Seconds = 60.0
    """An answer that takes longer to begin is given up with 503."""

    requests_per_s: Annotated[float, Field(gt=0, le=100_000)] = 200.0
    """Requests that one token may go on making; more are refused with 429."""

    burst: Annotated[int, Field(ge=1, le=1_000_000)] = 2_000
    """And so many at once, after a pause."""

    wrong_tokens_per_minute: Annotated[float, Field(gt=0, le=1_000_000)] = 30.0
    """So many wrong tokens may one address show; then tokens from there that are not known already get 429, unread."""

    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses of proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed."""


class MetricsSettings(Section):
    """The Prometheus page. Without an address of its own it is served by the REST interface as `/metrics`."""

    host: str | None = None
    """Own address to listen on; with `port`, `/metrics` is served there and nowhere else."""

    port: Port | None = None
    """Own TCP port to listen on."""

    token: SecretStr | None = None
    """If set, `/metrics` asks for it as a bearer token."""

    token_file: Path | None = None
    """File whose first line is the token."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.host is None) != (self.port is None):
            raise ValueError("host and port go together")
        object.__setattr__(self, "token", read_secret(self.token, self.token_file, "token"))
        object.__setattr__(self, "token_file", None)
        return self


class LogSettings(Section):
    """What is logged, to standard error."""

    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(str)] = "info"
    """Least severe level that is written."""

    format: Literal["auto", "json", "console"] = "auto"
    """`json` is one object a line; `console` is for reading; `auto` is console on a terminal, else json."""


def is_this_machine(host: str) -> bool:
    """Whether an address is loopback. A name that only a resolver knows is not: what it says may change."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class PbxSettings(Section):
    """One Asterisk server and its AMI account."""

    name: PbxName
    """Its `systemname` in asterisk.conf; the first part of the ids of its calls."""

    host: str = "127.0.0.1"
    """Address of its AMI. Anything but this machine needs `tls`, or a tunnel."""

    port: Port = 5038
    """TCP port of its AMI."""

    tls: bool = False
    """Speak TLS to the AMI (`tlsenable` in its manager.conf). Its certificate must be good for `host`."""

    ca: Path | None = None
    """File of the certificates that vouch for the AMI's (PEM); without it those that this machine trusts."""

    tunnelled: bool = False
    """The way to `host` is a tunnel that encrypts (WireGuard, IPsec, stunnel), so plain AMI may go there. Whoever reads it on the
    way has the account."""

    username: str = "nobat"
    """AMI account."""

    secret: SecretStr | None = None
    """The account's secret; better kept in `secret_file`."""

    secret_file: Path | None = None
    """File whose first line is the secret."""

    voicemail_dir: Path | None = None
    """Where this service finds what callers have said into this server: `nobat-voicemail` in Asterisk's spool directory."""

    recording_dir: Path | None = None
    """Where this service finds the halves of recorded conversations: `nobat-recording` in Asterisk's spool directory. Without it,
    and `recordings.folder`, nothing is recorded on this server."""

    ping_s: Seconds = 1.0
    """Seconds between two pings; a link that does not answer within `ping_deadline_s` is declared dead."""

    ping_deadline_s: Seconds = 1.5
    """Seconds that an answer to a ping may take."""

    action_deadline_s: Seconds = 3.0
    """Seconds that an answer to any other action may take before its outcome counts as unknown."""

    @field_validator("host", "username")
    @classmethod
    def _one_word(cls, value: str) -> str:
        if not value or any(character.isspace() or not character.isprintable() for character in value):
            raise ValueError("must be one word")
        return value

    @model_validator(mode="after")
    def _is_sheltered(self) -> Self:
        if self.ca is not None and not self.tls:
            raise ValueError("ca is for tls = true")
        if not (self.tls or self.tunnelled or is_this_machine(self.host)):
            raise ValueError(
                f"host {self.host!r} is another machine, where the secret and every call could be read on the way: set "
                "tls = true, or tunnelled = true if what is between encrypts"
            )
        return self

    @model_validator(mode="after")
    def _has_secret(self) -> Self:
        secret = read_secret(self.secret, self.secret_file, "secret")
        if secret is None:
            raise ValueError("needs secret or secret_file")
        object.__setattr__(self, "secret", secret)
        object.__setattr__(self, "secret_file", None)
        return self


class PhoneCodeSettings(Section):
    """Signing in and out by phone codes (`*11` to `*15`)."""

    wrong_pins: Annotated[int, Field(ge=1, le=20)] = 3
    """That many wrong PINs in a row lock an agent's sign-in by phone."""

    lock_s: Seconds = 60.0
    """For so many seconds."""


class BreakReasonSettings(Section):
    """One reason for a break. Other reasons may be given too; of those nothing is known."""

    code: Annotated[str, Field(pattern=r"^[0-9]{1,2}$")]
    """The digits dialled after `*13`."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    """What the reason is called everywhere else."""

    planned_s: Annotated[float, Field(gt=0, le=86_400)] | None = None
    """How long such a break may take; a longer one is told, once, and shown. Without it nothing is told."""

    productive: bool = False
    """Whether it is work away from the phone (training, letters) and counts as productive time."""


class MobileSettings(Section):
    """Agents at numbers of other networks, where a call is accepted by pressing 1."""

    numbers: str | None = None
    """Regular expression for the whole of `<number>@<endpoint>` (`09[0-9]{9}@trunk`): where agents may sign in themselves. An
    agent's configured number is always allowed, and whatever a supervisor says. Without it nothing else is."""

    @field_validator("numbers")
    @classmethod
    def _is_one(cls, numbers: str | None) -> str | None:
        try:
            re.compile(numbers or "")
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        return numbers


class NumberingSettings(Section):
    """How callers' numbers are written where the PBX is, so that one caller is one however the number comes."""

    country: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,2}$")] = "98"
    """Country code. To be set before callers are imported."""

    trunk: Annotated[str, Field(pattern=r"^[0-9]{0,3}$")] = "0"
    """What is dialled before a number of the same country."""

    international: Annotated[str, Field(pattern=r"^[0-9]{1,5}$")] = "00"
    """What is dialled before a country code."""


class NumberRoute(Section):
    """Numbers to which a queue's limits may lead callers. Without any, they lead to none."""

    pattern: Annotated[str, Field(pattern=r"^\+?[0-9]{1,20}\*?$")]
    """A number, or with `*` at its end all numbers that begin so."""

    dial: Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[A-Za-z0-9_.+@/-]*\{number\}[A-Za-z0-9_.+@/-]*$")]
    """How Asterisk dials them: `PJSIP/{number}@trunk`, or `PJSIP/agent-{number}` for phones of the house."""


class TransferSettings(Section):
    """Calls that are passed on."""

    outside: Annotated[str, Field(pattern=r"^$|^PJSIP/\{number\}@[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")] = (
        "PJSIP/{number}@trunk"
    )
    """How a number outside is dialled when a call is passed on to it; empty: it is not. What agents may dial is your trunk's
    business: allow there only what you want to pay for."""


class RecordingSettings(Section):
    """Where recordings are kept, encrypted."""

    folder: Path | None = None
    """Folder of the encrypted files. Without it nothing is recorded."""

    key_file: Path | None = None
    """File of the master key (32 bytes in base64), made on first use: `master.key` in the folder, if nothing is said. Keep it,
    and its backup, apart from the recordings: whoever has both can hear them, and without it nobody can."""

    @property
    def key_path(self) -> Path | None:
        """Where the master key is."""
        return self.key_file or (self.folder / "master.key" if self.folder is not None else None)


class HistorySettings(Section):
    """Writing down what happened, behind the calls."""

    batch_rows: Annotated[int, Field(ge=1, le=10_000)] = 1_000
    """Rows written in one transaction at most."""

    batch_wait_s: Seconds = 1.0
    """How long a first row waits for others to be written with it."""

    journal: Path | None = None
    """Folder on this machine for history that the database does not have yet: `<file>.journal` by SQLite, else `nobat-journal`."""

    memory_rows: Annotated[int, Field(ge=1_000)] = 50_000
    """Rows held in memory while the database is away; the journal holds the others. From a tenth on an alarm is logged."""


class TestingSettings(Section):
    """For tests of recovery. Nothing of it belongs into a service that has callers."""

    failpoints: bool = False
    """Allow `failpoint`. Without it a service that is given one does not start."""

    failpoint: Annotated[str, Field(pattern=r"^$|^[a-z]+\.[a-z]+(/[A-Z][A-Za-z]{0,40})?(:[1-9][0-9]{0,5})?$")] = ""
    """Where this process kills itself: `outbox.written:3` is at the third time that a request is on the wire,
    `outbox.written/DialCustomer` at the first one that dials a customer. The places are those of `ami.failpoints`."""

    @model_validator(mode="after")
    def _allowed(self) -> Self:
        place = self.failpoint.partition(":")[0].partition("/")[0]
        if place and not self.failpoints:
            raise ValueError("failpoint is set and failpoints is not: this service would kill itself")
        if place and place not in failpoints.PLACES:
            raise ValueError(f"failpoint is none of {', '.join(failpoints.PLACES)}")
        return self


class Settings(BaseSettings):
    """The whole tree."""

    model_config = SettingsConfigDict(
        env_prefix="NOBAT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )

    database: DatabaseSettings = DatabaseSettings()
    http: HttpSettings = HttpSettings()
    metrics: MetricsSettings = MetricsSettings()
    log: LogSettings = LogSettings()
    pbx: tuple[PbxSettings, ...] = ()
    """One `[[pbx]]` table for each Asterisk server."""
    phone_codes: PhoneCodeSettings = PhoneCodeSettings()
    history: HistorySettings = HistorySettings()
    retention: RetentionSettings = RetentionSettings()
    numbering: NumberingSettings = NumberingSettings()
    numbers: tuple[NumberRoute, ...] = ()
    """One `[[numbers]]` table for each set of numbers that limits may lead to; the first that fits counts."""
    transfers: TransferSettings = TransferSettings()
    callbacks: CallbackSettings = CallbackSettings()
    mobile: MobileSettings = MobileSettings()
    mail: MailSettings = MailSettings()
    mail_report: tuple[MailReportSettings, ...] = ()
    """One `[[mail_report]]` table for each report that is sent by mail."""
    recordings: RecordingSettings = RecordingSettings()
    tracing: TracingSettings = TracingSettings()
    testing: TestingSettings = TestingSettings()
    break_reason: tuple[BreakReasonSettings, ...] = ()
    """One `[[break_reason]]` table for each known reason."""

    holiday_list: tuple[HolidayListSettings, ...] = ()
    """One `[[holiday_list]]` table for each list of holidays that queues name in `hours.lists`."""

    @property
    def journal_folder(self) -> Path:
        """Where the local journal is kept."""
        if self.history.journal is not None:
            return self.history.journal
        scheme, _, place = self.database.url.partition(":///")
        return Path(place + ".journal") if scheme.startswith("sqlite") and place else Path("nobat-journal")

    @field_validator("pbx")
    @classmethod
    def _names_differ(cls, pbx: tuple[PbxSettings, ...]) -> tuple[PbxSettings, ...]:
        names = [one.name for one in pbx]
        if len(set(names)) < len(names):
            raise ValueError("two servers have the same name")
        return pbx

    @field_validator("break_reason")
    @classmethod
    def _reasons_differ(cls, reasons: tuple[BreakReasonSettings, ...]) -> tuple[BreakReasonSettings, ...]:
        words = [word for one in reasons for word in {one.code, one.name}]
        if len(set(words)) < len(words):
            raise ValueError("two reasons have the same code or name")
        return reasons

    @field_validator("holiday_list")
    @classmethod
    def _lists_differ(cls, lists: tuple[HolidayListSettings, ...]) -> tuple[HolidayListSettings, ...]:
        if len({one.name for one in lists}) < len(lists):
            raise ValueError("two lists have the same name")
        return lists

    @field_validator("mail_report")
    @classmethod
    def _reports_differ(cls, reports: tuple[MailReportSettings, ...]) -> tuple[MailReportSettings, ...]:
        if len({one.name for one in reports}) < len(reports):
            raise ValueError("two reports have the same name")
        return reports

    def reasons(self) -> tuple[BreakReason, ...]:
        """The known reasons for a break, as the floor takes them."""
        return tuple(BreakReason(one.code, one.name, one.planned_s, one.productive) for one in self.break_reason)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose content comes in as keyword arguments."""
        return env_settings, init_settings
