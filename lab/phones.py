"""The lab's phones: who they are, and their sections of pjsip.conf.

Called by ``lab.stack`` for the PBX, and by the phone bank for the other end of the same phones.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SUPERVISORS = 5


@dataclass(frozen=True, slots=True)
class Phone:
    """A SIP phone: the endpoint is also its user name."""

    endpoint: str
    password: str


def lab_phones(agents: int) -> tuple[Phone, ...]:
    """``agent-101`` … and ``supervisor-201`` …, with the passwords that soft phones are told in the README."""
    names = [f"agent-{101 + n}" for n in range(agents)] + [f"supervisor-{201 + n}" for n in range(SUPERVISORS)]
    return tuple(Phone(name, f"nobat-{name}") for name in names)


def pbx_sections(phones: Sequence[Phone]) -> str:
    """pjsip-phones.conf of the PBX: endpoint, password and place of each phone, made from the templates of pjsip.conf."""
    return "\n".join(line for phone in phones for line in _pbx_sections(phone))


def _pbx_sections(phone: Phone) -> Iterator[str]:
    number = phone.endpoint.rpartition("-")[2]
    yield f"[{phone.endpoint}](phone)"
    yield f"aors = {phone.endpoint}"
    yield f"auth = {phone.endpoint}"
    yield f"callerid = {phone.endpoint} <{number}>"
    yield f"[{phone.endpoint}](phone-secret)"
    yield f"username = {phone.endpoint}"
    yield f"password = {phone.password}"
    yield f"[{phone.endpoint}](phone-place)"
    yield ""
