"""Camtrap DP: a data package of deployments, media and observations, joined by their identifiers.

https://camtrap-dp.tdwg.org/data/ ; an observation counts for a media file, or for the time of an event.
"""

import datetime
import os
from bisect import bisect_right
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from fieldguide.data.forms.camera_traps.tables import BLANK, Row, columns_of, one_label, rows_of
from fieldguide.data.forms.records import Record, Records
from fieldguide.data.forms.source import DataSource
from fieldguide.data.scan import count_of
from fieldguide.errors import DataError, Refusal

TITLE = "Camtrap DP: media.csv and observations.csv, with datapackage.json and deployments.csv"

PACKAGE = "datapackage.json"
_MEDIA = frozenset({"mediaID", "filePath"})
_OBSERVATIONS = frozenset({"observationType", "scientificName"})
_REMOTE = ("http://", "https://")

_Time = datetime.datetime


def recognise(source: DataSource) -> Sequence[Path]:
    """Media and observations, where the package says they lie, else by their usual names."""
    found = [pair for file in source.files(PACKAGE) if (pair := _resources(source, file))]
    if not found:
        names = ("media.csv", "observations.csv", "deployments.csv")
        places = {file.parent for file in source.files(*names) if file.name in names}
        found = [(place / "media.csv", place / "observations.csv") for place in sorted(places)]
    fitting = [pair for pair in found if _fits(source, *pair)]
    return list(fitting[0]) if fitting else []


def read(source: DataSource, files: Sequence[Path]) -> Records:
    """The species on each photo; blank ones are a class, the deployment is the group."""
    media, observations = files
    records = Records("", source.base, has_groups=True)
    seen = _Observations(source, observations, records)
    for number, row in rows_of(source, media):
        if not row["mediaID"] or not (row["filePath"] or row.get("fileName")):
            records.refused.append(
                Refusal(f"{media}, row {number}", "damaged_row", "it needs mediaID and filePath")
            )
        elif row.get("fileMediatype", "").startswith(("video/", "audio/")):
            records.left_out["videos and sounds"] += 1
        else:
            label = one_label(seen.of(row), records)
            if label is not None:
                name = source.name_in(media, _name(source, media, row))
                records.records.append(Record(number, name, label, "", row.get("deploymentID", "")))
    deployments = len({record.group for record in records.records} - {""})
    records.said = (
        f"Camtrap DP: {count_of(len(records.records), 'photo')} with one species or blank, "
        f"{count_of(deployments, 'deployment')}, which stay together"
    )
    return records


def _fits(source: DataSource, media: Path, observations: Path) -> bool:
    # unlike Path.is_file, these take any text that a package may hold for a name
    there = os.path.isfile(media) and os.path.isfile(observations)  # noqa: PTH113
    return there and columns_of(source, media) >= _MEDIA and columns_of(source, observations) >= _OBSERVATIONS


def _resources(source: DataSource, file: Path) -> tuple[Path, Path] | None:
    """Where a package says that its tables lie: in its folder."""
    try:
        value = source.json(file)
    except DataError:
        return None
    resources = value.get("resources") if isinstance(value, dict) else None
    entries = [entry for entry in resources if isinstance(entry, dict)] if isinstance(resources, list) else []
    paths = {entry.get("name"): entry.get("path") for entry in entries if isinstance(entry.get("name"), str)}
    media, observations = (paths.get(name) for name in ("media", "observations"))
    if not isinstance(media, str) or not isinstance(observations, str):
        return None
    inner = all(".." not in path and not path.startswith(("/", *_REMOTE)) for path in (media, observations))
    return (file.parent / media, file.parent / observations) if inner else None


def _name(source: DataSource, media: Path, row: Row) -> str:
    """The path; of an address, the file name that was published with it, if such a photo lies here."""
    path, name = row["filePath"], row.get("fileName", "")
    if not path or (path.startswith(_REMOTE) and name and source.exists(media, name)):
        return name
    return path


def _label(row: Row) -> str:
    """What an observation saw: the species, else a person, a vehicle or nothing; empty if unknown."""
    kind, species = row["observationType"].lower(), row["scientificName"]
    if kind == "blank":
        return BLANK
    if kind in ("unknown", "unclassified"):
        return ""
    return species or (kind if kind in ("human", "vehicle") else "")


def _time(text: str) -> _Time | None:
    try:
        when = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return when if when.tzinfo else when.replace(tzinfo=datetime.UTC)


class _Observations:
    """What was seen, by media and by event."""

    def __init__(self, source: DataSource, file: Path, records: Records) -> None:
        self.media: dict[str, list[str]] = {}
        self.events: dict[str, list[str]] = {}
        self.times: dict[str, list[tuple[_Time, _Time, str]]] = {}
        for number, row in rows_of(source, file):
            label, media = _label(row), row.get("mediaID", "")
            if media:
                self.media.setdefault(media, []).append(label)
                continue
            start, end = _time(row.get("eventStart", "")), _time(row.get("eventEnd", ""))
            if row.get("eventID"):
                self.events.setdefault(row["eventID"], []).append(label)
            if start and end:
                self.times.setdefault(row.get("deploymentID", ""), []).append((start, end, label))
            elif not row.get("eventID"):
                said = "the observation must name a mediaID, or eventStart and eventEnd"
                records.refused.append(Refusal(f"{file}, row {number}", "damaged_row", said))
        for times in self.times.values():
            times.sort()
        self.longest = {
            deployment: max(end - start for start, end, _ in times)
            for deployment, times in self.times.items()
        }

    def of(self, row: Row) -> list[str]:
        """What was seen on a photo: itself, else in its event, else at its time at its deployment."""
        if row["mediaID"] in self.media:
            return self.media[row["mediaID"]]
        if row.get("eventID", "") in self.events:
            return self.events[row["eventID"]]
        when, deployment = _time(row.get("timestamp", "")), row.get("deploymentID", "")
        times = self.times.get(deployment, [])
        if when is None or not times:
            return []
        last = bisect_right(times, when, key=lambda event: event[0])
        first = bisect_right(times, when - self.longest[deployment], key=lambda event: event[0])
        # an event that began just so long ago may still last
        while first and times[first - 1][0] == when - self.longest[deployment]:
            first -= 1
        return list(chain(label for _, end, label in times[first:last] if when <= end))
