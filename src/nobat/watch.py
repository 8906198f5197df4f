"""Tells the operator how the PBX links are: one line when a link changes, in words that say what to do.

Sits between a link and its metrics: everything is counted, and changes of health are logged too.
"""

from collections.abc import Mapping

import structlog

from acd.ids import PbxId
from ami.health import Health, HealthState, Observer

log = structlog.get_logger(__name__)

_WORDS = {
    HealthState.DOWN: "PBX out of reach: its calls go on, nothing new is offered there; trying again",
    HealthState.LOGIN_REFUSED: "PBX refuses the AMI login: check username and secret against its manager.conf",
    HealthState.WRONG_SYSTEM_NAME: "PBX has another systemname than the name in our settings: nothing is routed there",
    HealthState.MISSING_CONTEXTS: "PBX lacks contexts of our dialplan: include dialplan/extensions.conf and reload it",
    HealthState.MISSING_RIGHTS: "PBX gives the AMI account too few rights: see asterisk-conf/manager.conf",
    HealthState.DANGEROUS: "PBX lets its AMI do anything: set live_dangerously = no in its asterisk.conf and restart it",
    HealthState.READY: "PBX is ready: its calls are routed",
}
_REASONS = {
    "certificate_refused": "PBX shows a certificate that is not trusted, or is not for its host: the secret was not sent",
    "no_tls": "PBX does not speak TLS at the address of its AMI: see tlsenable in its manager.conf, and [[pbx]] port",
}
"""Of a state's reasons, those that call for something else to be done."""
_WARNINGS = {
    "unsupported_asterisk": "PBX runs an Asterisk outside 22.1 to 22.10: parts of this service may not work with it",
    "known_holes": "PBX runs an Asterisk with known security holes: bring it to 22.10.1 or newer",
}


class WatchedLink:
    """An ``ami.health.Observer`` that logs, in front of one that counts."""

    def __init__(self, pbx: PbxId, counted: Observer) -> None:
        self._pbx, self._counted = pbx, counted
        self._said: tuple[HealthState, str] | None = None
        self._quarantined: set[str] = set()

    def events(self, counts: Mapping[str, int]) -> None:
        self._counted.events(counts)

    def quarantined(self, reason: str) -> None:
        self._counted.quarantined(reason)
        if reason not in self._quarantined:  # a closed set; the rest is counted only, or a flood would fill the disk
            self._quarantined.add(reason)
            log.warning(
                "a message of the PBX was not believed; more of the kind are counted", pbx=self._pbx, reason=reason
            )

    def action(self, action: str, result: str, seconds: float) -> None:
        self._counted.action(action, result, seconds)

    def health(self, health: Health) -> None:
        self._counted.health(health)
        words = _REASONS.get(health.reason, _WORDS.get(health.state))
        if words is None or self._said == (health.state, health.reason):
            return  # on its way to somewhere, or said before
        self._said = (health.state, health.reason)
        if health.ready:
            log.info(words, pbx=self._pbx, version=health.asterisk_version)
        else:
            log.error(words, pbx=self._pbx, reason=health.reason)
        for warning in health.warnings:
            log.warning(_WARNINGS.get(warning, warning), pbx=self._pbx, version=health.asterisk_version)
