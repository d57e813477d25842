"""GTSRB: frames of one sign stay together; tables without classes, and Kaggle's."""

from fieldguide.data.dataset import open_dataset
from form_samples import draw
from form_samples_published import gtsrb, write_lines


def test_frames_of_a_sign_are_a_group(tmp_path):
    with open_dataset(gtsrb(tmp_path)) as dataset:
        assert set(dataset.select("train").groups) == {"0/00000", "1/00000"}
        assert set(dataset.select("test").groups) == {""}


def test_a_test_table_without_classes_is_not_used(tmp_path):
    gtsrb(tmp_path)
    test = tmp_path / "Final_Test/Images/GT-final_test.csv"
    write_lines(test.with_name("GT-final_test.test.csv"), ["Filename;Width", "00002.jpg;32"])
    test.unlink()
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 4
        assert dataset.splits is None


def test_damaged_rows_are_named(tmp_path):
    gtsrb(tmp_path)
    test = tmp_path / "Final_Test/Images/GT-final_test.csv"
    write_lines(test, [*test.read_text().splitlines(), "00099.jpg;32;24;5;5;27;19;x", ";;;;;;;1"])
    with open_dataset(tmp_path) as dataset:
        assert [refusal.path for refusal in dataset.refused] == [f"{test}, row 3", f"{test}, row 4"]


def test_kaggles_tables_name_paths(tmp_path):
    head = "Width,Height,Roi.X1,Roi.Y1,Roi.X2,Roi.Y2,ClassId,Path"
    rows = {
        "Train": ["Train/20/00020_00000_00000.jpg", "Train/1/00001_00000_00001.jpg"],
        "Test": ["Test/00000.jpg"],
    }
    for split, paths in rows.items():
        for number, path in enumerate(paths):
            draw(tmp_path / path, number)
        lines = [f"27,26,5,5,22,20,{number},{path}" for number, path in enumerate(paths)]
        write_lines(tmp_path / f"{split}.csv", [head, *lines])
    draw(tmp_path / "Meta/0.png")
    write_lines(tmp_path / "Meta.csv", ["Path,ClassId,ShapeId,ColorId,SignId", "Meta/0.png,0,0,0,3.32"])
    with open_dataset(tmp_path) as dataset:
        assert (len(dataset.select("train")), len(dataset.select("test"))) == (2, 1)
        assert dataset.select("train").groups == ("0/00000", "1/00000")
