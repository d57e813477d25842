"""CVAT's backups: frames of a manifest, jobs that overlap, deleted frames, projects, shapes."""

import json

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from fieldguide.images.decoding import open_image
from form_samples import LABELS, cvat_backup


def read(folder, **options):
    with open_dataset(folder, options=DataOptions(**options)) as dataset:
        sizes = [open_image(path).size for path in dataset.paths]
    return dataset, sizes


def change(file, how):
    value = json.loads(file.read_text())
    how(value)
    file.write_text(json.dumps(value))


def stems(dataset):
    return [path.rpartition("/")[2].removesuffix(".jpg") for path in dataset.paths]


def test_frames_count_from_the_start_and_by_the_step(tmp_path):
    cvat_backup(tmp_path)
    change(tmp_path / "task.json", lambda task: task["data"].update(start_frame=1, frame_filter="step=2"))

    def retag(jobs):
        tags = [{"frame": frame, "label": label} for frame, label in enumerate(("cat", "dog", "dog"))]
        jobs[:] = [{"tags": tags, "shapes": [], "tracks": []}]

    change(tmp_path / "annotations.json", retag)
    dataset, _ = read(tmp_path)
    assert dict(zip(stems(dataset), dataset.labels, strict=True)) == {"a2": "cat", "b1": "dog", "b3": "dog"}


def test_deleted_frames_are_left_out_and_strange_ones_refused(tmp_path):
    cvat_backup(tmp_path)
    change(tmp_path / "task.json", lambda task: task["data"].update(deleted_frames=[0]))
    strange = [{"frame": 99, "label": "cat"}, {"frame": 1}, "no tag"]
    change(tmp_path / "annotations.json", lambda jobs: jobs[0]["tags"].extend(strange))
    dataset, _ = read(tmp_path)
    assert stems(dataset) == [stem for stem in LABELS if stem != "a1"]
    assert any("deleted in CVAT" in note for note in dataset.notes)
    assert [refusal.path.rpartition(", ")[2] for refusal in dataset.refused] == ["tags 5", "tags 6", "tags 7"]


def test_a_project_s_subsets_are_splits(tmp_path):
    for number, subset in enumerate(("Train", "Test")):
        (tmp_path / f"task_{number}").mkdir()
        cvat_backup(tmp_path / f"task_{number}")
        change(tmp_path / f"task_{number}/task.json", lambda task, subset=subset: task.update(subset=subset))
    (tmp_path / "project.json").write_text(json.dumps({"name": "p", "labels": [], "version": "1.0"}))
    dataset, _ = read(tmp_path)
    assert dataset.splits == ("train",) * 6 + ("test",) * 6


def shapes(jobs):
    common = {"occluded": False, "z_order": 0, "source": "manual", "attributes": [], "group": 0}
    made = [
        {"type": "rectangle", "points": [1, 2, 11, 12], "rotation": 0.0, "frame": 0, "label": "cat"},
        {"type": "polygon", "points": [3, 4, 20, 4, 20, 20], "rotation": 0.0, "frame": 1, "label": "dog"},
        {"type": "rectangle", "points": [1, 2, 11, 12], "rotation": 30.0, "frame": 2, "label": "cat"},
        {"type": "rectangle", "points": [1, 2, 11], "rotation": 0.0, "frame": 3, "label": "cat"},
    ]
    jobs[:] = [{"tags": [], "shapes": [{**common, **shape} for shape in made], "tracks": [{"frame": 0}]}]


def test_without_tags_shapes_say_what_a_photo_shows(tmp_path):
    cvat_backup(tmp_path)
    change(tmp_path / "annotations.json", shapes)
    dataset, _ = read(tmp_path)
    assert dataset.labels == ("cat", "dog", "cat", "cat")
    assert any("1 track over several frames" in note for note in dataset.notes)


def test_shapes_are_cut_out(tmp_path):
    cvat_backup(tmp_path)
    change(tmp_path / "annotations.json", shapes)
    dataset, sizes = read(tmp_path, crops=True)
    assert (dataset.labels, sizes) == (("cat", "dog"), [(10, 10), (17, 16)])
    assert any("a shape that is turned" in note for note in dataset.notes)
    assert [refusal.message for refusal in dataset.refused] == [
        "a shape must have points with two numbers each"
    ]


def test_a_backup_without_its_manifest_is_a_sentence(tmp_path):
    cvat_backup(tmp_path)
    (tmp_path / "data/manifest.jsonl").unlink()
    with pytest.raises(DataError, match=r"must have data/manifest\.jsonl, which names its photos"):
        read(tmp_path)


def test_a_damaged_line_moves_no_other_photo(tmp_path):
    cvat_backup(tmp_path)
    manifest = tmp_path / "data/manifest.jsonl"
    lines = manifest.read_text().splitlines()
    lines[2] = lines[2][:10]
    manifest.write_text("\n".join(lines))
    dataset, _ = read(tmp_path)
    assert dict(zip(stems(dataset), dataset.labels, strict=True)) == {
        stem: label for stem, label in LABELS.items() if stem != "a1"
    }
    assert len(dataset.refused) == 2
