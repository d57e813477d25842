"""A model file measured, with all that was asked for beside: other models, doubts, the answers themselves."""

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from fieldguide.data.plausibility.doubts import Doubt
from fieldguide.evaluation.model_comparison import ModelComparison
from fieldguide.evaluation.result import Evaluation, Outcomes
from fieldguide.evaluation.tag_comparison import TagComparison
from fieldguide.evaluation.tag_result import TagEvaluation, TagOutcomes

if TYPE_CHECKING:
    from fieldguide.data.dataset import Dataset


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelEvaluation(Evaluation):
    """What ``fieldguide evaluate`` finds."""

    model: str
    """The model file, as the person named it."""
    data: str
    """What the person calls the data."""
    outcomes: Outcomes
    """The answers, a row an image that could be read."""
    images: "Dataset"
    """These images, in the same order."""
    doubts: tuple[Doubt, ...] = ()
    """What of the data may be meant otherwise."""
    notes: tuple[str, ...] = ()
    """Sentences for a person: what the model cannot say, what was skipped of the data."""
    against: ModelComparison | None = None
    """Other models on the same images, where they were named."""

    @staticmethod
    def of(measured: Evaluation, **beside: Any) -> "ModelEvaluation":
        """A measurement with what stands beside it, by the names of the fields above."""
        own = {field.name: getattr(measured, field.name) for field in fields(Evaluation)}
        return ModelEvaluation(**own, **beside)

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``evaluate --json``, with doubts and the comparison added."""
        answer = {**super().as_dict(), "doubts": [doubt.as_dict() for doubt in self.doubts]}
        if self.against is not None:
            answer["against"] = self.against.as_dict()
        return answer


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelTagEvaluation(TagEvaluation):
    """What ``fieldguide evaluate`` finds of a model of tags."""

    model: str
    """The model file, as the person named it."""
    data: str
    """What the person calls the data."""
    outcomes: TagOutcomes
    """The answers, a row a photo that could be read."""
    images: "Dataset"
    """These photos, in the same order."""
    doubts: tuple[Doubt, ...] = ()
    """What of the data may be meant otherwise."""
    notes: tuple[str, ...] = ()
    """Sentences for a person: what the model cannot say, what was skipped of the data."""
    against: TagComparison | None = None
    """Other models on the same photos, where they were named."""

    @staticmethod
    def of(measured: TagEvaluation, **beside: Any) -> "ModelTagEvaluation":
        """A measurement with what stands beside it, by the names of the fields above."""
        own = {field.name: getattr(measured, field.name) for field in fields(TagEvaluation)}
        return ModelTagEvaluation(**own, **beside)

    def as_dict(self) -> dict[str, Any]:
        """The contract's ``evaluate --json`` for tags, with doubts and the comparison added."""
        answer = {**super().as_dict(), "doubts": [doubt.as_dict() for doubt in self.doubts]}
        if self.against is not None:
            answer["against"] = self.against.as_dict()
        return answer
