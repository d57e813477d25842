import io
import json

import numpy as np
import pytest
from PIL import Image

from fieldguide.data.dataset import open_dataset
from fieldguide.errors import OptionError, RefusedInput
from fieldguide.tasks.task import EITHER, Task
from fieldguide.workspace.photo_store import PhotoStore
from fieldguide.workspace.tag_store import TagStore, holds_tags, store_in, tags_of


def jpeg(number):
    random = np.random.default_rng(number)
    memory = io.BytesIO()
    Image.fromarray(random.integers(0, 255, (24, 24, 3), dtype=np.uint8)).save(memory, "JPEG")
    return memory.getvalue()


@pytest.fixture
def store(tmp_path):
    return TagStore(tmp_path / "corrections")


def test_the_table_is_data_with_tags_and_none_is_an_answer(store):
    store.record_tags(jpeg(0), ["sea", "dog", "sea"], name="a.jpg", said="dog")
    store.record_tags(jpeg(1), [], name="b.jpg", said="dog")
    store.record_tags(jpeg(2), ["a|b;c"], name="c.jpg", said="")
    with open_dataset(store.table, minimum_classes=1, tasks=EITHER) as dataset:
        assert dataset.task is Task.MULTIPLE
        assert [tags.present for tags in dataset.tags] == [("dog", "sea"), (), ("a|b;c",)]
    assert store.counts() == {"dog": 1, "sea": 1, "a|b;c": 1}


def test_the_same_photo_again_changes_its_tags(store):
    store.record_tags(jpeg(0), ["sea"], name="a.jpg", said=None)
    kept = store.record_tags(jpeg(0), ["dog"], name="a.jpg", said=None, model="d" * 64)
    assert store.photos() == (kept,)
    assert tags_of(kept) == ["dog"]
    store.forget(kept.digest)
    assert store.photos() == ()


@pytest.mark.parametrize("tags", [[""], [" "], ["a" * 1_001], ["a\0b"], [f"{n}" for n in range(1_001)]])
def test_what_is_no_tag_is_refused(store, tags):
    with pytest.raises(OptionError, match="tag"):
        store.record_tags(jpeg(0), tags, name="a.jpg", said=None)
    assert store.photos() == ()


def test_what_is_no_photo_is_refused(store):
    with pytest.raises(RefusedInput):
        store.record_tags(b"no photo", ["dog"], name="a.jpg", said=None)
    assert store.photos() == ()


def test_takes_are_groups_where_every_tag_has_two(store):
    def lines():
        return [json.loads(line) for line in store.table.read_text().splitlines()]

    store.record_tags(jpeg(0), ["dog"], name="1", batch="x")
    store.record_tags(jpeg(1), [], name="2", batch="y")
    assert all("group" not in line for line in lines())
    store.record_tags(jpeg(2), ["dog"], name="3", batch="z")
    store.record_tags(jpeg(3), [], name="4", batch="z")
    assert [line["group"] for line in lines()] == ["x", "y", "z", "z"]


def test_a_folder_stays_of_the_kind_that_it_is(tmp_path):
    assert holds_tags(tmp_path / "new") is None
    assert isinstance(store_in(tmp_path / "new", tags=True), TagStore)
    assert not isinstance(store_in(tmp_path / "new", tags=False), TagStore)
    TagStore(tmp_path / "tags").record_tags(jpeg(0), [], name="1")
    PhotoStore(tmp_path / "labels").record(jpeg(0), "dog", name="1")
    assert isinstance(store_in(tmp_path / "tags", tags=False), TagStore)
    assert not isinstance(store_in(tmp_path / "labels", tags=True), TagStore)
