"""What an action is to whoever encodes it, for those of a module of their own (``ami.actions`` has the others)."""

from typing import Protocol

from ami.checks import Headers


class FeatureAction(Protocol):
    """An action of AMI: its name, and its headers in order."""

    @property
    def action(self) -> str: ...

    def headers(self) -> Headers: ...
