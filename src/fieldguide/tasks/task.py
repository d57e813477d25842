"""Whether a photo has one label or any number of tags: carried by every data set and every model file.

Everything that differs between the two is chosen by :class:`Task`, in one place in each package: the head and
its promises (`recipes`), the decision rule (`prediction`), the figures (`evaluation`). Whatever does not say
that it handles tags is never given any: :func:`refuse_unsupported` stops it with a sentence.
"""

from collections.abc import Container, Mapping
from enum import StrEnum
from typing import Any, Literal, TypeAlias

from fieldguide.errors import FieldguideError, OptionError

TaskName: TypeAlias = Literal["single", "multiple"]
"""A task as a person says it."""


class Task(StrEnum):
    """What is asked of a photo."""

    SINGLE = "single"
    """One label a photo; the probabilities of all classes add up to 1."""
    MULTIPLE = "multiple"
    """Any number of tags a photo, none included; each probability stands by itself."""

    @staticmethod
    def of_card(card: Mapping[str, Any]) -> "Task":
        """The task of a model, from its card; older cards do not state it.

        Examples
        --------
        >>> Task.of_card({}).value, Task.of_card({"task": "multiple"}).value
        ('single', 'multiple')
        """
        return Task(card.get("task", Task.SINGLE))


def as_task(value: str | None) -> Task | None:
    """A task by its name; None stays None.

    Raises
    ------
    OptionError
        If there is no such task.

    Examples
    --------
    >>> as_task("multiple") is Task.MULTIPLE, as_task(None)
    (True, None)
    """
    if value is None or value in tuple(Task):
        return None if value is None else Task(value)
    raise OptionError(
        f"task: must be one of {', '.join(Task)}, got {value!r}; leave it out to let the data decide"
    )


ONE_LABEL: frozenset[Task] = frozenset({Task.SINGLE})
"""What handles one label a photo and no tags."""
EITHER: frozenset[Task] = frozenset(Task)
"""What handles both."""


def refuse_unsupported(task: Task, handled: Container[Task], what: str, error: type[FieldguideError]) -> None:
    """Stop before tags are taken for labels, or labels for tags.

    Parameters
    ----------
    task
        Of the data or the model.
    handled
        What the caller handles.
    what
        Which data or model it is, for the error.
    error
        The kind of error to raise.

    Raises
    ------
    FieldguideError
        Of the kind `error`.

    Examples
    --------
    >>> from fieldguide.errors import DataError
    >>> refuse_unsupported(Task.MULTIPLE, ONE_LABEL, "photos.csv", DataError)
    Traceback (most recent call last):
        ...
    fieldguide.errors.DataError: photos.csv: must have one label a photo here, got tags (several ...
    """
    if task in handled:
        return
    if task is Task.MULTIPLE:
        raise error(
            f"{what}: must have one label a photo here, got tags (several labels a photo), which this does "
            "not handle yet; docs/tags.md says what does"
        )
    raise error(
        f"{what}: must have tags (several labels a photo) here, got one label a photo; see docs/tags.md"
    )
