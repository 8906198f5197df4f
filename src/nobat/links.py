"""Settings to AMI links."""

from acd.ids import PbxId
from ami.health import Observer
from ami.link import LinkConfig
from ami.pbx import Pbx, PbxConfig
from nobat.clock import Clock
from nobat.ports import Deliver, MakePbx, PbxLink
from nobat.settings import PbxSettings, Settings


def make_ami_link(settings: Settings, clock: Clock, run_id: int) -> MakePbx:
    """What makes the link of a configured Asterisk. ``run_id`` is this run's of the service."""
    configured = {one.name: one for one in settings.pbx}

    def make(name: PbxId, deliver: Deliver, observer: Observer) -> PbxLink:
        return Pbx(_config(configured[name], run_id), deliver, observer, clock.now)

    return make


def _config(one: PbxSettings, run_id: int) -> PbxConfig:
    secret = one.secret.get_secret_value() if one.secret is not None else ""
    link = LinkConfig(
        host=one.host,
        port=one.port,
        username=one.username,
        secret=secret,
        action_s=one.action_deadline_s,
        ping_every_s=one.ping_s,
        ping_s=one.ping_deadline_s,
    )
    return PbxConfig(PbxId(one.name), link, epoch=str(run_id))
