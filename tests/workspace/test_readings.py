"""What was said of a data set is remembered by its path."""

import json

from fieldguide.data.options import DataOptions
from fieldguide.workspace.folder import Workspace
from fieldguide.workspace.readings import as_arguments, keep_reading, reading_of


def test_what_was_said_is_kept_and_taken_back(tmp_path):
    space, data = Workspace(tmp_path), tmp_path / "photos"
    assert reading_of(space, data) == DataOptions()
    said = DataOptions(form="coco", label_column="kind", crops=True)
    keep_reading(space, data, said)
    assert reading_of(Workspace(tmp_path), data) == said
    assert reading_of(space, tmp_path / "others") == DataOptions()
    keep_reading(space, data, DataOptions())
    assert reading_of(space, data) == DataOptions()


def test_as_a_command_has_it():
    assert as_arguments(DataOptions()) == []
    assert as_arguments(DataOptions(label_from=r"(?P<label>\w+)_")) == ["--label-from", r"(?P<label>\w+)_"]


def test_a_file_that_somebody_edited_is_no_matter(tmp_path):
    space = Workspace(tmp_path)
    keep_reading(space, tmp_path / "a", DataOptions(form="coco"))
    file = tmp_path / "fieldguide-app" / "readings.json"
    for kept in ([], {str(tmp_path / "a"): 7}, {str(tmp_path / "a"): {"label_from": "("}}, "{"):
        file.write_text(kept if isinstance(kept, str) else json.dumps(kept))
        assert reading_of(space, tmp_path / "a") == DataOptions()
