"""Checking data from a script: `check`."""

from pathlib import Path

from fieldguide.api.data import Splits, opened
from fieldguide.api.progress_choice import ProgressChoice, shown
from fieldguide.api.runs import run_with
from fieldguide.api.values import FilePath, as_path
from fieldguide.audit.run import Findings, audit
from fieldguide.cluster.features import features_on_cluster
from fieldguide.data.corrections import corrected, read_corrections
from fieldguide.data.dataset import Data
from fieldguide.data.options import DataOptions
from fieldguide.recipes.common import Options
from fieldguide.tasks.task import EITHER, TaskName, as_task


def check(
    data: Data,
    *,
    report: FilePath | None = None,
    corrections: FilePath | None = None,
    backbone: str | None = None,
    weights: FilePath | None = None,
    cluster: str | None = None,
    splits: Splits = None,
    form: str | None = None,
    path_column: str | None = None,
    label_column: str | None = None,
    split_column: str | None = None,
    group_column: str | None = None,
    label_from: str | None = None,
    crops: bool = False,
    task: TaskName | None = None,
    progress: ProgressChoice = None,
) -> Findings:
    """Find what is wrong with labelled photos: duplicates, leaks, label errors and more.

    Parameters
    ----------
    data : path, frame, lists or Dataset
        Labelled photos, in any form that :func:`fieldguide.open_dataset` takes.
    report : path, optional
        Also write a page to look at, one HTML file.
    corrections : path, optional
        A table of corrections to apply first; nothing on disk changes.
    backbone : str, optional
        A pretrained network; None takes the one that training would.
    weights : path, optional
        Local weights of the backbone: no download.
    cluster : str, optional
        Have Ray compute the features: ``local`` for all cores of this machine, ``auto`` or ``HOST:PORT`` for
        a cluster; docs/cluster.md.
    splits, form, path_column, label_column, split_column, group_column, label_from, crops, task
        As in :func:`fieldguide.open_dataset`.
    progress : bool or callable, optional
        As in :func:`fieldguide.open_dataset`.

    Returns
    -------
    Findings
        ``findings``, and ``fixes`` that they suggest, which ``save_fixes(path)`` writes as a table;
        ``as_dict()`` is what ``fieldguide check --json`` writes.

    Raises
    ------
    FieldguideError
        If an option or DATA cannot be used.

    Examples
    --------
    >>> import fieldguide
    >>> [finding.title for finding in fieldguide.check("photos").findings]   # doctest: +SKIP
    """
    if report is not None:
        from fieldguide.report.page import require_jinja

        require_jinja()  # before minutes of work
    reading = DataOptions(
        form, path_column, label_column, split_column, group_column, label_from, crops, as_task(task)
    )
    known = read_corrections(Path(corrections)) if corrections is not None else ()
    with features_on_cluster(cluster), shown(progress) as callback:
        dataset = opened(data, reading, splits, callback, minimum_classes=1, tasks=EITHER)
        if corrections is not None:
            dataset = corrected(dataset, known)
        wanted = Options(backbone=backbone, weights=as_path(weights))
        found = audit(dataset, wanted, run_with(callback), corrections=known)
        if report is not None:
            from fieldguide.audit.page import write_audit_page

            write_audit_page(found, dataset.name, Path(report), progress=callback)
    return found
