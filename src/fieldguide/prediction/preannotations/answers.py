"""What a form of pre-annotations is given: a model, and its answer to each photo."""

from dataclasses import dataclass

from fieldguide.prediction.rows import Row


@dataclass(frozen=True)
class AnnotatingModel:
    """The model that answers."""

    version: str
    """Names it by its seal, so that a tool can tell the answers of two models apart."""
    classes: tuple[str, ...]


@dataclass(frozen=True)
class ModelAnswer:
    """The answer to one photo."""

    name: str
    """The photo's path from the folder of the file, with slashes."""
    path: str
    """The photo as it was named."""
    label: str | None
    """The class; None where the photo is unknown to the model or was refused."""
    probability: float
    """Of the most probable class; of tags, of the answer to the least sure one, given or not; 0 where the
    photo was refused."""
    typicality: float
    """0 where the photo was refused."""
    remark: dict[str, str]
    """What there is to say of a photo without a label."""
    tags: tuple[tuple[str, float | None], ...] | None = None
    """Of a model of tags: those given with their probabilities, as far as these are known; None where the
    photo is unknown to the model or was refused, and of a model of single labels."""

    @property
    def given(self) -> "tuple[tuple[str, float | None], ...] | None":
        """The label or the tags with their probabilities; None where there is no answer."""
        return self.tags if self.label is None else ((self.label, self.probability),)

    @classmethod
    def of(cls, row: Row, name: str) -> "ModelAnswer":
        """The answer in a row of results.

        Examples
        --------
        >>> from fieldguide.prediction.result import refused
        >>> answer = ModelAnswer.of(refused("a.jpg", "truncated", "it ends early").as_row(), "a.jpg")
        >>> answer.label, answer.remark
        (None, {'refused': 'truncated: it ends early'})
        """
        if row["error"] is not None:
            said = {"refused": f"{row['error']['code']}: {row['error']['message']}"}
            return cls(name, row["path"], None, 0.0, 0.0, said)
        if "labels" in row:
            return cls._of_tags(row, name)
        label = None if row["unknown"] else row["label"]
        remark = {"unknown": f"like none of the classes, most like {row['label']}"} if row["unknown"] else {}
        return cls(name, row["path"], label, row["probability"], row["typicality"], remark)

    @classmethod
    def _of_tags(cls, row: Row, name: str) -> "ModelAnswer":
        """How sure it is of the least sure tag stands in the place of the probability of a label."""
        shares = {one["label"]: one["probability"] for one in row["top"]}
        sure = min((max(share, 1 - share) for share in shares.values()), default=0.0)
        if row["unknown"]:
            said = {"unknown": f"like none of the photos learned from, most like {row['label']}"}
            return cls(name, row["path"], None, sure, row["typicality"], said)
        tags = tuple((tag, shares.get(tag)) for tag in row["labels"])
        return cls(name, row["path"], None, sure, row["typicality"], {}, tags)
