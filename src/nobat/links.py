"""Settings to AMI links."""

import ssl

from acd.ids import PbxId
from ami.health import Observer
from ami.link import LinkConfig
from ami.pbx import Pbx, PbxConfig
from nobat.clock import Clock
from nobat.ports import Deliver, MakePbx, PbxLink
from nobat.settings import PbxSettings, Settings


class WrongCertificates(Exception):
    """The file that should vouch for an AMI's certificate cannot be used; the message is for the operator."""


def make_ami_link(settings: Settings, clock: Clock, run_id: int) -> MakePbx:
    """What makes the link of a configured Asterisk. ``run_id`` is this run's of the service. Raises ``WrongCertificates``."""
    configured = {one.name: one for one in settings.pbx}
    contexts = {one.name: trust(one) for one in settings.pbx}

    def make(name: PbxId, deliver: Deliver, observer: Observer) -> PbxLink:
        return Pbx(_config(configured[name], contexts[name], run_id), deliver, observer, clock.now)

    return make


def trust(one: PbxSettings) -> ssl.SSLContext | None:
    """By whom an AMI's certificate must be vouched for, and for whom; None for plain AMI."""
    if not one.tls:
        return None
    try:
        context = ssl.create_default_context(cafile=one.ca)
    except OSError as error:  # of which ssl.SSLError is one
        raise WrongCertificates(f"[[pbx]] {one.name}: ca {str(one.ca)!r}: {error.strerror or error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _config(one: PbxSettings, context: ssl.SSLContext | None, run_id: int) -> PbxConfig:
    secret = one.secret.get_secret_value() if one.secret is not None else ""
    link = LinkConfig(
        host=one.host,
        port=one.port,
        username=one.username,
        secret=secret,
        ssl=context,
        action_s=one.action_deadline_s,
        ping_every_s=one.ping_s,
        ping_s=one.ping_deadline_s,
    )
    return PbxConfig(PbxId(one.name), link, epoch=str(run_id))
