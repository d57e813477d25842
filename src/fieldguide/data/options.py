"""What a person says about DATA where its form leaves something open."""

import re
from dataclasses import dataclass

from fieldguide.errors import OptionError
from fieldguide.tasks.task import Task, as_task

KEYWORDS = "keywords"
"""What `label_from` begins with where the labels are keywords in the photos."""


@dataclass(frozen=True)
class DataOptions:
    """How DATA is to be read; what is not said is found out, and said in a note.

    Examples
    --------
    >>> DataOptions(label_from=r"(?P<label>[a-z]+)_[0-9]+").pattern.search("dog_12.jpg")["label"]
    'dog'
    """

    form: str | None = None
    """A key of :data:`fieldguide.data.forms.FORMS`; None finds it out."""
    path_column: str | None = None
    """The column of a table that names the images."""
    label_column: str | None = None
    """The column of a table that holds the labels."""
    split_column: str | None = None
    """The column of a table that holds train, validation or test."""
    group_column: str | None = None
    """The column of a table whose equal values stay on one side of every split."""
    label_from: str | None = None
    """A regular expression searched in each path below DATA, with a named group ``label`` and if wanted
    ``split`` and ``group``; or ``keywords``, or ``keywords:cat,dog``, for those in the photos."""

    crops: bool = False
    """Whether each annotated box is an image of its own, cut out of its photo, which becomes its group."""

    task: Task | None = None
    """One label a photo, or any number of tags; None lets the data decide."""

    def __post_init__(self) -> None:
        """Refuse an expression that cannot be used.

        Raises
        ------
        OptionError
            If `label_from` is no regular expression or has no group ``label``, or there is no such task.
        """
        object.__setattr__(self, "task", as_task(self.task))
        if self.label_from is not None and self.keywords is None:
            _ = self.pattern

    @property
    def pattern(self) -> re.Pattern[str]:
        """`label_from`, compiled."""
        try:
            pattern = re.compile(self.label_from or "")
        except re.error as error:
            raise OptionError(
                f"--label-from must be a regular expression, got {self.label_from!r} ({error}); mend it"
            ) from error
        if "label" not in pattern.groupindex:
            raise OptionError(
                "--label-from must have a group (?P<label>…), and may have split and group, "
                f"got {self.label_from!r}; add it"
            )
        return pattern

    @property
    def keywords(self) -> tuple[str, ...] | None:
        """The keywords that are classes, empty for any; None where labels come from elsewhere.

        Examples
        --------
        >>> DataOptions(label_from="keywords:red fox, hare").keywords
        ('red fox', 'hare')
        """
        name, _, chosen = (self.label_from or "").partition(":")
        if name != KEYWORDS:
            return None
        return tuple(word.strip() for word in chosen.split(",") if word.strip())

    @property
    def columns(self) -> dict[str, str | None]:
        """The columns that a person named, by what they hold."""
        return {
            "path": self.path_column,
            "label": self.label_column,
            "split": self.split_column,
            "group": self.group_column,
        }
