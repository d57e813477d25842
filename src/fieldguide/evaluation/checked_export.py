"""An exported file, and whether it answers as its model does."""

from dataclasses import dataclass, fields
from typing import Any

from fieldguide.evaluation.export_check import ExportCheck
from fieldguide.modelfile.exports.conversion import Exported


@dataclass(frozen=True, kw_only=True)
class CheckedExport(Exported):
    """What ``fieldguide export`` wrote."""

    check: ExportCheck | None = None
    """What came of running both files on photos; None where none were named."""

    @staticmethod
    def of(exported: Exported, check: ExportCheck | None) -> "CheckedExport":
        """A file that was written, with its check."""
        own = {field.name: getattr(exported, field.name) for field in fields(Exported)}
        return CheckedExport(**own, check=check)

    def as_dict(self) -> dict[str, Any]:
        """What ``export --check --json`` writes; without a check, the file and its sizes."""
        if self.check is not None:
            return self.check.as_dict()
        return {
            "path": str(self.path),
            "beside": None if self.beside is None else str(self.beside),
            "bytes_before": self.bytes_before,
            "bytes_after": self.bytes_after,
        }
