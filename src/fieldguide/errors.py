"""What can go wrong, in one wording: which thing, what is allowed, what we got, what to do.

Two kinds. A :class:`FieldguideError` means the work cannot start or go on; a door (command line,
server, app) turns it into exit code 2, an HTTP 4xx or a red box. A :class:`RefusedInput` concerns a
single image; whoever works through many images catches it, keeps it as a :class:`Refusal` and goes on.
"""

from dataclasses import dataclass


class FieldguideError(Exception):
    """Work cannot start or go on; the text is one sentence that says what to do."""


class OptionError(FieldguideError):
    """An option or argument has a value that is not allowed."""


class DataError(FieldguideError):
    """DATA as a whole cannot be used: missing, empty, one class only, a hostile archive."""


class DataValueError(DataError, ValueError):
    """The same in scikit-learn's hands, whose tools expect a ValueError where X or y is wrong."""


class BackboneError(FieldguideError):
    """A backbone is unknown, or its weights cannot be had now."""


class ModelFileError(FieldguideError):
    """A model file is damaged, hostile, or not one of fieldguide's."""


class TrainingError(FieldguideError):
    """Training gives no usable network: the loss is no number, or memory does not suffice."""


class ProcessEnded(TrainingError):
    """A process that trains with others has ended; the same command goes on from the checkpoint."""


class OutputError(FieldguideError):
    """A result cannot be written where it was asked for."""


class RefusedInput(Exception):
    """One image cannot be used.

    Parameters
    ----------
    code
        One of :data:`fieldguide.images.decoding.CODES`.
    message
        One sentence for a person; names neither a path nor a Python exception.

    Examples
    --------
    >>> from fieldguide.images.formats import identify
    >>> try:
    ...     identify(b"")
    ... except RefusedInput as refused:
    ...     Refusal("a.jpg", refused.code, refused.message).code
    'truncated'
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Refusal:
    """One input that was not used, as results report it."""

    path: str
    """The input as the person named it."""
    code: str
    """A short stable word, such as ``truncated``."""
    message: str
    """One sentence that says what is wrong."""

    def as_dict(self) -> dict[str, str]:
        """The three fields as JSON holds them."""
        return {"path": self.path, "code": self.code, "message": self.message}
