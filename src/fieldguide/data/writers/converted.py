"""What came of writing photos and labels: as splits, or in another form."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldguide.errors import Refusal


@dataclass(frozen=True)
class Converted:
    """Photos and labels that were written in another form."""

    path: Path
    """The folder."""
    form: str
    """A key of :data:`fieldguide.data.writers.WRITERS`."""
    photos: int
    """How many were written."""
    refused: tuple[Refusal, ...]
    """What of DATA could not be used."""
    notes: tuple[str, ...]
    """Sentences about DATA."""

    def as_dict(self) -> dict[str, Any]:
        """The fields as JSON holds them."""
        return {
            "path": str(self.path),
            "form": self.form,
            "photos": self.photos,
            "refused": [refusal.as_dict() for refusal in self.refused],
            "notes": list(self.notes),
        }
