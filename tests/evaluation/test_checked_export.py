from pathlib import Path

from fieldguide.evaluation.checked_export import CheckedExport
from fieldguide.evaluation.export_check import LIMITS, ExportCheck
from fieldguide.modelfile.exports.conversion import Exported


def test_the_json_is_the_checks_where_there_is_one():
    exported = Exported(Path("core.onnx"), Path("core.json"), 30, 20)
    check = ExportCheck("core", 4, 1.0, 0.0, 0.0, 1.0, 20, 1.5, (), LIMITS["core"])
    assert CheckedExport.of(exported, check).as_dict() == check.as_dict()
    assert CheckedExport.of(exported, None).as_dict() == {
        "path": "core.onnx",
        "beside": "core.json",
        "bytes_before": 30,
        "bytes_after": 20,
    }
