"""``Word``: the closed sets of words that states, causes and outcomes come from."""

from enum import StrEnum


class Word(StrEnum):
    """A word of a closed set. It is the string that it is, and hashed as one: an ``Enum`` is hashed in Python, each time anew."""

    __hash__ = str.__hash__


# A member looked up through its class costs ten times a name (CPython 3.11: the metaclass has a hook). Modules that ask at each
# message for the same few therefore name them once, at their top.
