"""What the lab is told by its environment (``LAB_…``), with the defaults that its users know."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.asterisk import LabError
from lab.pbx import CHECKOUT

_MOST_AGENTS = 120


@dataclass(frozen=True, slots=True)
class LabSettings:
    """Ports, places and size of one lab. Two labs with folders and ports of their own live side by side."""

    directory: Path
    sip_port: int = 5060
    http_port: int = 8080
    ami_port: int = 5038
    trunk: str = "127.0.0.1:5080"
    agents: int = 40
    rtp_timeout_s: int = 5

    def shown(self) -> dict[str, str]:
        """As text, to compare a running lab with what is asked for now."""
        return {name: str(value) for name, value in asdict(self).items()}


def read_settings(environment: Mapping[str, str] = os.environ) -> LabSettings:
    """The settings; a mistake names the variable."""
    directory = Path(environment.get("LAB_DIR") or CHECKOUT / ".lab").absolute()
    return LabSettings(
        directory=directory,
        sip_port=_number(environment, "LAB_SIP_PORT", 5060, 65535),
        http_port=_number(environment, "LAB_HTTP_PORT", 8080, 65535),
        ami_port=_number(environment, "LAB_AMI_PORT", 5038, 65535),
        trunk=_trunk(environment),
        agents=_number(environment, "LAB_AGENTS", 40, _MOST_AGENTS),
        rtp_timeout_s=_number(environment, "LAB_RTP_TIMEOUT", 5, 3600),
    )


def _number(environment: Mapping[str, str], name: str, default: int, most: int) -> int:
    text = environment.get(name) or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise LabError(f"{name}={text}: a whole number from 1 to {most} is needed")
    return int(text)


def _trunk(environment: Mapping[str, str]) -> str:
    text = environment.get("LAB_TRUNK") or "127.0.0.1:5080"
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or not host.replace(".", "").replace("-", "").isalnum():
        raise LabError(f"LAB_TRUNK={text}: host:port is needed")
    return text
