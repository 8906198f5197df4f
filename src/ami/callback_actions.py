"""What we ask of Asterisk to call a customer back. ``ami.actions`` joins these to its own, and encodes them."""

from dataclasses import dataclass
from typing import ClassVar

from ami import names, patterns
from ami.checks import checked

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DialAttempt:
    """Originate an attempt. Its channel's id follows from the attempt, so a second one of the same id fails while the first lives;
    ``epoch`` is the run of the service that asks. Variables with ``_`` go on to the customer's own channel.
    """

    action: ClassVar[str] = "Originate"
    attempt: str
    epoch: str
    queue: str
    dial: str
    number: str
    shows: str
    ring_s: int
    confirm_s: int
    confirm_times: int
    since_ms: int
    priority: int
    language: str = ""
    forget: str = ""
    lasts_s: int = 120

    def headers(self) -> Headers:
        attempt = checked(patterns.NAME, self.attempt, "Channel")
        variables = (
            (f"_{names.ATTEMPT}", attempt),
            (f"_{names.QUEUE}", checked(patterns.QUEUE, self.queue, "Variable")),
            (f"_{names.CUSTOMER}", checked(patterns.NUMBER, self.number, "Variable")),
            (f"_{names.PLACE}", str(self.since_ms)),
            (f"_{names.PRIORITY}", str(max(0, self.priority))),
            (f"_{names.CONFIRM_S}", str(self.confirm_s)),
            (f"_{names.CONFIRM_TIMES}", str(self.confirm_times)),
            (f"_{names.LANGUAGE}", checked(patterns.LANGUAGE, self.language, "Variable") if self.language else ""),
            (names.FOR_EPOCH, checked(patterns.NAME, self.epoch, "Variable")),
            (names.DIAL, checked(patterns.DIAL_STRING, self.dial, "Variable")),
            (names.RING_S, str(self.ring_s)),
            (names.SHOWS, checked(patterns.NUMBER, self.shows, "Variable") if self.shows else ""),
            (names.FORGET, checked(patterns.NAME, self.forget, "Variable") if self.forget else ""),
        )
        return (
            ("Channel", f"Local/{attempt}@{names.CALLBACK}/n"),
            ("ChannelId", f"acd-{attempt}"),
            ("OtherChannelId", f"acd-{attempt}-2"),
            ("Context", names.AFTER),
            ("Exten", "s"),
            ("Priority", "1"),
            ("Timeout", str(self.lasts_s * 1000)),
            ("Async", "true"),
            *(("Variable", f"{name}={value}") for name, value in variables),
        )


@dataclass(frozen=True, slots=True)
class ReadMarker:
    """What became of an attempt: one item with ``Val``; an error where nothing is known.

    Not Getvar of the function ``DB``: with ``live_dangerously`` off it answers Success and an empty value, whatever there is.
    """

    action: ClassVar[str] = "DBGet"
    attempt: str

    def headers(self) -> Headers:
        return (("Family", names.MARKERS), ("Key", checked(patterns.NAME, self.attempt, "Key")))


@dataclass(frozen=True, slots=True)
class ListMarkers:
    """Every marker that there is, one item each; an error where there is none."""

    action: ClassVar[str] = "DBGetTree"

    def headers(self) -> Headers:
        return (("Family", names.MARKERS),)


@dataclass(frozen=True, slots=True)
class ForgetMarkers:
    """Take markers out. AstDB is written by the dialplan alone (``DBDel`` needs a right that we do not have): a channel that
    is never answered does it, in the run of the service that asks, and in no other.
    """

    action: ClassVar[str] = "Originate"
    epoch: str
    attempts: tuple[str, ...]

    def headers(self) -> Headers:
        forget = "&".join(checked(patterns.NAME, attempt, "Variable") for attempt in self.attempts)
        return (
            ("Channel", f"Local/{names.FORGET_AT}@{names.CALLBACK}/n"),
            ("Context", names.AFTER),
            ("Exten", "s"),
            ("Priority", "1"),
            ("Timeout", "5000"),
            ("Async", "true"),
            ("Variable", f"{names.FOR_EPOCH}={checked(patterns.NAME, self.epoch, 'Variable')}"),
            ("Variable", f"{names.FORGET}={forget}"),
        )
