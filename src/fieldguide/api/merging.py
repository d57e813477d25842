"""One file of the parts that many processes wrote, from a script."""

from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.values import FilePath, as_output
from fieldguide.prediction.parts import merge_parts


def merge(parts: FilePath, *, out: FilePath, progress: ProgressChoice = None) -> int:
    """Make one file of the parts that :func:`fieldguide.predict` wrote with `cluster`.

    Parameters
    ----------
    parts : path
        The folder, or its URL.
    out : path
        A file that ends in .csv, .jsonl or .parquet, equal row by row to that of a run without a cluster;
        also a URL.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    int
        How many rows it has.

    Raises
    ------
    FieldguideError
        If parts are missing or damaged, or the file cannot be written.

    Examples
    --------
    >>> import fieldguide
    >>> fieldguide.merge("parts", out="answers.csv")   # doctest: +SKIP
    """
    with shown(progress) as callback:
        return merge_parts(as_output(parts), as_output(out), callback)
