"""Class folders say everything by themselves."""

from fieldguide.data.writers.folders import write
from fieldguide.data.writers.placing import PlacedPhoto
from form_samples import draw


def placed(folder, *photos):
    """Photos that lie in a folder, by name and label."""
    for number, (name, _) in enumerate(photos):
        draw(folder / name, number)
    return [PlacedPhoto(name, label, "", "") for name, label in photos]


def test_nothing_is_added_to_the_photos(tmp_path):
    write(placed(tmp_path, ("cat/a.jpg", "cat")), tmp_path)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")] == ["cat/a.jpg"]
