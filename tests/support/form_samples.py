"""A small data set in every form that DATA may have: six images in two classes, as its tool writes them.

A sample is a function from an empty folder to what is handed to DATA, and a line in `SAMPLES`, under the name
that the form has in `fieldguide.data.forms.FORMS`.
"""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import pyarrow

LABELS = {"a1": "cat", "a2": "cat", "a3": "cat", "b1": "dog", "b2": "dog", "b3": "dog"}
"""Stem of each image and its class."""


def draw(path: Path, number: int = 0) -> Path:
    """A small JPEG, another one for each number."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(number).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def draw_all(folder: Path, suffix: str = ".jpg") -> None:
    """All images of `LABELS` in one folder."""
    for number, stem in enumerate(LABELS):
        draw(folder / f"{stem}{suffix}", number)


def write_json(path: Path, value: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")


def write_csv(path: Path, rows: list[list[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def table(folder: Path) -> Path:
    draw_all(folder / "images")
    write_csv(folder / "labels.csv", [["id", "breed"], *map(list, LABELS.items())])
    return folder


def one_hot(folder: Path) -> Path:
    draw_all(folder)
    rows = [[f"{stem}.jpg", int(label == "cat"), int(label == "dog")] for stem, label in LABELS.items()]
    write_csv(folder / "_classes.csv", [["filename", " cat", " dog"], *rows])
    return folder


def imagefolder(folder: Path) -> Path:
    draw_all(folder / "data")
    rows = [[f"{stem}.jpg", label] for stem, label in LABELS.items()]
    write_csv(folder / "data" / "metadata.csv", [["file_name", "label"], *rows])
    return folder


def label_studio(folder: Path) -> Path:
    draw_all(folder / "upload")
    tasks = [
        {
            "id": number,
            "data": {"image": f"/data/upload/1/0a1b2c3d-{stem}.jpg"},
            "annotations": [{"result": [{"type": "choices", "value": {"choices": [label]}}]}],
        }
        for number, (stem, label) in enumerate(LABELS.items())
    ]
    write_json(folder / "export.json", tasks)
    return folder


def cvat(folder: Path) -> Path:
    draw_all(folder / "images")
    images = "".join(
        f'<image id="{number}" name="{stem}.jpg"><tag label="{label}"/></image>'
        for number, (stem, label) in enumerate(LABELS.items())
    )
    labels = "".join(
        f"<label><name>{name}</name><attributes></attributes></label>" for name in ("cat", "dog")
    )
    meta = (
        f"<meta><task><id>1</id><size>6</size><mode>annotation</mode><labels>{labels}</labels></task></meta>"
    )
    text = f"<?xml version='1.0'?><annotations><version>1.1</version>{meta}{images}</annotations>"
    (folder / "annotations.xml").write_text(text, encoding="utf-8")
    return folder


def fiftyone(folder: Path) -> Path:
    draw_all(folder / "data")
    numbers = {stem: ["cat", "dog"].index(label) for stem, label in LABELS.items()}
    write_json(folder / "labels.json", {"classes": ["cat", "dog"], "labels": numbers})
    return folder


def file_names(folder: Path) -> Path:
    for number, label in enumerate(LABELS.values()):
        draw(folder / f"{label}.{number}.jpg", number)
    return folder


def npz(folder: Path) -> Path:
    images = np.random.default_rng(0).integers(0, 255, (6, 9, 8, 3), dtype=np.uint8)
    labels = np.asarray([["cat", "dog"].index(label) for label in LABELS.values()])
    np.savez(folder / "arrays.npz", images=images, labels=labels)
    (folder / "classes.txt").write_text("cat\ndog\n", encoding="utf-8")
    return folder / "arrays.npz"


def label_studio_csv(folder: Path) -> Path:
    """An annotation a row, as the converter writes it; b3 has three annotators."""
    draw_all(folder / "upload")
    header = ["annotator", "id", "image", "choice", "annotation_id", "created_at", "updated_at", "lead_time"]
    said = [(stem, label, 1) for stem, label in LABELS.items()] + [("b3", "cat", 2), ("b3", "dog", 3)]
    rows = [
        [
            annotator,
            stem,
            f"/data/upload/1/0a1b2c3d-{stem}.jpg",
            label,
            number,
            "2021-03-09",
            "2021-03-09",
            3.2,
        ]
        for number, (stem, label, annotator) in enumerate(said)
    ]
    write_csv(folder / "project-1.csv", [header, *rows])
    return folder


def label_studio_min(folder: Path) -> Path:
    draw_all(folder / "upload")
    entries = [
        {
            "image": f"/data/upload/1/0a1b2c3d-{stem}.jpg",
            "id": number,
            "choice": label,
            "annotator": 1,
            "annotation_id": number + 100,
            "created_at": "2021-03-09T22:16:08.728353Z",
            "updated_at": "2021-03-09T22:16:08.728378Z",
            "lead_time": 4.2,
        }
        for number, (stem, label) in enumerate(LABELS.items(), start=1)
    ]
    write_json(folder / "project-1.json", entries)
    return folder


def coco_value(stems: Iterable[str], fields: Mapping[str, object] | None = None) -> dict[str, object]:
    """A COCO file; an image of two boxes has one category all the same."""
    chosen = list(stems)
    images = [
        {"id": number, "file_name": f"{stem}.jpg", "width": 32, "height": 24, **(fields or {})}
        for number, stem in enumerate(chosen)
    ]
    twice = [*enumerate(chosen), (0, chosen[0])]
    annotations = [
        {
            "id": number,
            "image_id": image,
            "category_id": ["cat", "dog"].index(LABELS[stem]) + 1,
            "bbox": [1, 2, 10, 10],
            "area": 100,
            "iscrowd": 0,
            "segmentation": [],
        }
        for number, (image, stem) in enumerate(twice)
    ]
    categories = [{"id": number, "name": name} for number, name in ((1, "cat"), (2, "dog"))]
    return {"info": {"year": 2017}, "images": images, "annotations": annotations, "categories": categories}


def coco(folder: Path) -> Path:
    draw_all(folder / "train2017")
    write_json(folder / "annotations" / "instances_train2017.json", coco_value(LABELS))
    return folder


def camera_traps(folder: Path) -> Path:
    draw_all(folder / "images")
    fields = {
        "location": 38,
        "seq_id": "6f1728a1",
        "seq_num_frames": 3,
        "frame_num": 1,
        "datetime": "2013-10-01",
    }
    write_json(folder / "caltech_camera_traps.json", coco_value(LABELS, fields))
    return folder


def pascal_voc(folder: Path) -> Path:
    draw_all(folder / "JPEGImages")
    lists = folder / "ImageSets" / "Main"
    lists.mkdir(parents=True)
    for name in ("cat", "dog"):
        lines = "".join(f"{stem} {1 if label == name else -1:2d}\n" for stem, label in LABELS.items())
        (lists / f"{name}_trainval.txt").write_text(lines)
    return folder


def voc_xml(stem: str, *labels: str, suffix: str = ".jpg") -> str:
    """An XML file of objects as LabelImg writes it."""
    objects = "".join(
        f"<object><name>{label}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>"
        "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object>"
        for label in labels
    )
    size = "<size><width>32</width><height>24</height><depth>3</depth></size>"
    return f"<annotation><folder>x</folder><filename>{stem}{suffix}</filename>{size}{objects}</annotation>"


def pascal_voc_xml(folder: Path) -> Path:
    draw_all(folder / "JPEGImages")
    (folder / "Annotations").mkdir()
    for stem, label in LABELS.items():
        (folder / "Annotations" / f"{stem}.xml").write_text(voc_xml(stem, label, label))
    return folder


def open_images(folder: Path) -> Path:
    draw_all(folder / "train")
    mids = {"cat": "/m/01yrx", "dog": "/m/0bt9lr"}
    rows: list[list[object]] = [["ImageID", "Source", "LabelName", "Confidence"]]
    for stem, label in LABELS.items():
        other = "dog" if label == "cat" else "cat"
        rows += [[stem, "verification", mids[label], 1], [stem, "verification", mids[other], 0]]
        rows.append([stem, "machine", "/m/0jbk", 0.7])
    write_csv(folder / "train-annotations-human-imagelabels.csv", rows)
    write_csv(folder / "class-descriptions.csv", [[mid, name] for name, mid in mids.items()])
    return folder


def yolo(folder: Path) -> Path:
    draw_all(folder / "images" / "train")
    (folder / "labels" / "train").mkdir(parents=True)
    for stem, label in LABELS.items():
        line = f"{['cat', 'dog'].index(label)} 0.481719 0.634028 0.690625 0.713278\n"
        (folder / "labels" / "train" / f"{stem}.txt").write_text(line * 2)
    text = "path: ../datasets/pets\ntrain: images/train\nval: images/train\nnames:\n  0: cat\n  1: dog\n"
    (folder / "data.yaml").write_text(text)
    return folder


def via(folder: Path) -> Path:
    draw_all(folder)
    photos = {
        f"{stem}.jpg1234": {
            "filename": f"{stem}.jpg",
            "size": 1234,
            "regions": [
                {"shape_attributes": {"name": "rect", "x": 1, "y": 1}, "region_attributes": {"part": "ear"}}
            ],
            "file_attributes": {"caption": f"a photo, {stem}", "public_domain": "no", "species": label},
        }
        for stem, label in LABELS.items()
    }
    options = {"cat": "Cat", "dog": "Dog"}
    attributes = {
        "region": {"part": {"type": "text"}},
        "file": {"caption": {"type": "text"}, "species": {"type": "radio", "options": options}},
    }
    project = {"_via_settings": {}, "_via_img_metadata": photos, "_via_attributes": attributes}
    write_json(folder / "via_project.json", project)
    return folder


def via3(folder: Path) -> Path:
    """Version 3: a region of each photo has an attribute, too."""
    draw_all(folder)
    options = {"0": "cat", "1": "dog"}
    numbers = {stem: str(number) for number, stem in enumerate(LABELS, start=1)}
    classes = {stem: {"2": "01"[label == "dog"]} for stem, label in LABELS.items()}
    metadata = {
        f"{number}_whole": {"vid": number, "flg": 0, "z": [], "xy": [], "av": classes[stem]}
        for stem, number in numbers.items()
    }
    metadata |= {
        f"{number}_part": {"vid": number, "flg": 0, "z": [], "xy": [2, 1, 1, 5, 5], "av": {"1": "ear"}}
        for number in numbers.values()
    }
    project = {
        "project": {"pname": "pets", "data_format_version": "3.1.1", "vid_list": list(numbers.values())},
        "config": {},
        "attribute": {
            "1": {"aname": "part", "anchor_id": "FILE1_Z0_XY1", "type": 1, "options": {}},
            "2": {"aname": "animal", "anchor_id": "FILE1_Z0_XY0", "type": 4, "options": options},
        },
        "file": {
            number: {"fid": int(number), "fname": f"{stem}.jpg", "type": 2, "loc": 1, "src": ""}
            for stem, number in numbers.items()
        },
        "view": {number: {"fid_list": [int(number)]} for number in numbers.values()},
        "metadata": metadata,
    }
    write_json(folder / "pets.json", project)
    return folder


def cvat_backup(folder: Path) -> Path:
    """A task of two jobs that overlap by a frame."""
    draw_all(folder / "data")
    entries = [
        {"name": stem, "extension": ".jpg", "width": 32, "height": 24, "meta": {"related_images": []}}
        for stem in LABELS
    ]
    lines = [{"version": "1.1"}, {"type": "images"}, *entries]
    (folder / "data/manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    tags = [
        {"frame": frame, "group": 0, "source": "manual", "attributes": [], "label": label}
        for frame, label in enumerate(LABELS.values())
    ]
    jobs = [{"version": 0, "tags": part, "shapes": [], "tracks": []} for part in (tags[:4], tags[3:])]
    write_json(folder / "annotations.json", jobs)
    labels = [{"name": name, "color": "#ff0000", "attributes": []} for name in ("cat", "dog")]
    data = {"chunk_size": 36, "image_quality": 70, "start_frame": 0, "stop_frame": 5, "deleted_frames": []}
    task = {"name": "pets", "status": "annotation", "subset": "", "labels": labels, "version": "1.0"}
    write_json(folder / "task.json", {**task, "data": data, "jobs": []})
    return folder


def via_csv(folder: Path) -> Path:
    draw_all(folder)
    header = ["filename", "file_size", "file_attributes", "region_count", "region_id"]
    rows: list[list[object]] = [[*header, "region_shape_attributes", "region_attributes"]]
    for stem, label in LABELS.items():
        region = json.dumps({"species": label})
        rows += [[f"{stem}.jpg", 1234, "{}", 2, number, '{"name":"rect"}', region] for number in range(2)]
    write_csv(folder / "via_export_csv.csv", rows)
    return folder


def labelme_value(stem: str, flags: dict[str, bool], *labels: str) -> dict[str, object]:
    shapes = [
        {"label": label, "points": [[1, 2], [5, 6]], "group_id": None, "shape_type": "rectangle", "flags": {}}
        for label in labels
    ]
    return {
        "version": "5.4.1",
        "flags": flags,
        "shapes": shapes,
        "imagePath": f"{stem}.jpg",
        "imageData": "/9j/4AAQ",
        "imageHeight": 24,
        "imageWidth": 32,
    }


def labelme(folder: Path) -> Path:
    draw_all(folder)
    for stem, label in LABELS.items():
        flags = {"cat": label == "cat", "dog": label == "dog"}
        write_json(folder / f"{stem}.json", labelme_value(stem, flags, "ear", "tail"))
    return folder


def supervisely(folder: Path) -> Path:
    draw_all(folder / "dataset" / "img")
    for stem, label in LABELS.items():
        tag = {"name": label, "value": None, "labelerLogin": "a", "createdAt": "2020-08-23T09:51:06.246Z"}
        value = {"description": "", "tags": [tag], "size": {"height": 24, "width": 32}, "objects": []}
        write_json(folder / "dataset" / "ann" / f"{stem}.jpg.json", value)
    tags = [{"name": name, "value_type": "none", "color": "#0000FF"} for name in ("cat", "dog")]
    write_json(folder / "meta.json", {"classes": [], "tags": tags, "projectType": "images"})
    return folder


def fiftyone_samples(folder: Path) -> Path:
    draw_all(folder / "data")
    samples = [
        {
            "_id": {"$oid": f"{number:024x}"},
            "filepath": f"data/{stem}.jpg",
            "tags": ["reviewed"],
            "metadata": None,
            "ground_truth": {"_cls": "Classification", "tags": [], "label": label, "confidence": None},
            "model": {"_cls": "Classification", "tags": [], "label": "cat", "confidence": 0.7},
        }
        for number, (stem, label) in enumerate(LABELS.items())
    ]
    write_json(folder / "samples.json", {"samples": samples})
    write_json(folder / "metadata.json", {"name": "pets", "version": "0.25.1", "media_type": "image"})
    return folder


def huggingface_table(folder: Path, stems: Iterable[str] = LABELS) -> "pyarrow.Table":
    """Rows as `datasets` embeds them, with its description of the columns in the schema."""
    import pyarrow

    chosen = list(stems)
    contents = [draw(folder / f"{stem}.jpg", list(LABELS).index(stem)).read_bytes() for stem in chosen]
    for stem in chosen:
        (folder / f"{stem}.jpg").unlink()
    image = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    features = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    schema = pyarrow.schema(
        [("image", image), ("label", pyarrow.int64())],
        metadata={"huggingface": json.dumps({"info": {"features": features}})},
    )
    images = [{"bytes": data, "path": f"{stem}.jpg"} for stem, data in zip(chosen, contents, strict=True)]
    numbers = [["cat", "dog"].index(LABELS[stem]) for stem in chosen]
    return pyarrow.table({"image": images, "label": numbers}, schema=schema)


def huggingface(folder: Path) -> Path:
    import pyarrow.parquet

    (folder / "data").mkdir()
    pyarrow.parquet.write_table(huggingface_table(folder), folder / "data" / "train-00000-of-00001.parquet")
    return folder


def huggingface_saved(folder: Path) -> Path:
    """`Dataset.save_to_disk`: Arrow's stream, the state, the description."""
    import pyarrow.ipc

    table = huggingface_table(folder)
    with pyarrow.ipc.new_stream(str(folder / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table)
    features = {"image": {"_type": "Image"}, "label": {"names": ["cat", "dog"], "_type": "ClassLabel"}}
    write_json(folder / "dataset_info.json", {"citation": "", "description": "", "features": features})
    write_json(
        folder / "state.json", {"_data_files": [{"filename": "data-00000-of-00001.arrow"}], "_split": None}
    )
    return folder


SAMPLES = {
    "label-studio": label_studio,
    "cvat": cvat,
    "cvat-backup": cvat_backup,
    "fiftyone": fiftyone,
    "fiftyone-samples": fiftyone_samples,
    "coco": coco,
    "camera-traps": camera_traps,
    "pascal-voc": pascal_voc,
    "open-images": open_images,
    "yolo": yolo,
    "via": via,
    "labelme": labelme,
    "supervisely": supervisely,
    "one-hot": one_hot,
    "huggingface": huggingface,
    "imagefolder": imagefolder,
    "npz": npz,
    "table": table,
    "file-names": file_names,
}

MORE_SAMPLES = {
    "label-studio": [label_studio_csv, label_studio_min],
    "pascal-voc": [pascal_voc_xml],
    "via": [via_csv, via3],
    "huggingface": [huggingface_saved],
}
"""Other ways in which the tool of a form writes it."""
