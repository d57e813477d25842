"""Label Studio: several annotators, ties, several controls, tasks that nobody annotated."""

import json

import pytest

from fieldguide.data.dataset import open_dataset
from fieldguide.data.options import DataOptions
from fieldguide.errors import DataError
from fieldguide.tasks.task import EITHER, Task
from form_samples import draw, write_csv, write_json


def choices(*labels, name="choice"):
    return {"type": "choices", "from_name": name, "to_name": "image", "value": {"choices": list(labels)}}


def task(number, *answers, **more):
    image = f"/data/upload/1/0a1b2c3d-{number}.jpg"
    annotations = [
        {"id": place, "result": answer, "was_cancelled": False} for place, answer in enumerate(answers)
    ]
    return {"id": number, "data": {"image": image}, "annotations": annotations, **more}


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        draw(tmp_path / f"upload/{number}.jpg", number)
    return tmp_path


def read(folder, value, **options):
    write_json(folder / "export.json", value)
    with open_dataset(folder, options=DataOptions(**options)) as dataset:
        return dataset


def test_the_majority_of_the_annotators_and_ties_by_name(folder):
    cat, dog = [choices("cat")], [choices("dog")]
    value = [task(0, cat, dog, cat), task(1, dog), task(2, cat, dog), task(3, dog, dog)]
    dataset = read(folder, value)
    assert dataset.labels == ("cat", "dog", "dog")
    assert any(
        "annotators tie on '/data/upload/1/0a1b2c3d-2.jpg' (cat or dog); left out" in n for n in dataset.notes
    )
    assert "1 entry left out: annotators tie" in dataset.notes


def test_what_was_not_annotated_is_counted_by_reason(folder):
    cancelled = task(2, [choices("cat")])
    cancelled["annotations"][0]["was_cancelled"] = True
    predicted = task(3, predictions=[{"result": [choices("cat")], "score": 0.9}])
    value = [task(0, [choices("cat")]), task(1, [choices("dog")]), cancelled, predicted, task(4), task(5, [])]
    notes = read(folder, value).notes
    assert "1 entry left out: predictions only, no annotation" in notes
    assert "3 entries left out: no annotation that counts: skipped, cancelled or not done" in notes
    assert "6 tasks, 2 with one choice, 4 left out" in notes[0]


def test_of_several_controls_one_is_the_label(folder):
    both = [
        task(number, [choices(label, name="species"), choices("blurred", name="quality")])
        for number, label in enumerate(["cat", "dog"])
    ]
    assert read(folder, both).labels == ("cat", "dog")
    other = json.loads(json.dumps(both).replace("species", "mood"))
    with pytest.raises(DataError, match="got 'mood', 'quality'; say which with --label-column"):
        read(folder, other)
    assert read(folder, other, label_column="mood").labels == ("cat", "dog")


def minimal(number, choice, annotator=1, **more):
    entry = {"image": f"/data/upload/1/0a1b2c3d-{number}.jpg", "id": number, "annotator": annotator}
    if choice:
        entry["choice"] = choice
    return {**entry, "annotation_id": number, "created_at": "x", "updated_at": "x", "lead_time": 1.5, **more}


def test_json_min_brings_the_annotations_of_a_task_together(folder):
    value = [minimal(0, "cat"), minimal(0, "dog", 2), minimal(0, "dog", 3), minimal(1, "cat"), minimal(2, "")]
    value += [minimal(3, {"choices": ["cat", "dog"]}), minimal(4, "cat"), minimal(4, "dog", 2)]
    dataset = read(folder, value)
    assert dataset.labels == ("dog", "cat")
    assert "5 tasks, 2 with one choice, 3 left out" in dataset.notes[0]


def test_csv_writes_several_choices_as_json(folder):
    header = ["annotation_id", "annotator", "choice", "id", "image", "lead_time"]
    said = ["cat", "dog", '{"choices": ["cat", "dog"]}']
    rows = [
        [9, 1, choice, number, f"/data/upload/1/0a1b2c3d-{number}.jpg", 2]
        for number, choice in enumerate(said)
    ]
    write_csv(folder / "x.csv", [header, *rows])
    with open_dataset(folder) as dataset:
        assert dataset.labels == ("cat", "dog")
        assert (
            "1 entry left out: several choices in a task are tags (--task multiple reads them)"
            in dataset.notes
        )


def test_a_task_that_is_none_is_named(folder):
    value = [task(0, [choices("cat")]), 7, {"data": [], "annotations": []}, task(1, [choices("dog")])]
    refused = [(refusal.path.rpartition(", ")[2], refusal.code) for refusal in read(folder, value).refused]
    assert refused == [("task 2", "damaged_row"), ("task 3", "damaged_row")]


def test_tasks_that_nobody_annotated_are_no_data_set(folder):
    write_json(folder / "tasks.json", [{"id": 1, "data": {"image": "a.jpg"}}])
    with (
        pytest.raises(DataError, match=r"Label Studio tasks that nobody has annotated; label some"),
        open_dataset(folder / "tasks.json"),
    ):
        pass


def test_as_tags_who_chose_nothing_has_answered(folder):
    both, none = [choices("cat", "dog")], []
    skipped = task(3, none)
    skipped["annotations"][0]["was_cancelled"] = True
    tasks = [
        task(1, both, none, both),
        task(2, none),
        skipped,
        task(4, [choices("cat")]),
        task(5, both, none),
    ]
    write_json(folder / "export.json", tasks)
    options = DataOptions(form="label-studio", task=Task.MULTIPLE)
    with open_dataset(folder, options=options, tasks=EITHER) as dataset:
        assert [tags.present for tags in dataset.tags] == [("cat", "dog"), (), ("cat",), ()]
