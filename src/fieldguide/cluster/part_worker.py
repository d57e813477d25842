"""What one process of a cluster does: answers the inputs of a part with one thread and writes the part."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from fieldguide.errors import FieldguideError, Refusal
from fieldguide.modelfile.artifact import ModelFile
from fieldguide.prediction.items import Item
from fieldguide.prediction.parts import Manifest, PartFolder
from fieldguide.prediction.predictor import Predictor
from fieldguide.prediction.rows import Row

MOST_NAMED = 20


@dataclass(frozen=True)
class Part:
    """Work for one process."""

    number: int
    items: Sequence[Item]
    retried: bool = False
    """Whether the part is there and only what it holds as refused is to be tried again."""

    @property
    def title(self) -> str:
        """What a person calls it, by the name of its file."""
        return f"part {self.number}"


@dataclass(frozen=True)
class PartDone:
    """What came of it."""

    number: int
    rows: int = 0
    refused: int = 0
    first_refused: tuple[Refusal, ...] = ()
    failed: str = field(default="")
    """Why the whole run cannot go on, such as a full disk; empty where it can."""


class PartWorker:
    """Lives in a process of its own, with a model that uses one thread, so that cores are not shared.

    Parameters
    ----------
    model_file
        A checked model file.
    folder
        Where parts are written.
    manifest
        Of the run.
    """

    def __init__(self, model_file: ModelFile, folder: PartFolder, manifest: Manifest) -> None:
        self._predictor = Predictor(model_file, threads=1)
        self._folder = folder
        self._manifest = manifest

    def ready(self) -> None:
        """Answer once the model is loaded."""

    def work(self, part: Part) -> PartDone:
        """Write a part."""
        try:
            rows = self._retried(part) if part.retried else self._answered(part.items)
            first, _ = self._manifest.bounds(part.number)
            self._folder.write_part(part.number, first, rows, self._manifest)
        except FieldguideError as error:
            return PartDone(part.number, failed=str(error))
        refused = [Refusal(row["path"] or "", **row["error"]) for row in rows if row["error"] is not None]
        return PartDone(part.number, len(rows), len(refused), tuple(refused[:MOST_NAMED]))

    def _answered(self, items: Sequence[Item]) -> list[Row]:
        return [answer.as_row() for answer in self._predictor.predict_stream(items, top=self._manifest.top)]

    def _retried(self, part: Part) -> list[Row]:
        rows = self._folder.rows(part.number)
        places = [place for place, row in enumerate(rows) if row["error"] is not None]
        for place, row in zip(places, self._answered([part.items[place] for place in places]), strict=True):
            rows[place] = row
        return rows
