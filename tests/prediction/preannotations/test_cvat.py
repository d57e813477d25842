"""CVAT's tags of a model."""

from xml.etree import ElementTree

from PIL import Image

from preannotations_made import CLASSES, written


def test_cvat_s_tags(photos):
    root = ElementTree.parse(written(photos, "cvat")).getroot()
    assert [label.text for label in root.iterfind("meta/task/labels/label/name")] == list(CLASSES)
    images = {image.get("name"): image for image in root.iter("image")}
    assert list(images) == ["photos/a.jpg", "photos/b.jpg", "photos/deep/c.jpg", "photos/new.jpg"]
    assert [images["photos/a.jpg"].get(name) for name in ("id", "width", "height")] == ["0", "6", "4"]
    tag = images["photos/deep/c.jpg"].find("tag")
    assert (tag.get("label"), tag.get("source")) == ("dog & co", "auto")
    assert {one.get("name"): one.text for one in tag} == {
        "probability": "0.75",
        "typicality": "0.5",
        "model": "fieldguide-0123456789ab",
    }
    assert list(images["photos/new.jpg"]) == []


def test_cvat_s_size_is_that_of_the_photo_upright(photos):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (6, 4)).save(photos / "photos/a.jpg", exif=exif)
    image = ElementTree.parse(written(photos, "cvat")).getroot().find("image")
    assert (image.get("width"), image.get("height")) == ("4", "6")
