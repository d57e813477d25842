"""Wildlife Insights: names by preference, blank photos, several identifications, addresses in the cloud."""

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from form_samples_published import INSIGHTS, wildlife_insights, write_lines

ROWS = (
    "7,dep0,i1,a1.jpg,gs://a,1,Somebody,,,,,,,Blank,,2021-08-26,0",
    "7,dep1,i2,a2.jpg,gs://a,0,Computer Vision,,Mammalia,Carnivora,Felidae,Panthera,onca,Jaguar,,2021,1",
    "7,dep0,i3,a3.jpg,gs://a,0,Somebody,,Mammalia,Carnivora,Felidae,Puma,concolor,,,2021,1",
    "7,dep1,i4,b1.jpg,gs://a,0,Somebody,,,,,,,,,2021,1",
    "7,dep0,i5,b2.jpg,gs://a,0,Somebody,,Mammalia,,,,,Jaguar,,2021,1",
    "7,dep0,i5,b2.jpg,gs://a,0,Somebody,,Mammalia,,,,,Ocelot,,2021,1",
    "7,dep1,i6,z.jpg,gs://bucket/dep1/z.jpg,0,Somebody,,Mammalia,Rodentia,,,,,,2021,1",
    "7,dep1,i7,,,0,Somebody,,,,,,,Jaguar,,2021,1",
)


def test_what_is_taken_for_the_label(tmp_path):
    wildlife_insights(tmp_path)
    write_lines(tmp_path / "images_7.csv", [INSIGHTS, *ROWS])
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("blank", "Jaguar", "Puma concolor")
        assert dataset.groups == ("dep0", "dep1", "dep0")
        codes = [(refusal.path.rpartition("/")[2], refusal.code) for refusal in dataset.refused]
        assert codes == [("images_7.csv, row 8", "damaged_row"), ("z.jpg", "remote")]
        said = " ".join(dataset.notes)
        assert "1 entry left out: not identified" in said
        assert "1 entry left out: several species on a photo" in said


def test_a_person_may_choose_another_rank(tmp_path):
    with open_dataset(
        wildlife_insights(tmp_path), options=DataOptions(label_column="order"), minimum_classes=1
    ) as d:
        assert d.classes == ("Carnivora",)
