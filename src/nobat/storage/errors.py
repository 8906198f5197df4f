"""What can go wrong between the service and its database, as far as anybody outside needs to tell it apart."""


class StorageUnavailable(Exception):
    """The database did not do what was asked in time: away, busy or full. Nothing is known to be kept."""


class StorageConflict(Exception):
    """A row with that key, or a number that must be unique, exists already; or what a row refers to does not."""


class WrongDatabase(Exception):
    """The database cannot be used at all; the message is for the operator and complete."""
