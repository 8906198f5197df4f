"""A queue's way of calling back as JSON, for the catalogue's column and the bodies of ``/v1/queues``."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from acd.callback_policy import CallbackMode, CallbackPolicy, HarmPolicy, OfferPolicy, Retries, Retry

Json = dict[str, Any]


def policy_json(policy: CallbackPolicy) -> Json:
    """All of it, in plain values."""
    return {**asdict(policy), "mode": policy.mode.value}


def policy_of(stored: Mapping[str, Any]) -> CallbackPolicy:
    """What an older version has stored lacks fields, and those have their defaults."""
    known: Json = {name: value for name, value in stored.items() if name in _names(CallbackPolicy)}
    known["mode"] = CallbackMode(known.get("mode", CallbackMode.AGENT_FIRST))
    retries = {cause: Retry(**retry) for cause, retry in known.pop("retries", {}).items() if cause in _names(Retries)}
    known["retries"] = replace(Retries(), **retries)
    known["offer"] = _part(OfferPolicy, known.pop("offer", {}))
    known["harm"] = _part(HarmPolicy, known.pop("harm", {}))
    return CallbackPolicy(**known)


def _part(kind: Any, stored: Mapping[str, Any]) -> Any:
    names = _names(kind)
    lists = {name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()}
    return kind(**{name: value for name, value in lists.items() if name in names})


def _names(kind: Any) -> frozenset[str]:
    return frozenset(one.name for one in fields(kind))
