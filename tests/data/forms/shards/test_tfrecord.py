"""TFRecord: damaged records are counted, the rest of a cut file is said, the other usual names are known."""

import pytest

from fieldguide.data.dataset import open_dataset
from form_samples import draw
from form_samples_published import tf_example, tf_record, tfrecord

JPEG = b"\xff\xd8\xff"


def test_shards_and_parts(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    with open_dataset(tfrecord(folder)) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("validation"))) == (4, 2)


def write(folder, *contents, end=b""):
    (folder / "set.tfrecord").write_bytes(b"".join(map(tf_record, contents)) + end)
    return folder


def test_tensorflow_datasets_names_and_numbers(tmp_path):
    image = draw(tmp_path / "hidden" / "x.png").read_bytes()
    (tmp_path / "hidden" / "x.png").unlink()
    write(tmp_path, tf_example(image=image, label=0), tf_example(image=image, label=1))
    (tmp_path / "labels.txt").write_text("cat\ndog\n")
    with open_dataset(tmp_path) as dataset:
        assert dataset.labels == ("cat", "dog")


def test_damaged_records_are_counted(tmp_path):
    good = [tf_example(image=JPEG + bytes([n]), label=n % 2) for n in range(4)]
    bad = [b"\x0a\xff", tf_example(image=b"raw", label=1), tf_example(label=1)]
    write(tmp_path, *good, *bad, end=tf_record(good[0])[:-6])
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 4
        places = [refusal.path.partition(", ")[2] for refusal in dataset.refused]
        assert places == ["record 5", "record 6", "record 7", "record 8"]
        assert "the file ends within a record; the rest is lost" in dataset.refused[3].message


@pytest.mark.parametrize(
    ("at", "said"), [(0, "has another checksum; the rest is lost"), (30, "another checksum")]
)
def test_a_flipped_bit_is_seen(tmp_path, at, said):
    good = [tf_example(image=JPEG + bytes([n]), label=n % 2) for n in range(4)]
    write(tmp_path, *good)
    file = tmp_path / "set.tfrecord"
    content = bytearray(file.read_bytes())
    content[2 * len(content) // 4 + at] ^= 1
    file.write_bytes(content)
    with open_dataset(tmp_path) as dataset:
        assert said in dataset.refused[0].message
        assert len(dataset) == (2 if at == 0 else 3)
