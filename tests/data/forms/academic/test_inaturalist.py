"""iNaturalist: species by category; what cannot be joined is counted; boxes are another form."""

from fieldguide.data.dataset import open_dataset
from fieldguide.data.forms.academic import inaturalist
from fieldguide.data.forms.source import DataSource
from form_samples import write_json
from form_samples_published import inaturalist as sample


def test_the_parts_by_the_files_names(tmp_path):
    with open_dataset(sample(tmp_path)) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("validation"))) == (4, 2)


def test_what_cannot_be_joined_is_counted(tmp_path):
    value = DataSource(sample(tmp_path)).json(tmp_path / "train.json")
    value["annotations"][0]["category_id"] = 77
    value["annotations"].append({"image_id": 2, "category_id": 0})
    value["annotations"].append("none")
    value["images"].append({"id": 12})
    write_json(tmp_path / "train.json", value)
    with open_dataset(tmp_path) as dataset:
        assert len(dataset.select("train")) == 2
        places = sorted(refusal.path.partition(", ")[2] for refusal in dataset.refused)
        assert places == ["annotation 1", "annotation 6", "image 5"]
        assert "1 entry left out: no annotation" in dataset.notes
        assert any("several categories of an image are tags" in note for note in dataset.notes)


def test_boxes_are_none_of_this_form(tmp_path):
    value = DataSource(sample(tmp_path)).json(tmp_path / "train.json")
    for annotation in value["annotations"]:
        annotation["bbox"] = [1, 2, 3, 4]
    write_json(tmp_path / "train.json", value)
    assert inaturalist.recognise(DataSource(tmp_path)) == [tmp_path / "val.json"]
