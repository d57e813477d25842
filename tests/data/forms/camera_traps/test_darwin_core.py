"""Darwin Core: the descriptor says where what stands; addresses are named; what does not join is counted."""

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import DataError
from form_samples import draw
from form_samples_published import darwin_core, write_lines

HEAD = "gbifID\ttype\tformat\tidentifier"


def test_photos_of_an_occurrence_are_a_group(tmp_path):
    with open_dataset(darwin_core(tmp_path)) as dataset:
        assert dataset.groups == ("1000", "1001", "1002", "1003", "1004", "1005")


def test_addresses_are_named_or_found_under_their_occurrence(tmp_path):
    darwin_core(tmp_path)
    draw(tmp_path / "fetched" / "1000.jpg")
    host = "https://inaturalist-open-data.s3.amazonaws.com/photos"
    lines = [
        f"1000\tStillImage\timage/jpeg\t{host}/27/original.jpg",
        f"1001\tStillImage\t\t{host}/28/original.jpg",
    ]
    lines += [
        "1002\tSound\taudio/mp3\tx.mp3",
        "77\tStillImage\t\tmedia/cat/a1.jpg",
        "1003\t\t\tmedia/dog/b1.jpg",
    ]
    write_lines(tmp_path / "multimedia.txt", [HEAD, *lines])
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("cat", "dog")
        assert dataset.paths[0].endswith("fetched/1000.jpg")
        codes = [(refusal.path.rpartition("/")[2], refusal.code) for refusal in dataset.refused]
        assert codes == [("multimedia.txt, row 4", "damaged_row"), ("original.jpg", "remote")]
        assert "1 entry left out: no still images" in dataset.notes


def test_a_photo_of_two_species_is_counted(tmp_path):
    darwin_core(tmp_path)
    file = tmp_path / "multimedia.txt"
    write_lines(file, [*file.read_text().splitlines(), "1003\tStillImage\t\tmedia/cat/a1.jpg"])
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 5
        assert any("several species on a photo" in note for note in dataset.notes)


def test_names_are_needed(tmp_path):
    darwin_core(tmp_path)
    descriptor = tmp_path / "meta.xml"
    descriptor.write_text(descriptor.read_text().replace("scientificName", "vernacularName"))
    with (
        pytest.raises(DataError, match=r"occurrence\.txt: it must have the column scientificName"),
        open_dataset(tmp_path),
    ):
        pass


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("occurrence.txt", "../occurrence.txt"),
        ('fieldsTerminatedBy="\\t"', 'fieldsTerminatedBy=""'),
        ('id index="0"', 'id index="-1"'),
        ("<archive", '<!DOCTYPE a [<!ENTITY x "y">]><archive'),
        ("dwc/terms/Occurrence", "dwc/terms/Taxon"),
    ],
)
def test_a_descriptor_that_cannot_be_followed_is_none(tmp_path, old, new):
    darwin_core(tmp_path)
    descriptor = tmp_path / "meta.xml"
    text = descriptor.read_text()
    assert old in text
    descriptor.write_text(text.replace(old, new))
    with open_dataset(tmp_path / "media") as dataset:
        assert len(dataset) == 6
    with pytest.raises(DataError, match="found none"), open_dataset(tmp_path, options=named()):
        pass


def named():
    from fieldguide.data.options import DataOptions

    return DataOptions(form="darwin-core")
