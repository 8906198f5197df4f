"""The PBX of the lab and of the tests: the shipped ``asterisk-conf/`` and ``dialplan/``, with their placeholders filled.

Called by ``lab.stack`` and ``tests.support.pbx``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.asterisk import Instance
from lab.phones import Phone, pbx_sections
from lab.prompts import ready_prompts

CHECKOUT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class PbxSettings:
    """What differs from one PBX to the next."""

    sip_port: int
    ami_port: int
    ami_secret: str
    trunk: str  # host:port to which calls to customers go
    phones: Sequence[Phone]
    rtp_start: int
    rtp_end: int
    name: str = "pbx1"
    rtp_timeout_s: int = 5
    queues: str = ""  # for app_queue: who serves callers while the service is gone
    ami_tls_port: int = 0  # with it the AMI speaks TLS as well
    tls_port: int = 0  # with it the profile of encrypted phones is there; keys/ has its certificate
    site_pjsip: str = ""  # the site's own lines of pjsip.conf
    qualify_s: int = 0  # 0: no OPTIONS to phones; the lab's live on loopback


def write_pbx(instance: Instance, settings: PbxSettings) -> None:
    """Render the PBX's folder. The instance must not be running."""
    conf = CHECKOUT / "asterisk-conf"
    instance.write(
        {
            ".": conf,
            "dialplan": CHECKOUT / "dialplan",
            **({"tls": conf / "profiles" / "tls"} if settings.tls_port else {}),
            **({"ami-tls": conf / "profiles" / "ami-tls"} if settings.ami_tls_port else {}),
        },
        {
            "pjsip-phones.conf": pbx_sections(settings.phones),
            "nobat-queues.conf": settings.queues,
            "pjsip-site.conf": settings.site_pjsip,
        },
        {
            "PBX_NAME": settings.name,
            "SIP_BIND": "127.0.0.1",
            "SIP_PORT": str(settings.sip_port),
            "AMI_PORT": str(settings.ami_port),
            "AMI_SECRET": settings.ami_secret,
            "RTP_START": str(settings.rtp_start),
            "RTP_END": str(settings.rtp_end),
            "RTP_TIMEOUT": str(settings.rtp_timeout_s),
            "QUALIFY_S": str(settings.qualify_s),
            "TRUNK": settings.trunk,
            "TRUNK_MATCH": "127.0.0.1",
            "SIP_TLS_PORT": str(settings.tls_port),
            "AMI_TLS_BIND": "127.0.0.1",
            "AMI_TLS_PORT": str(settings.ami_tls_port),
            "TLS_DIR": instance.inside("etc", "keys"),
        },
        ready_prompts(),
    )
