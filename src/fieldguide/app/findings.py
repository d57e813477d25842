"""What the audit found in a data set: each finding with its photos, and the fixes that it suggests."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from fieldguide.app import correction, data_source, gallery, job_progress, session_state
from fieldguide.app.texts import counted, plain
from fieldguide.data.corrections import Correction, read_corrections
from fieldguide.data.dataset import Dataset
from fieldguide.tasks.task import Task
from fieldguide.workspace.jobs import Job, all_jobs, start

MOST_PHOTOS = 24
"""Shown of a finding."""
MOST_FIXES = 100
"""Rows of the table of suggestions."""


def show(data: Path, dataset: Dataset) -> None:
    """The findings of a data set, or the button that looks for them."""
    job = _latest(data)
    if job is None:
        st.markdown(
            "Looks for photos that cannot be read, duplicates, photos in two splits, likely wrong labels and "
            "whatever is unlike the rest. Nothing on the disk is changed."
        )
        st.button(
            "Look for faults", type="primary", on_click=_start, args=(data,),
            icon=":material/search:",
        )  # fmt: skip
        return
    if job.result is None:
        job_progress.watch(job)
        return
    st.button("Look again", on_click=_start, args=(data,), icon=":material/refresh:", type="tertiary")
    _found(data, dataset, job, job.result)


def _latest(data: Path) -> Job | None:
    jobs = (
        job for job in all_jobs(session_state.workspace().jobs) if job.arguments[:2] == ("check", str(data))
    )
    return next(jobs, None)


def _start(data: Path) -> None:
    with session_state.errors_shown():
        space = session_state.workspace()
        suggestions = space.fixes / f"suggested-{correction.table(data).path.name}"
        order = ["check", str(data), "--fix", str(suggestions)]
        start(space.jobs, [*order, *data_source.reading_arguments(data)])


def _found(data: Path, dataset: Dataset, job: Job, result: Mapping[str, Any]) -> None:
    findings = sorted(result["findings"], key=lambda finding: finding["severity"] != "issue")
    if not findings:
        st.success("Nothing found: these photos are in good order.")
    places = {dataset.display(path): path for path in dataset.paths}
    for number, finding in enumerate(findings):
        _finding(finding, dataset, places, unfolded=number == 0)
    reasons = result.get("reasons", {})
    if reasons:
        with st.expander(f"{counted(len(reasons), 'check')} had nothing to look at"):
            st.text("\n".join(f"{code}: {reason}" for code, reason in reasons.items()))
    _suggestions(data, dataset, job)


def _finding(
    finding: Mapping[str, Any], dataset: Dataset, places: Mapping[str, str], *, unfolded: bool
) -> None:
    from fieldguide.audit.finding_pages import finding_page  # whose checks take scikit-learn's time to load

    icon = ":material/error:" if finding["severity"] == "issue" else ":material/lightbulb:"
    title = f"{icon} {plain(finding['title'])} · {finding['count']:,}"
    with st.expander(title, expanded=unfolded):
        st.markdown(plain(finding["message"], 600))
        pairs = [
            (path, item["note"]) for item in finding["items"] for path in item["paths"] if path in places
        ]
        shown = pairs[:MOST_PHOTOS]
        if shown:
            gallery.sheet([places[path] for path, _ in shown], dataset, [note for _, note in shown])
        left = len(finding["paths"]) - len(shown)
        if left > 0:
            st.caption(f"and {counted(left, 'photo')} more")
        with st.popover(f"{finding['code']}: what it means", type="tertiary"):
            st.markdown(finding_page(finding["code"]).partition("\n")[2])


def _suggestions(data: Path, dataset: Dataset, job: Job) -> None:
    path = Path(job.option("--fix") or "")
    if not path.is_file():
        return
    made = {line.about for line in correction.table(data).lines()}
    fixes = [fix for fix in read_corrections(path) if fix.about not in made]
    if dataset.task is Task.MULTIPLE:
        of_tags = _all_by_row(dataset, fixes)
        if of_tags:
            _introduced()
            correction.tag_editor(data, dataset, list(of_tags)[:MOST_FIXES], of_tags, "suggested")
        return
    suggested = _by_row(dataset, fixes)
    if suggested:
        _introduced()
        correction.editor(data, dataset, list(suggested)[:MOST_FIXES], suggested, "suggested")


def _introduced() -> None:
    st.subheader("Suggested corrections", anchor=False)
    st.markdown("Look through them, change what is wrong, and save. Training can apply them.")


def _all_by_row(dataset: Dataset, fixes: list[Correction]) -> dict[int, list[Correction]]:
    """Of tags: a photo may have several."""
    wanted = correction.by_path(fixes)
    keyed = ((row, dataset.display(path)) for row, path in enumerate(dataset.paths))
    return {row: wanted[key] for row, key in keyed if key in wanted}


def _by_row(dataset: Dataset, fixes: list[Correction]) -> dict[int, Correction]:
    wanted = {(fix.path, fix.label): fix for fix in fixes}
    pairs = enumerate(zip(dataset.paths, dataset.labels, strict=True))
    keyed = ((row, (dataset.display(path), label)) for row, (path, label) in pairs)
    return {row: wanted[key] for row, key in keyed if key in wanted}
