"""ImageNet: synsets get their names, the same name twice stays apart, validation photos their answers."""

from fieldguide.data.dataset import open_dataset
from form_samples import draw, write_json
from form_samples_published import imagenet, write_lines


def test_two_synsets_of_one_name_stay_apart(tmp_path):
    imagenet(tmp_path)
    write_lines(tmp_path / "LOC_synset_mapping.txt", ["n02123045 crane", "n02085620 crane"])
    with open_dataset(tmp_path) as dataset:
        assert dataset.classes == ("crane (n02085620)", "crane (n02123045)")


def test_validation_photos_by_the_list_of_answers(tmp_path):
    imagenet(tmp_path)
    for number, name in enumerate(("val_0.JPEG", "val_1.JPEG", "val_2.JPEG")):
        draw(tmp_path / "val" / "images" / name, number)
    answers = ["val_0.JPEG\tn02123045\t0\t32\t44\t62", "val_1.JPEG\tn02085620\t0\t1\t2\t3", "nothing"]
    write_lines(tmp_path / "val" / "val_annotations.txt", answers)
    with open_dataset(tmp_path) as dataset:
        assert dataset.select("validation").labels == ("cat", "dog")
        assert dataset.refused[0].path.endswith("val_annotations.txt, line 3")
        assert "1 entry left out: in no folder of a synset, and in no list of answers" in dataset.notes


def test_kaggles_and_keras_lists(tmp_path):
    imagenet(tmp_path)
    (tmp_path / "LOC_synset_mapping.txt").unlink()
    write_json(
        tmp_path / "imagenet_class_index.json", {"0": ["n02123045", "tabby"], "1": ["n02085620", "Chihuahua"]}
    )
    draw(tmp_path / "val" / "ILSVRC2012_val_00000001.JPEG")
    write_lines(
        tmp_path / "LOC_val_solution.csv",
        ["ImageId,PredictionString", "ILSVRC2012_val_00000001,n02123045 85 1 499 272 "],
    )
    with open_dataset(tmp_path) as dataset:
        assert dataset.classes == ("Chihuahua", "tabby")
        assert dataset.select("validation").labels == ("tabby",)


def test_a_synset_without_a_name_keeps_its_number(tmp_path):
    imagenet(tmp_path)
    write_lines(tmp_path / "LOC_synset_mapping.txt", ["n02123045 cat"])
    with open_dataset(tmp_path) as dataset:
        assert dataset.classes == ("cat", "n02085620")
        assert any("1 synset without a name" in note for note in dataset.notes)
