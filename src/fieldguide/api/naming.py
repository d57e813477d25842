"""Models from class names instead of photos, from a script: `zero_shot`."""

from collections.abc import Sequence
from pathlib import Path

from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.values import FilePath, whole_number
from fieldguide.data.dataset import Data
from fieldguide.learning.zero_shot.prompts import named_classes
from fieldguide.learning.zero_shot.result import ZeroShotOptions, ZeroShotResult
from fieldguide.learning.zero_shot.run import zero_shot as make


def zero_shot(
    backbone: FilePath,
    *,
    classes: str | Sequence[str],
    out: FilePath,
    prompt: str | Sequence[str] = (),
    photos: FilePath | Sequence[FilePath] = (),
    labelled: Data | None = None,
    seed: int = 0,
    progress: ProgressChoice = None,
) -> ZeroShotResult:
    """Make a model of class names, without training, by an encoder of images and texts.

    Radford et al., "Learning transferable visual models from natural language supervision" (ICML 2021).

    Parameters
    ----------
    backbone : path or str
        A folder in the layout of transformers.js that holds both parts of CLIP, SigLIP or their like, or a
        name of the catalogue: ``clip_vit_b32``, ``siglip2_base``.
    classes : str or sequence of str
        Two names or more; as one text separated by commas, or a ``.txt`` file with a name a line. One may be
        "none of these".
    out : path
        The model file to write.
    prompt : str or sequence of str, optional
        What is read for a name, with ``{}`` for it; several are averaged. Default: ``a photo of a {}``.
    photos : path or sequence of paths, optional
        Photos without labels: files, folders, globs, archives, tables. What is unlike them becomes unknown,
        and the model's confidence is lowered to the share of them whose answer is stable.
    labelled : path, frame, lists or Dataset, optional
        Photos with labels, in any form that :func:`fieldguide.open_dataset` takes. They calibrate the model,
        give it prediction sets, and are learned from where every class has two.
    seed : int, default=0
        The same seed gives the same file.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    ZeroShotResult
        ``model`` predicts; ``limits`` says what it cannot promise; ``as_dict()`` is what ``fieldguide
        zero-shot --json`` writes.

    Raises
    ------
    FieldguideError
        If names, encoder or photos cannot be used.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.zero_shot("clip_vit_b32", classes="oak,beech", out="trees.onnx")   # doctest: +SKIP
    """
    with shown(progress) as callback:
        return make(
            ZeroShotOptions(
                backbone=str(backbone),
                classes=named_classes(classes) if isinstance(classes, str) else list(classes),
                out=Path(out),
                prompts=(prompt,) if isinstance(prompt, str) else tuple(prompt),
                photos=_paths(photos),
                labelled=labelled,
                seed=whole_number("seed", seed),
                progress=callback,
            )
        )


def _paths(photos: FilePath | Sequence[FilePath]) -> tuple[str, ...]:
    several = photos if isinstance(photos, Sequence) and not isinstance(photos, str) else (photos,)
    return tuple(str(path) for path in several)
