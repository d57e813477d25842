"""Patients of DICOM files as groups, of which nothing can be read back."""

import numpy as np
import pytest

from dicom_made import DEFLATED, dicom
from fieldguide.data import patients as module
from fieldguide.data.dataset import open_dataset
from fieldguide.data.patients import patient_groups

PICTURE = np.arange(64, dtype=np.uint16).reshape(8, 8)


@pytest.fixture
def made(tmp_path):
    """Writes a DICOM file and gives its path."""

    def write(name, syntax="1.2.840.10008.1.2.1", **elements):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(dicom(PICTURE, syntax, **elements))
        return str(path)

    return write


def test_images_of_one_patient_share_a_group_whatever_the_padding(made):
    paths = [made("a.dcm", PatientID="P1"), made("b.dcm", PatientID="P2"), made("c.DCM", PatientID="P1 ")]
    groups, notes = patient_groups([*paths, "photo.jpg"])
    assert groups[0] == groups[2] != groups[1] and groups[3] == ""
    assert notes == ("3 images of 2 patients stay together",)


def test_without_a_patient_the_study_counts(made):
    paths = [made(f"{n}.dcm", StudyInstanceUID=f"1.2.{n}") for n in (1, 2)] + [made("3.dcm")]
    groups, notes = patient_groups(paths)
    assert len(set(groups)) == 3 and groups[2] == ""
    assert notes == ("2 images of 2 studies stay together; 1 name neither patient nor study",)


def test_one_patient_for_all_is_no_group_but_studies_are(made):
    one = [made(f"{n}.dcm", PatientID="ANON", StudyInstanceUID=f"1.2.{n % 2}") for n in range(4)]
    groups, notes = patient_groups(one)
    assert len(set(groups)) == 2 and notes == ("4 images of 2 studies stay together",)
    groups, notes = patient_groups(one[::2])
    assert groups is None and "one patient" in notes[0]


def test_nothing_of_the_header_can_be_read_back(made):
    groups, notes = patient_groups([made("a.dcm", PatientID="SECRET"), made("b.dcm", PatientID="OTHER")])
    assert all(len(group) == 16 and not set(group) - set("0123456789abcdef") for group in groups)
    assert "SECRET" not in " ".join(notes)


def test_files_that_are_none_have_no_group(tmp_path, made):
    (tmp_path / "broken.dcm").write_bytes(b"nothing")
    paths = [str(tmp_path / "broken.dcm"), str(tmp_path / "absent.dcm")]
    assert patient_groups(paths) == (None, ())
    assert patient_groups(["a.jpg"]) == (None, ())


def test_a_patient_behind_much_else_is_found(made, monkeypatch):
    monkeypatch.setattr(module, "_HEAD_BYTES", 200)
    paths = [made("a.dcm", PatientID="1"), made("b", DEFLATED, PatientID="2")]
    assert len(set(patient_groups(paths)[0])) == 2


def test_progress_is_told(made):
    told = []
    patient_groups([made("a.dcm", PatientID="1")], progress=lambda *step: told.append(step))
    assert told == [("patients", 1, 1)]


@pytest.mark.parametrize("ending", [".dcm", ""])
def test_a_data_set_of_dicom_folders_has_groups_and_says_so(made, tmp_path, ending):
    for label in ("cyst", "none"):
        for n in range(4):
            made(f"{label}/IM{n}{ending}", PatientID=f"P{n % 3}")
    with open_dataset(tmp_path) as dataset:
        assert len(dataset) == 8 and len(set(dataset.groups)) == 3
        assert "8 images of 3 patients stay together" in dataset.notes
        assert ("8 files without an ending read as DICOM, by content" in dataset.notes) == (not ending)


def test_groups_that_a_table_names_are_kept(made, tmp_path):
    made("a.dcm", PatientID="P1")
    made("b.dcm", PatientID="P2")
    table = tmp_path / "labels.csv"
    table.write_text("path,label,group\na.dcm,x,shop\nb.dcm,y,shop\n")
    with open_dataset(table) as dataset:
        assert dataset.groups == ("shop", "shop")
    table.write_text("path,label\na.dcm,x\nb.dcm,y\n")
    with open_dataset(table) as dataset:
        assert len(set(dataset.groups)) == 2 and "" not in dataset.groups
