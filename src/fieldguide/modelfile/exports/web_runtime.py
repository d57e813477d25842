"""ONNX Runtime Web, which computes in browsers and in Node: where it is found on this machine.

It is an npm package of Microsoft's (MIT), a hundred megabytes of which a page needs two files. Nothing is
fetched: a person gives the package, packed or not, or has it where npm puts it.
"""

import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import OptionError

PACKAGE = "onnxruntime-web"
TRIED = "1.30.0"
"""The version that the tests run with, which the command below fetches."""
COMMAND = f"npm pack {PACKAGE}@{TRIED}"
"""Fetches it; npm comes with Node.js."""
OLDEST = (1, 20)
"""The first that reads the version of ONNX's format in which model files are written."""
SCRIPT, BINARY, DESCRIPTION = (
    "dist/ort.wasm.bundle.min.mjs",
    "dist/ort-wasm-simd-threaded.wasm",
    "package.json",
)
GPU_SCRIPT, GPU_BINARY = "dist/ort.webgpu.bundle.min.mjs", "dist/ort-wasm-simd-threaded.asyncify.wasm"
"""The same with WebGPU."""
FILES = (DESCRIPTION, SCRIPT, BINARY)
FILES_GPU = (*FILES, GPU_SCRIPT, GPU_BINARY)
KNOWN = {
    SCRIPT: "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
    BINARY: "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
    GPU_SCRIPT: "0730816731ce2cdfb06f273da065d4a1c7091eb9d1756a83b2916c8a89d015e2",
    GPU_BINARY: "39f9f0894d478800487ed9f7dbe92618498db320cf55c8e3d89adff8dce658da",
}
"""SHA-256 of the files of that version, so that a damaged or forged download is noticed."""
MOST_BYTES = 64_000_000
"""Of each of the files; the largest has 27 MB today."""


@dataclass(frozen=True)
class WebRuntime:
    """What a page needs of ONNX Runtime Web."""

    version: str
    """Such as ``1.30.0``."""
    script: bytes
    """The ES module."""
    binary: bytes
    """Its WebAssembly: without a GPU, for one thread."""
    gpu_script: bytes | None = None
    """The ES module for graphics processors; None where these were not asked for."""
    gpu_binary: bytes | None = None
    """Its WebAssembly."""


def web_runtime(given: Path | None, near: Path | None = None, *, gpu: bool = False) -> WebRuntime:
    """Read ONNX Runtime Web from where a person says, or from the usual places.

    Parameters
    ----------
    given
        The npm package: unpacked, packed by npm (``.tgz``), or a folder that holds either. None looks in
        `near`, and for ``node_modules`` there and in the folders above.
    near
        The current folder by default.
    gpu
        Whether to read what runs on graphics processors, too.

    Raises
    ------
    OptionError
        If it is not there, with the command that fetches it; or if it cannot be used.
    """
    start = (near or Path.cwd()).resolve()
    places = [given] if given is not None else [start, *start.parents]
    for package in (package for place in places for package in _packages(place)):
        return _checked(package, _read(package, FILES_GPU if gpu else FILES))
    where = f"{given}: holds no {PACKAGE}" if given is not None else f"{PACKAGE} is not in this folder"
    raise OptionError(
        f"to web: needs ONNX Runtime Web (MIT, 33 MB to download); {where}; fetch it with: {COMMAND}"
    )


def _packages(place: Path) -> Iterator[Path]:
    """The package itself, packed or unpacked, or as it lies in a folder."""
    if place.is_file():
        yield place
    for folder in (place, place / "package", place / "node_modules" / PACKAGE):
        if (folder / SCRIPT).is_file():
            yield folder
    yield from _packed(place)[-1:]


def _packed(place: Path) -> list[Path]:
    """Packages as npm packs them, the newest last."""
    found = place.glob(f"{PACKAGE}-*.tgz")
    return sorted(found, key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)])


def _read(package: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    try:
        if package.is_dir():
            return {name: (package / name).read_bytes() for name in names}
        with tarfile.open(package, "r:gz") as archive:
            return {name: _member(archive, f"package/{name}") for name in names}
    except (OSError, KeyError, tarfile.TarError, EOFError) as error:
        raise OptionError(
            f"runtime: {package} must be the npm package {PACKAGE}, whole; it cannot be read "
            f"({type(error).__name__}); fetch it with: {COMMAND}"
        ) from error


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(name)
    file = archive.extractfile(member) if member.isfile() and member.size <= MOST_BYTES else None
    if file is None:
        raise KeyError(name)
    return file.read()


def _checked(package: Path, files: dict[str, bytes]) -> WebRuntime:
    try:
        described = json.loads(files[DESCRIPTION])
        name, version = described["name"], str(described["version"])
        numbers = tuple(int(number) for number in version.split(".")[:2])
    except (ValueError, KeyError, TypeError):
        name, version, numbers = None, "", ()
    if name != PACKAGE or numbers < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise OptionError(
            f"runtime: {package} must be {PACKAGE} of version {oldest} or later; got {name} {version}; fetch "
            f"it with: {COMMAND}"
        )
    if version == TRIED:
        for file, digest in KNOWN.items():
            if file in files and hashlib.sha256(files[file]).hexdigest() != digest:
                raise OptionError(
                    f"runtime: {file} in {package} is not the one that was published as {PACKAGE} {TRIED}; "
                    f"fetch it again with: {COMMAND}"
                )
    return WebRuntime(version, files[SCRIPT], files[BINARY], files.get(GPU_SCRIPT), files.get(GPU_BINARY))
