"""Hours, limits and closings as plain JSON values: as the interface speaks of them, and as the database keeps them.

What comes in has been checked by the interface's models (``nobat.api.limit_models``), so nothing is checked here again.
"""

from typing import Any

from acd.hours import Calendar, Day, Hours, Minutes
from acd.ids import QueueId
from acd.limits import KINDS, Closing, Destination, Overflow, Presence, ToMessage, ToNumber, ToQueue, ToVoicemail

Json = dict[str, Any]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DESTINATIONS = ("closed", "holiday", "full", "no_agent", "waited", "expected")
DAY = 24 * 60


def span_json(span: Minutes) -> str:
    """``09:00-17:00``; an end that is not after the start is on the next day."""
    start, end = span
    end = end if end == DAY and start < DAY else end % DAY
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"


def span_of(text: str) -> Minutes:
    """Reads what ``span_json`` writes."""
    start, end = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    return start, end if end > start else end + DAY


def day_json(day: Day) -> Json:
    """``1405-01-01``, or ``01-01`` for every year."""
    date = f"{day.month:02}-{day.day:02}"
    date = f"{day.year:04}-{date}" if day.year is not None else date
    return {"date": date, "calendar": day.calendar.value, "name": day.name}


def day_of(said: Json) -> Day:
    """Reads what ``day_json`` writes."""
    *year, month, day = (int(part) for part in said["date"].split("-"))
    return Day(month, day, year[0] if year else None, Calendar(said["calendar"]), said["name"])


def hours_json(hours: Hours) -> Json:
    """``weekly`` null: always open."""
    weekly = None
    if hours.weekly is not None:
        week = zip(WEEKDAYS, hours.weekly, strict=True)
        weekly = {name: [span_json(span) for span in spans] for name, spans in week if spans}
    return {
        "weekly": weekly,
        "holidays": [day_json(day) for day in hours.holidays],
        "lists": list(hours.lists),
        "exceptions": [
            day_json(day) | {"open": [span_json(span) for span in spans]} for day, spans in hours.exceptions
        ],
    }


def hours_of(said: Json) -> Hours:
    """Reads what ``hours_json`` writes."""
    weekly = said["weekly"]
    return Hours(
        tuple(_spans(weekly.get(name, [])) for name in WEEKDAYS) if weekly is not None else None,
        tuple(day_of(day) for day in said["holidays"]),
        tuple((day_of(day), _spans(day["open"])) for day in said["exceptions"]),
        tuple(said.get("lists", ())),  # not in what was kept before there were lists
    )


def _spans(texts: list[str]) -> tuple[Minutes, ...]:
    return tuple(sorted(span_of(text) for text in texts))


def destination_json(to: Destination) -> Json:
    """``kind`` and what belongs to it; ``say`` null: the usual prompts."""
    said: Json = {"kind": KINDS[type(to)], "say": list(to.say) if to.say is not None else None}
    match to:
        case ToQueue():
            said |= {"queue": str(to.queue), "keep_place": to.keep_place}
        case ToNumber():
            said |= {"number": to.number, "ring_s": to.ring_s}
        case ToVoicemail():
            said |= {"most_s": to.most_s, "silence_s": to.silence_s}
    return said


def destination_of(said: Json) -> Destination:
    """Reads what ``destination_json`` writes."""
    say = tuple(said["say"]) if said["say"] is not None else None
    match said["kind"]:
        case "queue":
            return ToQueue(QueueId(said["queue"]), said["keep_place"], say)
        case "number":
            return ToNumber(said["number"], said["ring_s"], say)
        case "voicemail":
            return ToVoicemail(said["most_s"], said["silence_s"], say)
        case _:
            return ToMessage(say)


def overflow_json(rules: Overflow) -> Json:
    """Every limit, and where each leads."""
    return {
        **{name: destination_json(getattr(rules, name)) for name in DESTINATIONS},
        "leave_on_close": rules.leave_on_close,
        "most_waiting": rules.most_waiting,
        "joining_needs": rules.joining_needs.value if rules.joining_needs is not None else None,
        "waiting_needs": rules.waiting_needs.value if rules.waiting_needs is not None else None,
        "empty_s": rules.empty_s,
        "most_wait_s": rules.most_wait_s,
        "most_expected_s": rules.most_expected_s,
    }


def overflow_of(said: Json) -> Overflow:
    """Reads what ``overflow_json`` writes."""
    parts: Json = {name: destination_of(said[name]) for name in DESTINATIONS}
    needs: Json = {name: Presence(said[name]) if said[name] else None for name in ("joining_needs", "waiting_needs")}
    plain: Json = {
        name: said[name] for name in ("leave_on_close", "most_waiting", "empty_s", "most_wait_s", "most_expected_s")
    }
    return Overflow(**parts, **needs, **plain)


def closing_json(closing: Closing) -> Json:
    """As kept in the database."""
    to = destination_json(closing.to) if closing.to is not None else None
    return {"by": closing.by, "reason": closing.reason, "to": to, "leave": closing.leave}


def closing_of(said: Json, since: float) -> Closing:
    """Reads what ``closing_json`` writes."""
    to = destination_of(said["to"]) if said["to"] is not None else None
    return Closing(said["by"], since, said["reason"], to, said["leave"])
