"""Where the app keeps what it must not forget: one folder beside the models, by a name that tells."""

import json
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import OutputError
from fieldguide.files import atomic_write

OWN = "fieldguide-app"
"""Name of the folder inside DIR."""
MOST_RECENT = 8
"""Data sets that are offered again."""


@dataclass(frozen=True)
class Workspace:
    """DIR: model files lie in it, everything else in one folder of its own.

    Where that folder cannot be made, every property raises OutputError.
    """

    folder: Path
    """Absolute."""

    @property
    def corrections(self) -> Path:
        """Photos that were answered wrongly, with their right labels."""
        return self._own("corrections")

    @property
    def tag_corrections(self) -> Path:
        """The same with their right tags."""
        return self._own("corrections-of-tags")

    @property
    def collected(self) -> Path:
        """Photos recorded by camera, a folder a collection."""
        return self._own("collected")

    @property
    def uploads(self) -> Path:
        """Data sets that came as an archive, unpacked."""
        return self._own("data")

    @property
    def jobs(self) -> Path:
        """Training runs, a folder each."""
        return self._own("jobs")

    @property
    def fixes(self) -> Path:
        """Corrections tables of data sets."""
        return self._own("fixes")

    def recent(self) -> tuple[Path, ...]:
        """Data sets used lately that are still there, the last one first."""
        try:
            listed = json.loads(self._recent_file.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return ()
        paths = [Path(item) for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
        return tuple(path for path in paths if path.exists())

    def remember(self, data: Path) -> None:
        """Put a data set at the head of the recent ones.

        Raises
        ------
        OutputError
            If DIR cannot be written to.
        """
        kept = [str(data), *(str(path) for path in self.recent() if path != data)][:MOST_RECENT]
        if [Path(item) for item in kept] == list(self.recent()):
            return
        with atomic_write(self._recent_file) as file:
            file.write(json.dumps(kept).encode("ascii"))

    @property
    def _recent_file(self) -> Path:
        return self._own() / "recent.json"

    def _own(self, *parts: str) -> Path:
        folder = self.folder.joinpath(OWN, *parts)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{folder}: cannot be made ({error.strerror}); the app keeps what it needs there, so make "
                "room for a folder of this name, or start it on another folder"
            ) from error
        return folder
