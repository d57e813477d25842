"""What one process of a cluster does for a feature pass: the features of a part of the photos."""

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from fieldguide.backbones.exported import ExportedBackbone, kept
from fieldguide.backbones.extraction import feature_key, forward
from fieldguide.backbones.runner import OnnxRunner
from fieldguide.data.duplicates import signature
from fieldguide.errors import FieldguideError, Refusal, RefusedInput
from fieldguide.images.content_cache import Entry
from fieldguide.images.decoding import read_bytes
from fieldguide.images.network_input import network_pixels
from fieldguide.threads import in_order

AHEAD = 8
"""Decoded photos that may wait for the network."""
VERSIONED = ("fieldguide", "pillow", "onnxruntime")
"""Packages whose versions features depend on."""


@dataclass(frozen=True)
class ImagePart:
    """Photos for one process."""

    number: int
    """From 0, in the order of the photos."""
    paths: Sequence[str]
    """As every process of the cluster finds them."""

    @property
    def title(self) -> str:
        """What a person calls it."""
        return f"the photos from {self.paths[0]} to {self.paths[-1]}"


@dataclass(frozen=True)
class KnownImage:
    """A photo whose features are kept already, as far as its content tells."""

    digest: bytes
    """SHA-256 of the file's content."""


WorkedImage: TypeAlias = Entry | KnownImage | Refusal


@dataclass(frozen=True)
class ImagePartDone:
    """What came of it."""

    number: int
    images: tuple[WorkedImage, ...] = ()
    """One a photo, in order."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    """`decode`, what its thread spent computing; `network`, on the clock."""
    failed: str = field(default="")
    """Why the whole run cannot go on; empty where it can."""


@dataclass(frozen=True)
class FeatureJob:
    """What a process must know of a feature pass."""

    backbone: ExportedBackbone
    """Its file is that of the machine which asks."""
    content: bytes
    """The bytes of that file."""
    flips: bool
    key: str
    """What features depend on besides the photo, on the machine that asks."""

    def on_this_machine(self) -> ExportedBackbone:
        """The backbone, with a file that lies on this machine.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        path, digest = kept(self.content)
        return dataclasses.replace(self.backbone, path=path, digest=digest)


class KnownDigests:
    """Which photos have features already: eight bytes of each digest, sorted, that processes can share.

    Parameters
    ----------
    prefixes
        From :meth:`prefixes_of`.
    """

    def __init__(self, prefixes: NDArray[np.uint64]) -> None:
        self._prefixes = prefixes

    @staticmethod
    def prefixes_of(digests: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """The first eight bytes of each digest as a number, sorted."""
        return np.sort(np.ascontiguousarray(digests[:, :8]).view(np.uint64).ravel())

    def __contains__(self, digest: bytes) -> bool:
        prefix = np.frombuffer(digest[:8], np.uint64)[0]
        place = int(np.searchsorted(self._prefixes, prefix))
        return place < len(self._prefixes) and bool(self._prefixes[place] == prefix)


@dataclass(frozen=True)
class _Decoded:
    """A photo for the network."""

    digest: bytes
    signature: NDArray[np.uint8]
    pixels: NDArray[np.uint8]


class FeatureWorker:
    """Lives in a process of its own; the network has one thread, and so has decoding.

    Parameters
    ----------
    job
        The feature pass.
    prefixes
        Of the photos that are known; see :class:`KnownDigests`.
    """

    def __init__(self, job: FeatureJob, prefixes: NDArray[np.uint64]) -> None:
        self._job, self._known = job, KnownDigests(prefixes)
        self._seconds = {"decode": 0.0, "network": 0.0}

    @cached_property
    def _runner(self) -> OnnxRunner:
        return OnnxRunner(self._job.on_this_machine())

    def ready(self) -> None:
        """Answer once the network is loaded, or cannot be, which :meth:`work` then says."""
        with contextlib.suppress(FieldguideError):
            _ = self._runner

    def work(self, part: ImagePart) -> ImagePartDone:
        """Compute the features of a part."""
        try:
            _ = self._runner
        except FieldguideError as error:  # a full disk, say; raised, it would read as a process that ended
            return ImagePartDone(part.number, failed=f"--cluster: the machine {platform.node()}: {error}")
        if feature_key(self._job.backbone, self._runner.kind, self._job.flips) != self._job.key:
            return ImagePartDone(part.number, failed=_other_versions())
        self._seconds = {"decode": 0.0, "network": 0.0}
        images: dict[int, WorkedImage] = {}
        batch: dict[int, _Decoded] = {}
        with contextlib.closing(in_order(self._prepared, part.paths, 1, AHEAD)) as prepared:
            for place, image in enumerate(prepared):
                if not isinstance(image, _Decoded):
                    images[place] = image
                    continue
                batch[place] = image
                if len(batch) == self._runner.batch:
                    images.update(self._computed(batch))
                    batch = {}
        images.update(self._computed(batch))
        in_place = tuple(images[place] for place in range(len(part.paths)))
        return ImagePartDone(part.number, in_place, self._seconds)

    def _prepared(self, path: str) -> _Decoded | KnownImage | Refusal:
        started = time.thread_time()
        try:
            content = read_bytes(path)
            digest = hashlib.sha256(content).digest()
            if digest in self._known:
                return KnownImage(digest)
            pixels = network_pixels(content, self._job.backbone.preprocessing)
            return _Decoded(digest, signature(pixels), pixels)
        except RefusedInput as refused:
            return Refusal(path, refused.code, refused.message)
        finally:
            self._seconds["decode"] += time.thread_time() - started

    def _computed(self, batch: Mapping[int, _Decoded]) -> dict[int, WorkedImage]:
        """Run the network over a batch; by place."""
        if not batch:
            return {}
        started = time.perf_counter()
        pixels = np.stack([image.pixels for image in batch.values()])
        vectors = forward(self._runner, pixels, self._job.flips)
        self._seconds["network"] += time.perf_counter() - started
        return {
            place: Entry(image.digest, image.signature, vector)
            for (place, image), vector in zip(batch.items(), vectors, strict=True)
        }


def _other_versions() -> str:
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in VERSIONED)
    return (
        f"--cluster: the machine {platform.node()} of the cluster has {versions}, this one has others, and "
        "their features would differ; install the same versions on all"
    )
