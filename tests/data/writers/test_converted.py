from pathlib import Path

from fieldguide.data.writers.converted import Converted
from fieldguide.errors import Refusal


def test_the_fields_as_json_holds_them():
    done = Converted(Path("out"), "coco", 3, (Refusal("a.jpg", "truncated", "it ends early"),), ("a note",))
    assert done.as_dict() == {
        "path": "out",
        "form": "coco",
        "photos": 3,
        "refused": [{"path": "a.jpg", "code": "truncated", "message": "it ends early"}],
        "notes": ["a note"],
    }
