"""CVAT's XML: sizes, tags, subsets, names that markup must not break."""

import xml.etree.ElementTree as ElementTree

from fieldguide.data.writers.cvat import write
from fieldguide.data.writers.placing import PlacedPhoto
from form_samples import draw


def placed(folder, *photos):
    """Photos that lie in a folder, by name and label."""
    for number, (name, _) in enumerate(photos):
        draw(folder / name, number)
    return [PlacedPhoto(name, label, "", "") for name, label in photos]


def test_tags_and_sizes(tmp_path):
    write(placed(tmp_path, ("images/a&b.jpg", '<"cat">')), tmp_path)
    root = ElementTree.fromstring((tmp_path / "annotations.xml").read_bytes())
    image = root.find("image")
    assert image.attrib == {"id": "0", "name": "images/a&b.jpg", "width": "32", "height": "24"}
    assert image.find("tag").get("label") == '<"cat">'
    assert [name.text for name in root.findall(".//labels/label/name")] == ['<"cat">']


def test_splits_are_subsets(tmp_path):
    draw(tmp_path / "images/a.jpg")
    write([PlacedPhoto("images/a.jpg", "cat", "test", "")], tmp_path)
    root = ElementTree.fromstring((tmp_path / "annotations.xml").read_bytes())
    assert root.find("image").get("subset") == "test"
