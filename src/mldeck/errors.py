"""The errors that are shown to the user as one line, which names the object and a way out."""


class MldeckError(Exception):
    """The base class. The message is complete: it says what is wrong and what to do about it."""


class UsageError(MldeckError):
    """The command line or the settings ask for something impossible; the exit status is 2."""


class StoreUnmade(UsageError):
    """The database does not exist or is incomplete; MLflow may be about to create it."""


class StoreUnavailable(MldeckError):
    """The database cannot be read now, but perhaps later: it is locked, replaced or missing."""


class StoreLocked(StoreUnavailable):
    """Another program holds a lock on the database and will release it sooner or later."""


class StoreChanged(StoreUnavailable):
    """The file was opened as immutable, but another program has changed it; it must be opened again."""


class Interrupted(MldeckError):
    """A read was stopped because its result is no longer needed."""
