"""``record``: the values that facts, events and requests are made of.

To the type checker a record is frozen, and assigning to a field is an error. At run time it is a plain slotted dataclass: a call
makes some twenty of them, and a dataclass that also guards itself at run time takes three times as long to make.
"""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Make ``cls`` a value: fields by annotation, equality and hash by all of them."""
    return dataclass(slots=True, unsafe_hash=True)(cls)
