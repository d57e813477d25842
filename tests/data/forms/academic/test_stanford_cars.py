"""Stanford Cars: one file for all, the devkit, and a test set whose labels are not published with it."""

from scipy.io import savemat

from fieldguide.data.dataset import open_dataset
from form_samples import LABELS, draw
from form_samples_published import CLASSES, TEST, cells, stanford_cars, structures


def test_the_devkit_has_both_parts(tmp_path):
    with open_dataset(stanford_cars(tmp_path)) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("test"))) == (4, 2)


def test_a_test_set_without_labels_is_left_out_and_said(tmp_path):
    stanford_cars(tmp_path)
    (tmp_path / "cars_test_annos_withlabels.mat").unlink()
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 4
        assert any(
            "2 entries left out: no class: cars_test_annos_withlabels" in note for note in dataset.notes
        )


def test_one_file_for_all(tmp_path):
    rows = []
    for number, (stem, label) in enumerate(LABELS.items()):
        draw(tmp_path / "car_ims" / f"{number:06d}.jpg", number)
        row = {
            "relative_im_path": f"car_ims/{number:06d}.jpg",
            "bbox_x1": 1,
            "class": 1 + CLASSES.index(label),
        }
        rows.append(row | {"test": int(stem in TEST)})
    rows[0]["class"] = 3
    rows[3]["class"] = "x"
    savemat(tmp_path / "cars_annos.mat", {"annotations": structures(rows), "class_names": cells(CLASSES)})
    with open_dataset(tmp_path) as dataset:
        assert (len(dataset), len(dataset.select("test"))) == (4, 2)
        assert [refusal.path[-9:] for refusal in dataset.refused] == [", entry 1", ", entry 4"]
        assert "an image and a class of 2" in dataset.refused[0].message
