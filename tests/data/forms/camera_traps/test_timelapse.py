"""Timelapse: Windows paths, photos marked for deletion, the column of labels and of groups."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import draw
from form_samples_published import timelapse, write_lines

HEAD = "File,RelativePath,DateTime,DeleteFlag,Kind,Site"


def test_the_folder_of_a_camera_is_the_group(tmp_path):
    with open_dataset(timelapse(tmp_path)) as dataset:
        assert dataset.groups == ("Station\\Camera0", "Station\\Camera1") * 3
        assert "labels in 'Species'" in dataset.notes[0]


@pytest.fixture
def data(tmp_path):
    rows = [HEAD]
    for number, kind in enumerate(("fox", "hare", "fox", "hare")):
        draw(tmp_path / "Cam" / f"IMG_{number}.JPG", number)
        rows.append(f"IMG_{number}.JPG,Cam,2020,{'true' if number == 3 else 'false'},{kind},S{number}")
    write_lines(tmp_path / "TimelapseData.csv", [*rows, ",Cam,2020,false,fox,S"])
    return tmp_path


def test_one_folder_is_no_group_and_the_deleted_are_counted(data):
    with open_dataset(data, options=DataOptions(label_column="Kind")) as dataset:
        assert dataset.labels == ("fox", "hare", "fox")
        assert dataset.groups is None
        assert "1 entry left out: marked for deletion (DeleteFlag)" in dataset.notes
        assert dataset.refused[0].path == f"{data / 'TimelapseData.csv'}, row 5"


def test_columns_that_a_person_names(data):
    with open_dataset(data, options=DataOptions(label_column="Kind", group_column="site")) as dataset:
        assert dataset.groups == ("S0", "S1", "S2")
    with (
        pytest.raises(DataError, match=r"--group-column must be one of its columns, .*got 'x'"),
        open_dataset(data, options=DataOptions(label_column="Kind", group_column="x")),
    ):
        pass
