"""``record``: the values that facts, events and requests are made of.

To the type checker a record is frozen, and assigning to a field is an error. At run time it is a plain slotted dataclass: a call
makes some twenty of them, and a dataclass that also guards itself at run time takes three times as long to make.

Of what a dataclass brings only the constructor is written for each class. To compare, to hash and to show records is the same for
all, over the values of their fields: Python would compile three more functions for each of them, at every start of the service.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def record(cls: type[T]) -> type[T]:
    """Make ``cls`` a value: fields by annotation, equality and hash by all of them."""
    made = dataclass(slots=True, eq=False, repr=False)(cls)
    names = tuple(one.name for one in fields(made))  # type: ignore[arg-type]  # it is one now
    for name, function in _functions(names, attrgetter(*names) if names else lambda _: ()).items():
        setattr(made, name, function)
    return made


def _functions(names: tuple[str, ...], values: Callable[[Any], Any]) -> dict[str, Callable[..., Any]]:
    """``values`` gives those of a record's fields."""

    def equals(self: object, other: object) -> bool:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: object) -> int:
        return hash(values(self))

    def shown(self: object) -> str:
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"

    return {"__eq__": equals, "__hash__": hashed, "__repr__": shown}
