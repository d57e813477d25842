"""The patient of a DICOM image becomes its group, so that no patient is both learned from and tested on.

A photo of a patient that the model was trained with is easier than one of a stranger, so that accuracy over
shared patients promises too much. Only two elements of a header are read, and only their hash leaves this
module.
"""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from fieldguide.data.scan import count_of, may_be_dicom, suffix_of
from fieldguide.errors import RefusedInput
from fieldguide.images.decoding import read_bytes
from fieldguide.images.dicom.elements import Elements, read_elements
from fieldguide.images.formats import DICOM_SUFFIXES, is_dicom
from fieldguide.progress import Progress, silent

_PATIENT_ID, _STUDY_UID = 0x0010_0020, 0x0020_000D
_HEAD_BYTES = 1 << 16
"""Both elements nearly always lie within the first so many bytes."""
_HASH_DIGITS = 16
_REPORT_EVERY = 100


def patient_groups(
    paths: Sequence[str], *, progress: Progress = silent
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """Groups of images by patient, else by study.

    Where all images name one patient, as after a careless anonymisation, studies are the groups; where
    they are all of one study as well, there are none.

    Parameters
    ----------
    paths : sequence of str
        Image files of any format; only those that are DICOM by their names are opened.
    progress : Progress, optional
        Callback for progress: the number of headers read, as stage ``patients``.

    Returns
    -------
    groups : tuple of str, or None
        For each image 16 digits of a SHA-256, empty where it has no group; None where no image has one.
    notes : tuple of str
        How many images of how many patients stay together, for a person.
    """
    places = [place for place, path in enumerate(paths) if _is_candidate(path)]
    if not places:
        return None, ()
    found = []
    for done, place in enumerate(places, start=1):
        found.append(_identities(paths[place]))
        if done % _REPORT_EVERY == 0 or done == len(places):
            progress("patients", done, len(places))
    patients, studies = ([identity[kind] for identity in found] for kind in (0, 1))
    # An image without a patient is grouped by its study.
    mixed = [patient or study for patient, study in found]
    for groups, noun in ((mixed, "patient" if any(patients) else "study"), (studies, "study")):
        if len(set(groups) - {""}) > 1:
            return _spread(groups, places, len(paths)), _notes(groups, noun)
    if not any(mixed):
        return None, ()
    return None, ("all DICOM images name one patient and one study, so they are not used as groups",)


def _is_candidate(path: str) -> bool:
    name = re.split(r"[/\\]", path)[-1]
    return suffix_of(name) in DICOM_SUFFIXES or may_be_dicom(name)


def _identities(path: str) -> tuple[str, str]:
    """Hashes of patient and study; empty where the file does not say, or cannot be read."""
    wanted = {_PATIENT_ID, _STUDY_UID}
    try:
        elements = _of_head(path, wanted) or read_elements(read_bytes(path), wanted)[1]
    except (OSError, ValueError, RefusedInput):
        return "", ""
    return _hashed("patient", elements.raw(_PATIENT_ID)), _hashed("study", elements.raw(_STUDY_UID))


def _of_head(path: str, wanted: set[int]) -> Elements | None:
    """Elements from the beginning of a file; None where they are not there and it goes on."""
    with Path(path).open("rb") as file:
        head = file.read(_HEAD_BYTES)
    try:
        elements = read_elements(head, wanted)[1]
    except RefusedInput:
        if len(head) < _HEAD_BYTES or not is_dicom(head):
            raise
        return None
    return elements if elements.found or len(head) < _HEAD_BYTES else None


def _hashed(kind: str, value: bytes) -> str:
    stripped = value.strip(b"\0 ")
    if not stripped:
        return ""
    return hashlib.sha256(kind.encode() + b"\0" + stripped).hexdigest()[:_HASH_DIGITS]


def _spread(groups: list[str], places: list[int], count: int) -> tuple[str, ...]:
    """Groups of some images as groups of all, empty for the rest."""
    result = [""] * count
    for place, group in zip(places, groups, strict=True):
        result[place] = group
    return tuple(result)


def _notes(groups: list[str], noun: str) -> tuple[str, ...]:
    named = [group for group in groups if group]
    together = f"{count_of(len(named), 'image')} of {count_of(len(set(named)), noun)} stay together"
    without = len(groups) - len(named)
    return (together + (f"; {without} name neither patient nor study" if without else ""),)
