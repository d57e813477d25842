"""A backbone's own ImageNet classes as a model file, without any training."""

from pathlib import Path

from fieldguide.backbones.export import export
from fieldguide.files import atomic_write
from fieldguide.learning.card import pretrained_card
from fieldguide.learning.checks import check_writable
from fieldguide.modelfile.graph import join, model_file, pretrained_head_model, read_model
from fieldguide.progress import Progress, silent


def pretrained(backbone: str, out: Path, *, weights: Path | None = None, progress: Progress = silent) -> None:
    """Write a model file of a backbone's own ImageNet classes.

    Its typicality is 1 for every image, since it never saw held-out ones, and its sets hold the top class.

    Raises
    ------
    BackboneError
        If the backbone's weights cannot be had, or have no classes of their own.
    OutputError
        If the model file cannot be written.
    """
    check_writable(out)
    exported = export(backbone, head=True, weights=weights, progress=progress)
    network = join(
        read_model(exported.path),
        pretrained_head_model(len(exported.classes or ()), exported.features),
        ("logits", "features"),
    )
    content = model_file(network, exported.preprocessing, pretrained_card(exported))
    with atomic_write(out) as file:
        file.write(content)
