import fieldguide
from fieldguide.data.dataset import open_dataset
from fieldguide.explanation.photo_explanation import explain_photo


def test_the_class_next_to_it_and_the_images_like_it_stand_beside(colours, paint_classes, tmp_path):
    photos = paint_classes(tmp_path / "photos", {"red": 4, "green": 4})
    photo = photos / "red" / "000.png"
    model = fieldguide.load(colours)
    with open_dataset(photos) as data:
        result = explain_photo(model, photo, train=data)
    assert result.label == "red" and result.second.label == result.rival
    assert [one.label for one in result.nearest][:2] == ["red", "red"]
    assert len(result.pictures) == len(result.nearest)
    assert list(result.as_dict())[-2:] == ["second", "nearest"]
    assert "nearest" not in explain_photo(model, photo).as_dict()
    assert explain_photo(model, photo, "blue").label == "blue"
    assert result.picture().width > 700
