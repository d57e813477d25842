"""Photos with labels that grow one by one: corrections of wrong answers, and what a camera records.

A folder holds ``photos.sqlite`` (who said what), ``photos/`` (the files, named by their SHA-256) and
``labels.jsonl``, a table that is DATA as every command reads it. SQLite's write-ahead log lets several
processes and tabs record at once; the table is rewritten inside the transaction, so it never falls behind.
"""

import contextlib
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fieldguide.errors import OptionError, OutputError
from fieldguide.files import atomic_write
from fieldguide.images.decoding import open_image
from fieldguide.images.formats import identify

TABLE = "labels.jsonl"
MOST_LABEL = 1_000
"""Characters of a label, as in a model file."""

_SECONDS_TO_WAIT = 60.0
_SCHEMA = """CREATE TABLE IF NOT EXISTS photos (
    digest TEXT PRIMARY KEY, file TEXT NOT NULL, label BLOB NOT NULL, name BLOB NOT NULL,
    said BLOB, model TEXT, batch TEXT, number INTEGER NOT NULL)"""
_COLUMNS = "digest, file, label, name, said, model, batch"


@dataclass(frozen=True)
class StoredPhoto:
    """A photo and what a person says it shows."""

    digest: str
    """SHA-256 of its bytes."""
    file: str
    """Its place in the folder, such as ``photos/ab….jpg``."""
    label: str
    """The right label."""
    name: str
    """What the person's file was called."""
    said: str | None = None
    """What a model had answered; None where none was asked."""
    model: str | None = None
    """Digest of that model."""
    batch: str | None = None
    """Photos taken in one go, which belong on one side of every split."""


class PhotoStore:
    """A folder of labelled photos, made when the first one is recorded.

    Parameters
    ----------
    folder
        Where it is; its parent must exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def table(self) -> Path:
        """The photos and labels as DATA."""
        return self.folder / TABLE

    def record(
        self,
        content: bytes,
        label: str,
        *,
        name: str,
        said: str | None = None,
        model: str | None = None,
        batch: str | None = None,
    ) -> StoredPhoto:
        """Keep a photo under a label; the same photo again changes its label.

        Parameters
        ----------
        content
            The bytes of an image file, kept as they are.
        label
            1 to :data:`MOST_LABEL` characters.
        name, said, model, batch
            As in :class:`StoredPhoto`.

        Raises
        ------
        RefusedInput
            If the content is no image that can be read.
        OptionError
            If the label is empty, too long or no text.
        OutputError
            If the folder cannot be written to.
        """
        _check_label(label)
        return self._keep(content, label, name=name, said=said, model=model, batch=batch)

    def _keep(
        self,
        content: bytes,
        label: str,
        *,
        name: str,
        said: str | None,
        model: str | None,
        batch: str | None = None,
    ) -> StoredPhoto:
        """Keep a photo under a label that was looked at."""
        open_image(content)
        digest = hashlib.sha256(content).hexdigest()
        photo = StoredPhoto(
            digest, f"photos/{digest}.{identify(content).lower()}", label, name, said, model, batch
        )
        with self._transaction() as connection:
            self._write_photo(photo, content)
            number = connection.execute("SELECT coalesce(max(number), 0) + 1 FROM photos").fetchone()[0]
            connection.execute(
                f"INSERT OR REPLACE INTO photos ({_COLUMNS}, number) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*_row(photo), number),
            )
            self._write_table(connection)
        return photo

    def forget(self, digest: str) -> None:
        """Take a photo out again; one that is not there does no harm."""
        if not self._database.is_file():
            return
        with self._transaction() as connection:
            found = connection.execute("SELECT file FROM photos WHERE digest = ?", (digest,)).fetchone()
            connection.execute("DELETE FROM photos WHERE digest = ?", (digest,))
            self._write_table(connection)
        if found is not None:
            (self.folder / found[0]).unlink(missing_ok=True)

    def photos(self) -> tuple[StoredPhoto, ...]:
        """All photos, in the order in which they were recorded."""
        if not self._database.is_file():
            return ()
        with contextlib.closing(self._connect()) as connection:
            return _all(connection)

    def counts(self) -> dict[str, int]:
        """Photos of each label, labels in the order of their first photo."""
        return dict(Counter(photo.label for photo in self.photos()))

    @property
    def _database(self) -> Path:
        return self.folder / "photos.sqlite"

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database, timeout=_SECONDS_TO_WAIT, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(_SCHEMA)
        return connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            (self.folder / "photos").mkdir(parents=True, exist_ok=True)
            with contextlib.closing(self._connect()) as connection:
                # IMMEDIATE takes the write lock now, so that table and database change together.
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"{self.folder}: the photo was not recorded ({reason}); make room") from error

    def _write_photo(self, photo: StoredPhoto, content: bytes) -> None:
        with atomic_write(self.folder / photo.file) as file:
            file.write(content)

    def _write_table(self, connection: sqlite3.Connection) -> None:
        with atomic_write(self.table) as file:
            for row in self._rows(_all(connection)):
                file.write(json.dumps(row).encode("ascii") + b"\n")

    def _rows(self, photos: Sequence[StoredPhoto]) -> list[dict[str, object]]:
        """The photos as DATA has them."""
        grouped = _batches_say_something(photos)
        rows: list[dict[str, object]] = [{"path": photo.file, "label": photo.label} for photo in photos]
        for row, photo in zip(rows, photos, strict=True):
            row |= {"group": photo.batch} if grouped and photo.batch else {}
        return rows


def _batches_say_something(photos: Sequence[StoredPhoto]) -> bool:
    """Whether every label has two batches; one alone could be held out whole or not at all."""
    batches: dict[str, set[str]] = {}
    for photo in photos:
        batches.setdefault(photo.label, set()).add(photo.batch or photo.digest)
    return all(len(some) > 1 for some in batches.values())


def _check_label(label: str) -> None:
    if not label.strip() or len(label) > MOST_LABEL or "\0" in label:
        raise OptionError(f"label: must be text of 1 to {MOST_LABEL:,} characters; got {label[:40]!r}")


def _row(photo: StoredPhoto) -> tuple[object, ...]:
    """The columns; names as bytes, since a file's name need not be Unicode."""
    label, name, said = (_bytes(text) for text in (photo.label, photo.name, photo.said))
    return photo.digest, photo.file, label, name, said, photo.model, photo.batch


def _all(connection: sqlite3.Connection) -> tuple[StoredPhoto, ...]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM photos ORDER BY number")
    return tuple(
        StoredPhoto(digest, file, _text(label) or "", _text(name) or "", _text(said), model, batch)
        for digest, file, label, name, said, model, batch in rows
    )


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else text.encode("utf-8", "surrogateescape")


def _text(stored: bytes | None) -> str | None:
    return None if stored is None else stored.decode("utf-8", "surrogateescape")
