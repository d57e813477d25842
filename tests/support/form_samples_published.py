"""Small copies of data sets, camera-trap exports and arrays, laid out as those who publish them do.

As in `form_samples`: six images in two classes, a function from an empty folder to DATA, a line in the dict.
"""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from form_samples import LABELS, draw, write_csv, write_json

TEST = ("a3", "b3")
"""The images of the test part, where the original has one."""
CLASSES = ["cat", "dog"]


def write_lines(path: Path, lines) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def part(stem: str) -> str:
    return "test" if stem in TEST else "train"


def in_class_folders(folder: Path) -> None:
    for number, (stem, label) in enumerate(LABELS.items()):
        draw(folder / label / f"{stem}.jpg", number)


def cub200(folder: Path) -> Path:
    in_class_folders(folder / "images")
    numbered = list(enumerate(LABELS.items(), start=1))
    write_lines(folder / "images.txt", (f"{number} {label}/{stem}.jpg" for number, (stem, label) in numbered))
    write_lines(
        folder / "image_class_labels.txt",
        (f"{number} {CLASSES.index(label) + 1}" for number, (_, label) in numbered),
    )
    write_lines(folder / "classes.txt", (f"{number} {name}" for number, name in enumerate(CLASSES, start=1)))
    write_lines(
        folder / "train_test_split.txt",
        (f"{number} {int(stem not in TEST)}" for number, (stem, _) in numbered),
    )
    return folder


def food101(folder: Path) -> Path:
    in_class_folders(folder / "images")
    for split in ("train", "test"):
        lists = {
            name: [f"{name}/{stem}" for stem in LABELS if LABELS[stem] == name and part(stem) == split]
            for name in CLASSES
        }
        write_json(folder / "meta" / f"{split}.json", lists)
        write_lines(folder / "meta" / f"{split}.txt", [entry for names in lists.values() for entry in names])
    write_lines(folder / "meta" / "classes.txt", CLASSES)
    write_lines(folder / "meta" / "labels.txt", ["Cat", "Dog"])
    return folder


def dtd(folder: Path) -> Path:
    in_class_folders(folder / "images")
    for split in ("1", "2"):
        for name, stems in {"train": ("a2", "b2"), "val": ("a1", "b1"), "test": TEST}.items():
            write_lines(
                folder / "labels" / f"{name}{split}.txt", [f"{LABELS[stem]}/{stem}.jpg" for stem in stems]
            )
    write_lines(
        folder / "labels" / "labels_joint_anno.txt",
        [f"{label}/{stem}.jpg {label} striped" for stem, label in LABELS.items()],
    )
    return folder


def pets(folder: Path) -> Path:
    stems = {stem: f"{label}_{stem[1]}" for stem, label in LABELS.items()}
    for number, name in enumerate(stems.values()):
        draw(folder / "images" / f"{name}.jpg", number)
    lines = {stem: f"{stems[stem]} {1 + CLASSES.index(LABELS[stem])} 1 1" for stem in LABELS}
    head = ["#Image CLASS-ID SPECIES BREED ID", "#ID: 1:37 Class ids", "#SPECIES: 1:Cat 2:Dog"]
    write_lines(folder / "annotations" / "list.txt", [*head, *lines.values()])
    write_lines(folder / "annotations" / "trainval.txt", [lines[stem] for stem in LABELS if stem not in TEST])
    write_lines(folder / "annotations" / "test.txt", [lines[stem] for stem in TEST])
    return folder


def flowers102(folder: Path) -> Path:
    for number in range(1, 7):
        draw(folder / "jpg" / f"image_{number:05d}.jpg", number)
    savemat(folder / "imagelabels.mat", {"labels": np.array([[1, 1, 1, 2, 2, 2]], dtype=np.uint8)})
    parts = {"trnid": [2, 4], "valid": [1, 5], "tstid": [3, 6]}
    savemat(folder / "setid.mat", {name: np.array([ids], dtype=np.uint16) for name, ids in parts.items()})
    write_json(folder / "cat_to_name.json", {"1": "cat", "2": "dog"})
    return folder


def structures(rows: list[dict]) -> np.ndarray:
    """MATLAB's array of structures, 1 x n."""
    made = np.empty((1, len(rows)), dtype=[(key, object) for key in rows[0]])
    for place, row in enumerate(rows):
        made[0, place] = tuple(row.values())
    return made


def cells(texts: list[str]) -> np.ndarray:
    """MATLAB's cell array, 1 x n."""
    made = np.empty((1, len(texts)), dtype=object)
    made[0] = texts
    return made


def stanford_cars(folder: Path) -> Path:
    box = {"bbox_x1": 1, "bbox_y1": 2, "bbox_x2": 30, "bbox_y2": 20}
    devkit = folder / "devkit"
    devkit.mkdir()
    savemat(devkit / "cars_meta.mat", {"class_names": cells(CLASSES)})
    for split, name in {"train": "cars_train_annos", "test": "cars_test_annos_withlabels"}.items():
        stems = [stem for stem in LABELS if part(stem) == split]
        rows = []
        for number, stem in enumerate(stems, start=1):
            draw(folder / f"cars_{split}" / f"{number:05d}.jpg", 10 * len(stems) + number)
            rows.append(box | {"class": 1 + CLASSES.index(LABELS[stem]), "fname": f"{number:05d}.jpg"})
        place = devkit if split == "train" else folder
        savemat(place / f"{name}.mat", {"annotations": structures(rows)})
        bare = [{key: value for key, value in row.items() if key != "class"} for row in rows]
        if split == "test":
            savemat(devkit / "cars_test_annos.mat", {"annotations": structures(bare)})
    return folder


def caltech(folder: Path) -> Path:
    in_class_folders(folder / "101_ObjectCategories")
    (folder / "Annotations" / "cat").mkdir(parents=True)
    savemat(folder / "Annotations" / "cat" / "annotation_0001.mat", {"box_coord": np.array([[1, 2, 3, 4]])})
    return folder


def gtsrb(folder: Path) -> Path:
    head = ["Filename", "Width", "Height", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2", "ClassId"]
    tables: dict[str, list] = {}
    for number, (stem, label) in enumerate(LABELS.items()):
        class_number = CLASSES.index(label)
        if part(stem) == "test":
            place, name = "Final_Test/Images/GT-final_test.csv", f"{number:05d}.jpg"
        else:
            place, name = (
                f"Final_Training/Images/{class_number:05d}/GT-{class_number:05d}.csv",
                f"00000_{number:05d}.jpg",
            )
        draw((folder / place).with_name(name), number)
        tables.setdefault(place, [head]).append([name, 32, 24, 5, 5, 27, 19, class_number])
    for place, rows in tables.items():
        write_lines(folder / place, [";".join(map(str, row)) for row in rows])
    write_lines(folder / "classes.txt", CLASSES)
    return folder


def inaturalist(folder: Path) -> Path:
    for split, stems in {"train": [stem for stem in LABELS if stem not in TEST], "val": TEST}.items():
        images, annotations = [], []
        for number, stem in enumerate(stems):
            name = f"{split}/0000{CLASSES.index(LABELS[stem])}_Animalia_Chordata/{stem}.jpg"
            draw(folder / name, ord(stem[0]) * 10 + int(stem[1]))
            images.append(
                {"id": number, "file_name": name, "width": 32, "height": 24, "license": 0}
                | {"rights_holder": "somebody", "date": "2021-01-01 00:00:00+00:00", "latitude": 1.0}
            )
            annotations.append({"id": number, "image_id": number, "category_id": CLASSES.index(LABELS[stem])})
        categories = [
            {
                "id": number,
                "name": name,
                "common_name": name,
                "supercategory": "Mammals",
                "kingdom": "Animalia",
            }
            | {"image_dir_name": f"0000{number}_Animalia_Chordata"}
            for number, name in enumerate(CLASSES)
        ]
        value = {"info": {"year": 2021}, "images": images, "categories": categories}
        write_json(folder / f"{split}.json", value | {"annotations": annotations, "licenses": []})
    return folder


def imagenet(folder: Path) -> Path:
    synsets = {"cat": "n02123045", "dog": "n02085620"}
    for number, label in enumerate(LABELS.values()):
        draw(folder / "train" / synsets[label] / f"{synsets[label]}_{number}.jpg", number)
    write_lines(folder / "LOC_synset_mapping.txt", [f"{synset} {name}" for name, synset in synsets.items()])
    return folder


MEDIA = "mediaID,deploymentID,captureMethod,timestamp,filePath,filePublic,fileName,fileMediatype,exifData,"
OBSERVATION = (
    "observationID,deploymentID,mediaID,eventID,eventStart,eventEnd,observationLevel,observationType,"
    "cameraSetupType,scientificName,count,lifeStage,sex,behavior,classificationMethod,observationComments"
)


def camtrap_dp(folder: Path) -> Path:
    in_class_folders(folder / "photos")
    media, observations = [MEDIA + "favorite,mediaComments"], [OBSERVATION]
    for number, (stem, label) in enumerate(LABELS.items()):
        time = f"2020-05-30T04:57:{10 + number}+02:00"
        path = f"photos/{label}/{stem}.jpg"
        media.append(f"{stem},dep{number % 2},activityDetection,{time},{path},true,{stem}.jpg,image/jpeg,,,")
        seen = (
            f"{stem}_1,dep{number % 2},{stem},e{number},{time},{time},media,animal,,{label},1,adult,,,human,"
        )
        observations.append(seen)
    write_lines(folder / "media.csv", media)
    write_lines(folder / "observations.csv", observations)
    write_lines(folder / "deployments.csv", ["deploymentID,latitude,longitude", "dep0,1,2", "dep1,3,4"])
    names = ("deployments", "media", "observations")
    resources = [{"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource"} for name in names]
    profile = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0/camtrap-dp-profile.json"
    write_json(folder / "datapackage.json", {"profile": profile, "resources": resources})
    return folder


DESCRIPTOR = """<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="metadata.xml">
<core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy=""
 ignoreHeaderLines="1" rowType="http://rs.tdwg.org/dwc/terms/Occurrence"><files><location>occurrence.txt</location></files>
<id index="0"/><field index="1" term="http://rs.tdwg.org/dwc/terms/basisOfRecord"/>
<field index="2" term="http://rs.tdwg.org/dwc/terms/scientificName"/></core>
<extension encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" fieldsEnclosedBy=""
 ignoreHeaderLines="1" rowType="http://rs.gbif.org/terms/1.0/Multimedia">
<files><location>multimedia.txt</location></files><coreid index="0"/>
<field index="1" term="http://purl.org/dc/terms/type"/><field index="2" term="http://purl.org/dc/terms/format"/>
<field index="3" term="http://purl.org/dc/terms/identifier"/></extension></archive>
"""


def darwin_core(folder: Path) -> Path:
    in_class_folders(folder / "media")
    occurrences, media = ["gbifID\tbasisOfRecord\tscientificName"], ["gbifID\ttype\tformat\tidentifier"]
    for number, (stem, label) in enumerate(LABELS.items(), start=1000):
        occurrences.append(f'{number}\tHUMAN "OBSERVATION\t{label}')
        media.append(f"{number}\tStillImage\timage/jpeg\tmedia/{label}/{stem}.jpg")
    write_lines(folder / "occurrence.txt", occurrences)
    write_lines(folder / "multimedia.txt", media)
    write_lines(folder / "meta.xml", [DESCRIPTOR])
    return folder


INSIGHTS = (
    "project_id,deployment_id,image_id,filename,location,is_blank,identified_by,wi_taxon_id,class,order,"
    "family,genus,species,common_name,uncertainty,timestamp,number_of_objects"
)


def wildlife_insights(folder: Path) -> Path:
    rows = [INSIGHTS]
    for number, (stem, label) in enumerate(LABELS.items()):
        draw(folder / f"dep{number % 2}" / f"{stem}.jpg", number)
        seen = f"Mammalia,Carnivora,,,,{label},,2021-08-26 10:00:00,1"
        rows.append(f"7,dep{number % 2},img-{stem},{stem}.jpg,,0,Somebody,,{seen}")
    write_lines(folder / "images_7.csv", rows)
    write_lines(folder / "deployments.csv", ["project_id,deployment_id,placename", "7,dep0,a", "7,dep1,b"])
    return folder


def timelapse(folder: Path) -> Path:
    rows = ["RootFolder,File,RelativePath,DateTime,DeleteFlag,animal,empty,person,vehicle,Species"]
    for number, (stem, label) in enumerate(LABELS.items()):
        draw(folder / "Station" / f"Camera{number % 2}" / f"{stem}.jpg", number)
        place = f"Station\\Camera{number % 2}"
        rows.append(
            f"data,{stem}.jpg,{place},2019-12-0{1 + number} 08:00:00,false,true,false,false,false,{label}"
        )
    write_lines(folder / "TimelapseData.csv", rows)
    return folder


def made_pixels(side: int = 32) -> np.ndarray:
    """Six images of shape (side, side, 3)."""
    return np.random.default_rng(0).integers(0, 255, (6, side, side, 3), dtype=np.uint8)


NUMBERS = np.array([CLASSES.index(label) for label in LABELS.values()], dtype=np.uint8)
"""The class number of each image."""


def npy(folder: Path) -> Path:
    np.save(folder / "images.npy", made_pixels())
    np.save(folder / "labels.npy", NUMBERS)
    write_lines(folder / "classes.txt", CLASSES)
    return folder


def idx(folder: Path) -> Path:
    for name, rows in {"train": [0, 1, 3, 4], "t10k": [2, 5]}.items():
        images = made_pixels()[rows, :28, :28, 0]
        head = b"\x00\x00\x08\x03" + b"".join(size.to_bytes(4, "big") for size in images.shape)
        with gzip.open(folder / f"{name}-images-idx3-ubyte.gz", "wb") as file:
            file.write(head + images.tobytes())
        labels = b"\x00\x00\x08\x01" + len(rows).to_bytes(4, "big") + NUMBERS[rows].tobytes()
        (folder / f"{name}-labels-idx1-ubyte").write_bytes(labels)
    write_lines(folder / "classes.txt", CLASSES)
    return folder


def cifar(folder: Path) -> Path:
    planes = made_pixels().transpose(0, 3, 1, 2).reshape(6, -1)
    records = np.concatenate([NUMBERS[:, None], planes], axis=1).astype(np.uint8)
    (folder / "data_batch_1.bin").write_bytes(records[[0, 1, 3]].tobytes())
    (folder / "data_batch_2.bin").write_bytes(records[[4]].tobytes())
    (folder / "test_batch.bin").write_bytes(records[[2, 5]].tobytes())
    write_lines(folder / "batches.meta.txt", CLASSES)
    return folder


def stl10(folder: Path) -> Path:
    columns = made_pixels(96).transpose(0, 3, 2, 1)
    for name, rows in {"train": [0, 1, 3, 4], "test": [2, 5]}.items():
        (folder / f"{name}_X.bin").write_bytes(columns[rows].tobytes())
        (folder / f"{name}_y.bin").write_bytes((NUMBERS[rows] + 1).tobytes())
    write_lines(folder / "class_names.txt", CLASSES)
    return folder


def svhn(folder: Path) -> Path:
    for name, rows in {"train": [0, 1, 3, 4], "test": [2, 5]}.items():
        values = {"X": made_pixels()[rows].transpose(1, 2, 3, 0), "y": NUMBERS[rows][:, None] * 9 + 1}
        savemat(folder / f"{name}_32x32.mat", values)
    return folder


def webdataset(folder: Path) -> Path:
    for split, stems in {"train": [stem for stem in LABELS if stem not in TEST], "val": TEST}.items():
        with tarfile.open(folder / f"photos-{split}-000000.tar", "w", format=tarfile.USTAR_FORMAT) as shard:
            for stem in stems:
                image = draw(folder.parent / "drawn" / f"{stem}.jpg", ord(stem[0]) * 10 + int(stem[1]))
                shard.add(image, f"{stem}.jpg")
                label = tarfile.TarInfo(f"{stem}.cls")
                content = str(CLASSES.index(LABELS[stem])).encode()
                label.size = len(content)
                shard.addfile(label, io.BytesIO(content))
    write_lines(folder / "classes.txt", CLASSES)
    return folder


def wire(number: int, content: bytes) -> bytes:
    """A field with a length, as protocol buffers write it."""
    size, octets = len(content), b""
    while size > 0x7F:
        octets += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + octets + bytes([size]) + content


def tf_example(**values: bytes | int) -> bytes:
    """A tf.train.Example; in keys, __ stands for a slash."""
    entries = b""
    for key, value in values.items():
        inner = wire(1, wire(1, value)) if isinstance(value, bytes) else wire(3, wire(1, bytes([value])))
        entries += wire(1, wire(1, key.replace("__", "/").encode()) + wire(2, inner))
    return wire(1, entries)


def slow_checksum(content: bytes) -> bytes:
    """TFRecord's masked CRC-32C, a bit at a time."""
    state = 0xFFFFFFFF
    for octet in content:
        state ^= octet
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    state ^= 0xFFFFFFFF
    return (((state >> 15 | state << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")


def tf_record(content: bytes) -> bytes:
    size = len(content).to_bytes(8, "little")
    return size + slow_checksum(size) + content + slow_checksum(content)


def tfrecord(folder: Path) -> Path:
    for split, stems in {"train": [stem for stem in LABELS if stem not in TEST], "validation": TEST}.items():
        content = b""
        for stem in stems:
            image = draw(folder.parent / "drawn" / f"{stem}.jpg", ord(stem[0]) * 10 + int(stem[1]))
            values = {
                "image__class__label": CLASSES.index(LABELS[stem]),
                "image__class__text": LABELS[stem].encode(),
            }
            content += tf_record(
                tf_example(image__encoded=image.read_bytes(), image__format=b"jpeg", **values)
            )
        (folder / f"{split}-00000-of-00001").write_bytes(content)
    return folder


PACKET = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:subject><rdf:Bag>{}</rdf:Bag></dc:subject>'
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)


def with_keywords(path: Path, number: int, *words: str) -> None:
    """A JPEG with these subjects in XMP."""
    with Image.open(draw(path, number)) as image:
        image.load()
    items = "".join(f"<rdf:li>{word}</rdf:li>" for word in words)
    image.save(path, xmp=PACKET.format(items).encode())


def keywords(folder: Path) -> Path:
    for number, label in enumerate(LABELS.values()):
        with_keywords(folder / f"IMG_{number}.jpg", number, label)
    return folder


PUBLISHED_SAMPLES = {
    "cub200": cub200,
    "food101": food101,
    "dtd": dtd,
    "pets": pets,
    "flowers102": flowers102,
    "stanford-cars": stanford_cars,
    "caltech": caltech,
    "gtsrb": gtsrb,
    "inaturalist": inaturalist,
    "imagenet": imagenet,
    "npy": npy,
    "idx": idx,
    "cifar": cifar,
    "stl10": stl10,
    "svhn": svhn,
    "webdataset": webdataset,
    "tfrecord": tfrecord,
    "keywords": keywords,
    "camtrap-dp": camtrap_dp,
    "darwin-core": darwin_core,
    "wildlife-insights": wildlife_insights,
    "timelapse": timelapse,
}
"""Name of a form to its sample."""
__all__ = ["PUBLISHED_SAMPLES", "write_csv"]
