"""Label Studio's tasks and configuration."""

import json
import xml.etree.ElementTree as ElementTree

from fieldguide.data.writers.label_studio import configuration, local_path, write
from fieldguide.data.writers.placing import PlacedPhoto
from form_samples import draw


def placed(folder, *photos):
    """Photos that lie in a folder, by name and label."""
    for number, (name, _) in enumerate(photos):
        draw(folder / name, number)
    return [PlacedPhoto(name, label, "", "") for name, label in photos]


def test_tasks_hold_the_choice(tmp_path):
    write(placed(tmp_path, ("images/a b.jpg", "cat")), tmp_path)
    (task,) = json.loads((tmp_path / "tasks.json").read_text())
    assert task["data"] == {"image": "/data/local-files/?d=images/a%20b.jpg"}
    assert task["annotations"][0]["result"][0]["value"] == {"choices": ["cat"]}


def test_names_of_classes_do_not_break_the_configuration():
    root = ElementTree.fromstring(configuration(['<"a">', "b&c"]))
    assert [choice.get("value") for choice in root.iter("Choice")] == ['<"a">', "b&c"]
    assert local_path("ä.jpg") == "/data/local-files/?d=%C3%A4.jpg"
