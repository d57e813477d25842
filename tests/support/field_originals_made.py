"""Tiny original files of the datasets of the field, packed and laid out as their authors publish them."""

import dataclasses
import gzip
import hashlib
import io
import json
import struct
import tarfile
import zipfile

import numpy as np
from PIL import Image
from scipy.io import savemat

from fieldguide.data.catalogue import entries

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def pixels(*seed, shape):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def jpeg(*seed):
    buffer = io.BytesIO()
    Image.fromarray(pixels(*seed, shape=(9, 7, 3))).save(buffer, "JPEG")
    return buffer.getvalue()


def tar(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def mat(**columns):
    buffer = io.BytesIO()
    savemat(buffer, columns)
    return buffer.getvalue()


def cifar10():
    """Twenty images a file; number `n` of file `f` has label `n % 10` and pixels of seed (f, n)."""
    files = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    members = {"batches.meta.txt": "\n".join([*CIFAR10, "", ""]).encode()}
    for f, name in enumerate(files):
        rows = [bytes([n % 10]) + pixels(f, n, shape=(3, 32, 32)).tobytes() for n in range(20)]
        members[name] = b"".join(rows)
    packed = {f"cifar-10-batches-bin/{name}": content for name, content in members.items()}
    return {"cifar-10-binary.tar.gz": tar(packed)}, 120


def cifar100():
    names = [f"thing_{number:02}" for number in range(100)]
    members = {"fine_label_names.txt": "\n".join([*names, ""]).encode()}
    for f, name in enumerate(("train.bin", "test.bin")):
        rows = [bytes([99 - n, n]) + pixels(f, n, shape=(3, 32, 32)).tobytes() for n in range(100)]
        members[name] = b"".join(rows)
    return {"cifar-100-binary.tar.gz": tar({f"cifar-100-binary/{n}": c for n, c in members.items()})}, 200


def idx(count=30):
    files = {}
    for f, part in enumerate(("train", "t10k")):
        images, labels = pixels(f, shape=(count, 28, 28)), np.arange(count, dtype=np.uint8) % 10
        head = struct.pack(">IIII", 0x803, count, 28, 28)
        files[f"{part}-images-idx3-ubyte.gz"] = gzip.compress(head + images.tobytes(), mtime=1)
        head = struct.pack(">II", 0x801, count)
        files[f"{part}-labels-idx1-ubyte.gz"] = gzip.compress(head + labels.tobytes(), mtime=1)
    return files, 2 * count


def flowers():
    numbers = np.arange(1, 205)
    members = {f"jpg/image_{number:05}.jpg": jpeg(number) for number in numbers}
    splits = {"trnid": numbers[:102], "valid": numbers[102:153], "tstid": numbers[153:]}
    files = {
        "102flowers.tgz": tar(members),
        "imagelabels.mat": mat(labels=(numbers - 1) % 102 + 1),
        "setid.mat": mat(**splits),
    }
    return files, 204


def pets():
    breeds = ("Abyssinian", "american_bulldog", "Egyptian_Mau")
    images, lists = {}, {"trainval": [], "test": []}
    for label, breed in enumerate(breeds, 1):
        for number in range(1, 5):
            images[f"images/{breed}_{number}.jpg"] = jpeg(label, number)
            lists["test" if number == 4 else "trainval"].append(f"{breed}_{number} {label} 1 1")
    notes = {f"annotations/{name}.txt": "\n".join([*rows, ""]).encode() for name, rows in lists.items()}
    return {"images.tar.gz": tar(images), "annotations.tar.gz": tar(notes)}, 12


def food():
    images, lists = {}, {"train": {}, "test": {}}
    for label, dish in enumerate(("apple_pie", "beef_tartare")):
        for number in range(4):
            images[f"food-101/images/{dish}/{number}.jpg"] = jpeg(label, number)
            lists["test" if number == 3 else "train"].setdefault(dish, []).append(f"{dish}/{number}")
    meta = {f"food-101/meta/{name}.json": json.dumps(rows).encode() for name, rows in lists.items()}
    return {"food-101.tar.gz": tar(images | meta)}, 8


def eurosat():
    members = {
        f"2750/{use}/{use}_{n}.jpg": jpeg(i, n) for i, use in enumerate(("Forest", "River")) for n in range(3)
    }
    return {"EuroSAT.zip": zipped(members)}, 6


MAKERS = {
    "cifar10": cifar10,
    "cifar100": cifar100,
    "fashion-mnist": idx,
    "mnist": idx,
    "flowers102": flowers,
    "oxford-pets": pets,
    "food101": food,
    "eurosat": eurosat,
}


def make(name, folder, monkeypatch, url="http://127.0.0.1:9/"):
    """Write packed originals into `folder` and put their sums and count in place of the real ones."""
    files, images = MAKERS[name]()
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in files.items():
        (folder / file).write_bytes(content)
    entry = entries.find(name)
    originals = tuple(known(original, files[original.name], url) for original in entry.originals)
    entry = dataclasses.replace(entry, images=images, originals=originals)
    others = (other for other in entries.CATALOGUE if other.name != name)
    monkeypatch.setattr(entries, "CATALOGUE", (entry, *others))
    if name == "flowers102":  # the one loader that checks sums each time
        from torchvision.datasets import Flowers102

        by_name = {original.name: (original.name, original.md5) for original in originals}
        table = {key: by_name[file] for key, (file, _) in Flowers102._file_dict.items()}
        monkeypatch.setattr(Flowers102, "_file_dict", table)
    return entry


def known(original, content, url):
    inside = hashlib.sha256(gzip.decompress(content)).hexdigest() if original.content_sha256 else ""
    md5 = hashlib.md5(content).hexdigest()
    return dataclasses.replace(original, md5=md5, urls=(url + original.name,), content_sha256=inside)
