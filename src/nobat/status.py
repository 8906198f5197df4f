"""``nobat status``: what the service does now, as a few tables for a person."""

from typing import Any

from nobat.rest_client import RestClient

Row = tuple[str, ...]


def report(client: RestClient) -> str:
    """The whole report. Raises ``RestError``."""
    ready = client.ask("GET", "/readyz", accept=503)  # a service that is not ready says so, and why
    queues = client.everything("/v1/queues")
    agents = client.everything("/v1/agents")
    parts = [
        f"service   {client.url}: {ready['status'].replace('_', ' ')}",
        f"database  {_part(ready['database'])}",
        *(
            f"pbx       {name}: {_part(part)} {part.get('asterisk') or ''}".rstrip()
            for name, part in ready["pbx"].items()
        ),
        "",
        _table(("QUEUE", "NUMBER", "WAITING", "LONGEST", "AGENTS"), [_queue(one) for one in queues]),
        "",
        _table(("AGENT", "NAME", "STATUS", "STATE", "PHONE", "CALL"), [_agent(one) for one in agents]),
    ]
    return "\n".join(parts)


def _part(part: dict[str, Any]) -> str:
    return "ready" if part["ready"] else f"{part['state'].replace('_', ' ')} ({part['reason']})"


def _queue(one: dict[str, Any]) -> Row:
    states = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in one["agents"].items() if count)
    return one["id"], one["number"], str(one["waiting"]), f"{one['longest_wait_s']:.0f} s", states or "none"


def _agent(one: dict[str, Any]) -> Row:
    status = one["status"].replace("_", " ") + (f" ({one['reason']})" if one["reason"] else "")
    return one["id"], one["name"], status, one["state"].replace("_", " "), one["phone"] or "-", one["call"] or "-"


def _table(head: Row, rows: list[Row]) -> str:
    if not rows:
        return f"no {head[0].lower()}s"
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in (head, *rows)
    )
