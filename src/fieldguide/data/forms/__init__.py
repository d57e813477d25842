"""The forms in which labelled photos lie around: a form is a file here and a line below.

Each reader has the same three names: ``TITLE``, one line for a person; ``recognise(source)``, the files that
it understands, none if DATA is not of this form; ``read(source, files)``, what they say. One that knows boxes
has a fourth, ``read_boxes(source, files)``: a record a box, for ``--crops``.
"""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

from fieldguide.data.forms.entries import SEVERAL
from fieldguide.data.forms.records import Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.forms.tagging import as_wanted
from fieldguide.errors import DataError, OptionError

FORMS = {
    "label-studio": "annotations.label_studio",
    "cvat": "annotations.cvat",
    "cvat-backup": "annotations.cvat_backup",
    "fiftyone": "annotations.fiftyone",
    "fiftyone-samples": "annotations.fiftyone_samples",
    "coco": "annotations.coco",
    "camera-traps": "annotations.camera_traps",
    "pascal-voc": "annotations.pascal_voc",
    "open-images": "annotations.open_images",
    "yolo": "annotations.yolo",
    "via": "annotations.via",
    "labelme": "annotations.labelme",
    "supervisely": "annotations.supervisely",
    "one-hot": "one_hot",
    "imagefolder": "imagefolder",
    "huggingface": "huggingface",
    "npz": "arrays.npz",
    "npy": "arrays.npy",
    "idx": "arrays.idx",
    "cifar": "arrays.cifar",
    "stl10": "arrays.stl10",
    "svhn": "arrays.svhn",
    "webdataset": "shards.webdataset",
    "tfrecord": "shards.tfrecord",
    "cub200": "academic.cub200",
    "food101": "academic.food101",
    "dtd": "academic.dtd",
    "pets": "academic.pets",
    "flowers102": "academic.flowers102",
    "stanford-cars": "academic.stanford_cars",
    "caltech": "academic.caltech",
    "gtsrb": "academic.gtsrb",
    "inaturalist": "academic.inaturalist",
    "imagenet": "academic.imagenet",
    "camtrap-dp": "camera_traps.camtrap_dp",
    "darwin-core": "camera_traps.darwin_core",
    "wildlife-insights": "camera_traps.wildlife_insights",
    "timelapse": "camera_traps.timelapse",
    "table": "table",
    "file-names": "file_names",
    "keywords": "keywords",
}
"""Name of each form to its module in this package."""
BY_SHAPE = frozenset({"one-hot", "coco"})
"""Forms that are recognised by their shape alone; they give way to a publisher's own files."""
FALLBACKS = ("table", "file-names", "keywords")
"""Forms that are tried only where nothing more particular is recognised and folders name no classes."""
WITH_BOXES = ("coco", "pascal-voc", "yolo", "cvat", "cvat-backup")
"""Forms whose boxes can be cut out."""
_BY_CELLS = "one-hot"
"""The form that is known by what cells hold; it gives way where another knows the file by its columns."""
_NAMED = 3
FOLDERS = "folders"
"""The form that is no file of labels: class folders and split folders (:mod:`fieldguide.data.layouts`)."""


class Reader(Protocol):
    """What a module of this package has."""

    TITLE: str

    def recognise(self, source: DataSource) -> Sequence[Path]:
        """The files of this form in `source`; none if there are none."""
        ...

    def read(self, source: DataSource, files: Sequence[Path]) -> Records:
        """What these files say."""
        ...


class BoxReader(Reader, Protocol):
    """What one of :data:`WITH_BOXES` has as well."""

    def read_boxes(self, source: DataSource, files: Sequence[Path]) -> Records:
        """A record for each box."""
        ...


def reader(name: str) -> Reader:
    """The reader of a form.

    Raises
    ------
    OptionError
        If there is no such form.
    """
    if name not in FORMS:
        raise OptionError(
            f"--form must be one of {', '.join((FOLDERS, *FORMS))}; got {name!r}; --form list explains them"
        )
    return cast(Reader, import_module(f"{__name__}.{FORMS[name]}"))


def titles() -> dict[str, str]:
    """Every form with its line for a person."""
    return {
        FOLDERS: "one folder a class, or train/, validation/ and test/ with class folders",
        **{name: reader(name).TITLE for name in FORMS},
    }


def read_form(source: DataSource) -> Records | None:
    """Read DATA in the form that a person named, or else in the particular one that is recognised.

    Parameters
    ----------
    source : DataSource
        DATA.

    Returns
    -------
    Records or None
        What it says; None if none is recognised, or the person named class folders.

    Raises
    ------
    DataError
        If several forms fit, or none where a person named one.
    """
    name = source.options.form or _named_by_labels(source)
    if name == FOLDERS and not source.options.crops:
        return None
    if name is not None:
        return _read(source, name, _files_of(name, source))
    found = {
        name: files for name in FORMS if name not in FALLBACKS and (files := reader(name).recognise(source))
    }
    shaped = {name: set(files) for name, files in found.items() if name in BY_SHAPE}
    others = {file for name, files in found.items() if name not in BY_SHAPE for file in files}
    for name, own in shaped.items():
        if others and (name == _BY_CELLS or others.issuperset(own)):
            found.pop(name)
    if len(found) > 1:
        raise DataError(
            f"{source.path}: DATA must be of one form, got what could be "
            f"{' or '.join(f'{name} ({files[0].name})' for name, files in found.items())}; "
            f"choose with {' or '.join(f'--form {name}' for name in found)}"
        )
    for name, files in found.items():
        return _read(source, name, files)
    if source.options.crops:
        raise DataError(_no_boxes(source, "no form of these"))
    return None


def _read(source: DataSource, name: str, files: Sequence[Path]) -> Records:
    """What files of a form say; a record a box where boxes are wanted."""
    if source.options.crops and name not in WITH_BOXES:
        raise DataError(_no_boxes(source, name))
    chosen = reader(name)
    if source.options.crops:
        return _noted(source, cast(BoxReader, chosen).read_boxes(source, files))
    records = chosen.read(source, files)
    if name in WITH_BOXES and records.left_out[SEVERAL]:
        records.said += "; --crops learns each box by itself"
    return _noted(source, records)


def _no_boxes(source: DataSource, got: str) -> str:
    return f"{source.path}: --crops needs boxes as {', '.join(WITH_BOXES)} have them, got {got}; leave it out"


def read_general_form(source: DataSource, names: Sequence[str] = FALLBACKS) -> Records | None:
    """Read DATA in the first general form that fits; they come after class folders.

    Parameters
    ----------
    source : DataSource
        DATA.
    names : sequence of str
        The forms to try, in this order.

    Raises
    ------
    DataError
        If the form fits and cannot be read.
    """
    for name in names:
        if files := reader(name).recognise(source):
            return _noted(source, reader(name).read(source, files))
    return None


def _noted(source: DataSource, records: Records) -> Records:
    """Say which files were passed over because they cannot be read; one may have been meant."""
    records = as_wanted(records, source.options.task)
    records.notes.extend(f"passed over {error}" for error in list(source.unreadable.values())[:_NAMED])
    if len(source.unreadable) > _NAMED:
        records.notes.append(f"{len(source.unreadable)} JSON files passed over: they cannot be read")
    return records


def _named_by_labels(source: DataSource) -> str | None:
    """The form that ``--label-from`` means."""
    if source.options.label_from is None:
        return None
    return "file-names" if source.options.keywords is None else "keywords"


def _files_of(name: str, source: DataSource) -> Sequence[Path]:
    if name == FOLDERS:
        raise DataError(_no_boxes(source, name))
    chosen = reader(name)
    files = chosen.recognise(source)
    if not files:
        if source.unreadable:
            raise DataError(next(iter(source.unreadable.values())))
        raise DataError(f"{source.path}: DATA must hold {chosen.TITLE}, as --form {name} says; found none")
    return files
