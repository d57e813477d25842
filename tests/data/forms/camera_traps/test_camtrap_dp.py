"""Camtrap DP: media joined with observations, of the photo itself or of its event."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from form_samples import write_json
from form_samples_published import MEDIA, OBSERVATION, camtrap_dp, write_lines


@pytest.fixture
def data(tmp_path):
    return camtrap_dp(tmp_path)


def observe(data, *rows):
    write_lines(data / "observations.csv", [OBSERVATION, *rows])


def test_the_deployment_is_the_group(data):
    with open_dataset(data) as dataset:
        assert dataset.groups == ("dep0", "dep1") * 3
        assert dataset.notes[0].startswith("Camtrap DP: 6 photos with one species or blank, 2 deployments")


def test_any_of_its_files_may_be_named(data):
    with open_dataset(data / "datapackage.json") as dataset:
        assert len(dataset) == 6


def test_blank_people_several_and_unknown(data):
    observe(
        data,
        "1,dep0,a1,,,,media,blank,,,,,,,human,",
        "2,dep1,a2,,,,media,human,,,,,,,human,",
        "3,dep0,a3,,,,media,animal,,fox,,,,,human,",
        "4,dep0,a3,,,,media,animal,,hare,,,,,human,",
        "5,dep1,b1,,,,media,unknown,,,,,,,human,",
        "6,dep0,b2,,,,media,animal,,fox,1,adult,,,human,",
        "7,dep0,b2,,,,media,animal,,fox,3,juvenile,,,human,",
        "8,dep0,,,,,media,animal,,fox,,,,,human,",
    )
    with open_dataset(data) as dataset:
        assert dataset.labels == ("blank", "human", "fox")
        said = " ".join(dataset.notes)
        assert "1 entry left out: several species on a photo are tags" in said
        assert "2 entries left out: not identified" in said  # one unknown, one never observed
        assert [refusal.path for refusal in dataset.refused] == [f"{data / 'observations.csv'}, row 8"]


def test_an_event_counts_for_the_photos_of_its_time(data):
    observe(
        data,
        "1,dep0,,e1,2020-05-30T02:57:10Z,2020-05-30T02:57:12Z,event,animal,,fox,,,,,human,",
        "2,dep1,,e2,2020-05-30T02:57:00Z,2020-05-30T02:58:00Z,event,animal,,hare,,,,,human,",
        "3,dep1,b1,e2,2020-05-30T02:57:13Z,2020-05-30T02:57:13Z,media,blank,,,,,,,human,",
    )
    with open_dataset(data) as dataset:
        seen = {
            path.rpartition("/")[2]: label for path, label in zip(dataset.paths, dataset.labels, strict=True)
        }
        assert seen == {
            "a1.jpg": "fox",
            "a2.jpg": "hare",
            "a3.jpg": "fox",
            "b1.jpg": "blank",
            "b3.jpg": "hare",
        }


def test_addresses_are_named_and_local_copies_are_taken(data):
    address = "https://multimedia.agouti.eu/assets/07840dcc/file"
    rows = [
        f"a1,dep0,,,{address},true,a1.jpg,image/jpeg,,,",
        f"a2,dep0,,,{address},true,elsewhere.jpg,image/jpeg,,,",
        "b1,dep0,,,photos/dog/b1.jpg,true,,image/jpeg,,,",
        "b2,dep0,,,photos/dog/b2.mp4,true,,video/mp4,,,",
        ",dep0,,,photos/dog/b2.jpg,true,,image/jpeg,,,",
    ]
    write_lines(data / "media.csv", [MEDIA + "favorite,mediaComments", *rows])
    with open_dataset(data) as dataset:
        assert dataset.labels == ("cat", "dog")
        codes = [(refusal.path, refusal.code) for refusal in dataset.refused]
        assert codes == [(f"{data / 'media.csv'}, row 5", "damaged_row"), (address, "remote")]
        assert "1 entry left out: videos and sounds" in dataset.notes


def test_a_package_that_points_out_of_its_folder_is_not_followed(data):
    resources = [
        {"name": "media", "path": "../media.csv"},
        {"name": "observations", "path": "observations.csv"},
    ]
    write_json(data / "datapackage.json", {"resources": resources})
    (data / "media.csv").rename(data.parent / "media.csv")
    camtrap = DataOptions(form="camtrap-dp")
    with pytest.raises(DataError, match="found none"), open_dataset(data, options=camtrap):
        pass
    (data.parent / "media.csv").unlink()
