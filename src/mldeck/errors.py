"""What can go wrong and be explained to a person: one line that names the thing and the way out."""


class MldeckError(Exception):
    """The message is complete: it names what is wrong and what to do about it."""


class UsageError(MldeckError):
    """The command was asked for something that cannot be: exit status 2."""


class StoreUnmade(UsageError):
    """There is no database, or not all of it: MLflow may be about to make it."""


class StoreUnavailable(MldeckError):
    """The database cannot be read now, but may be later: locked, replaced, or gone."""


class StoreLocked(StoreUnavailable):
    """Another program holds the database's lock; it lets go sooner or later."""


class StoreChanged(StoreUnavailable):
    """The file was changed while it was read as if nobody would: it must be opened anew."""


class Interrupted(MldeckError):
    """A read was stopped because its answer is no longer wanted."""
