"""What was read and what was done, in SQLite; docs/archive.md is its contract."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from gnss_coop.batch.archive.lock import now_utc
from gnss_coop.batch.inputs.find import ledger_text
from gnss_coop.batch.inputs.scan import FileScan
from gnss_coop.batch.results import PartResult
from gnss_coop.batch.schema import LEDGER
from gnss_coop.batch.settings import FORM
from gnss_coop.ephemerides.days_covered import DayCount
from gnss_coop.errors import ArchiveError, GnssCoopError
from gnss_coop.model.timescales import parse_time

_SCHEMA: Final = """
CREATE TABLE files (
  path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, accept_truncated INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('ok', 'bad')), sha256 TEXT, error TEXT, scanned_utc TEXT NOT NULL, run INTEGER
) WITHOUT ROWID;
CREATE TABLE contents (
  sha256 TEXT PRIMARY KEY, n_bytes INTEGER NOT NULL, version TEXT NOT NULL, program TEXT NOT NULL,
  systems TEXT NOT NULL, n_records INTEGER NOT NULL, n_duplicates INTEGER NOT NULL, n_rejects INTEGER NOT NULL,
  first_gpst TEXT, last_gpst TEXT
) WITHOUT ROWID;
CREATE TABLE rejects (sha256 TEXT NOT NULL, line INTEGER NOT NULL, sv TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX rejects_of ON rejects (sha256);
CREATE TABLE coverage (
  sha256 TEXT NOT NULL, day TEXT NOT NULL, system TEXT NOT NULL, n_records INTEGER NOT NULL,
  first_gpst TEXT NOT NULL, last_gpst TEXT NOT NULL, PRIMARY KEY (sha256, day, system)
) WITHOUT ROWID;
CREATE TABLE day_inputs (
  day TEXT NOT NULL, sha256 TEXT NOT NULL, used INTEGER NOT NULL, n_records INTEGER NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (day, sha256)
) WITHOUT ROWID;
CREATE TABLE texts (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE job_rows (
  day TEXT NOT NULL, product TEXT NOT NULL, part TEXT NOT NULL, mask_deg REAL, clocks TEXT, key TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('done', 'failed')), error TEXT, path TEXT, n_rows INTEGER, n_bytes INTEGER,
  sha256 TEXT, settings INTEGER NOT NULL, software INTEGER NOT NULL, notes INTEGER NOT NULL,
  attempts INTEGER NOT NULL, duration_s REAL NOT NULL, finished_utc TEXT NOT NULL, run INTEGER NOT NULL,
  PRIMARY KEY (day, product, part)
) WITHOUT ROWID;
CREATE VIEW jobs AS SELECT
  day, product, part, mask_deg, clocks, key, status, error, path, n_rows, n_bytes, sha256, s.text AS settings_json,
  w.text AS software_json, n.text AS notes_json, attempts, duration_s, finished_utc, run
FROM job_rows
LEFT JOIN texts AS s ON s.id = settings LEFT JOIN texts AS w ON w.id = software LEFT JOIN texts AS n ON n.id = notes;
CREATE TABLE runs (
  run INTEGER PRIMARY KEY, started_utc TEXT NOT NULL, ended_utc TEXT, state TEXT NOT NULL, host TEXT NOT NULL,
  pid INTEGER NOT NULL, version TEXT NOT NULL, engine TEXT NOT NULL, n_workers INTEGER, study_json TEXT NOT NULL,
  n_days INTEGER, n_done INTEGER, n_skipped INTEGER, n_failed INTEGER, n_bad_files INTEGER, exit_code INTEGER,
  worker_peak_bytes INTEGER
);
"""
#: Seconds to wait for a reader that holds the ledger for a moment.
_PATIENCE_S: Final = 30.0
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


#: What Python says of values that no batch ever wrote: wrong types, missing columns, texts that are no JSON or date.
_FORGED: Final = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError, sqlite3.Error)


@contextmanager
def form_told(root: str | Path) -> Iterator[None]:
    """Turn whatever a forged or foreign ledger leads to into one sentence: an archive may come from strangers."""
    try:
        yield
    except GnssCoopError:
        raise
    except _FORGED as error:
        raise ArchiveError(
            f"{root} does not hold what gnss-coop batch writes ({type(error).__name__}: {error}): do not use "
            f"it, or remove its {LEDGER} and run the batch again"
        ) from None


class Ledger:
    """The ledger of an archive, open for writing by the run that holds the lock, or for reading.

    Parameters
    ----------
    root : Path
        The archive.
    write : bool
        Whether to write; the ledger is made where there is none.

    Raises
    ------
    ArchiveError
        If there is no ledger to read, it is damaged, or was made by another form of the archive.
    """

    def __init__(self, root: Path, *, write: bool = False) -> None:
        self._path = root / LEDGER
        if not write and not self._path.is_file():
            raise ArchiveError(f"{root} has no {LEDGER}: not a gnss-coop archive")
        with self._told():
            if write:
                self._db = sqlite3.connect(self._path, timeout=_PATIENCE_S)
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = NORMAL")
            else:
                uri = f"{self._path.resolve().as_uri()}?mode=ro"
                if not os.access(root, os.W_OK) and not self._path.with_name(f"{LEDGER}-wal").exists():
                    uri += "&immutable=1"  # readers of a write-ahead log write beside it, which is not allowed here
                self._db = sqlite3.connect(uri, uri=True, timeout=_PATIENCE_S)
            self._db.row_factory = sqlite3.Row
            form = int(self._db.execute("PRAGMA user_version").fetchone()[0])
            if write and form == 0:
                self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORM}; COMMIT;")
                form = FORM
        if form != FORM:
            raise ArchiveError(f"{root} has form {form} of the archive, and this version knows form {FORM}")

    def close(self) -> None:
        """Close it."""
        self._db.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Tell faults of the database in one sentence."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
                raise ArchiveError(
                    f"{self._path} is damaged ({error}): put a copy of it back, or remove it with {LEDGER}-wal and "
                    f"{LEDGER}-shm and run the same command again, which computes all results again"
                ) from None
            raise ArchiveError(
                f"cannot use {self._path}: {error}; if the disk is full free some space, then run the same command "
                "again: it resumes where it stopped"
            ) from None

    def rows(self, query: str, values: Iterable[Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of a query."""
        with self._told():
            return [dict(row) for row in self._db.execute(query, tuple(values))]

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Give the database for changes that come all or not at all."""
        with self._told(), self._db:
            yield self._db

    # --- Runs -------------------------------------------------------------------------------------------

    def begin_run(self, **values: Any) -> int:
        """Enter a run and return its number; runs that were killed are marked so."""
        with self._change() as db:
            db.execute("UPDATE runs SET state = 'stopped' WHERE state = 'running'")
            return _insert(db, "runs", {"started_utc": now_utc(), "state": "running", **values})

    def end_run(self, run: int, state: str, **values: Any) -> None:
        """Enter how a run ended."""
        row = {"ended_utc": now_utc(), "state": state, **values}
        with self._change() as db:
            places = ", ".join(f"{name} = ?" for name in row)
            db.execute(f"UPDATE runs SET {places} WHERE run = ?", (*row.values(), run))

    # --- Inputs -----------------------------------------------------------------------------------------

    def known_files(self) -> dict[str, dict[str, Any]]:
        """Return the files that could be read, by path."""
        return {row["path"]: row for row in self.rows("SELECT * FROM files WHERE status = 'ok'")}

    def put_scans(self, scans: Iterable[FileScan], run: int) -> None:
        """Enter what files hold."""
        with self._change() as db:
            for scan in scans:
                db.execute(
                    "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        ledger_text(scan.path), scan.size, scan.mtime_ns, int(scan.accept_truncated),
                        "bad" if scan.content is None else "ok", scan.content and scan.content.sha256,
                        scan.error, now_utc(), run,
                    ),
                )  # fmt: skip
                if scan.content is not None:
                    _put_content(db, scan)

    def use_files(self, paths: Iterable[str], run: int) -> None:
        """Note that a run used these files without reading them again."""
        with self._change() as db:
            db.executemany("UPDATE files SET run = ? WHERE path = ?", ((run, path) for path in paths))

    def day_counts(self) -> dict[str, tuple[DayCount, ...]]:
        """Return the records by day and system of each content."""
        counts: dict[str, list[DayCount]] = {}
        for row in self.rows("SELECT * FROM coverage"):
            first_ns, last_ns = parse_time(row["first_gpst"]), parse_time(row["last_gpst"])
            count = DayCount(row["day"], row["system"], _count(row["n_records"], self._path), first_ns, last_ns)
            counts.setdefault(row["sha256"], []).append(count)
        return {sha256: tuple(own) for sha256, own in counts.items()}

    def put_day_inputs(self, days: Mapping[str, Iterable[tuple[str, bool, int, str]]]) -> None:
        """Enter by day which contents were used, and which not: hash, used, records, why not."""
        with self._change() as db:
            db.executemany("DELETE FROM day_inputs WHERE day = ?", ((day,) for day in days))
            rows = ((day, sha256, int(used), n, why) for day, own in days.items() for sha256, used, n, why in own)
            db.executemany("INSERT INTO day_inputs VALUES (?, ?, ?, ?, ?)", rows)

    # --- Results ----------------------------------------------------------------------------------------

    def jobs(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """Return day, product, part, key, status, path, n_bytes and attempts of all jobs."""
        query = "SELECT day, product, part, key, status, path, n_bytes, sha256, attempts FROM jobs"
        return {(row["day"], row["product"], row["part"]): row for row in self.rows(query)}

    def forget(self, jobs: Iterable[tuple[str, str, str]]) -> None:
        """Take out jobs whose file is gone."""
        with self._change() as db:
            db.executemany("DELETE FROM job_rows WHERE day = ? AND product = ? AND part = ?", jobs)

    def put_results(self, results: Iterable[PartResult], run: int) -> list[str]:
        """Enter results; return the paths of those that they replace."""
        replaced = []
        with self._change() as db:
            for result in results:
                place = (result.day, result.part.product, result.part.name)
                known = "SELECT path, key, attempts FROM jobs WHERE day = ? AND product = ? AND part = ?"
                before = db.execute(known, place).fetchone()
                written = result.written
                if before is not None and before["path"] and before["path"] != (written and written.path):
                    replaced.append(before["path"])
                again = before is not None and before["key"] == result.key
                db.execute(f"INSERT OR REPLACE INTO job_rows VALUES ({', '.join('?' * 19)})", (
                    *place, result.part.mask_deg, result.part.clocks, result.key,
                    "failed" if written is None else "done", result.error, written and written.path,
                    written and written.n_rows, written and written.n_bytes, written and written.sha256,
                    _text_id(db, _json(result.settings)), _text_id(db, _json(result.software)),
                    _text_id(db, _json(result.notes)),
                    before["attempts"] + 1 if again else 1, round(result.duration_s, 6), now_utc(), run,
                ))  # fmt: skip
        return replaced


def _count(value: Any, ledger: Path) -> int:
    """Return a number of records as a ledger holds it; SQLite keeps any word in a column of numbers."""
    if not isinstance(value, int):
        raise ArchiveError(f"{ledger} is damaged: {value!r} is not a number of records; run the batch with --recheck")
    return value


def _insert(db: sqlite3.Connection, table: str, row: dict[str, Any]) -> int:
    places = ", ".join("?" * len(row))
    cursor = db.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", tuple(row.values()))
    assert cursor.lastrowid is not None  # it follows an INSERT
    return cursor.lastrowid


def _put_content(db: sqlite3.Connection, scan: FileScan) -> None:
    content = scan.content
    assert content is not None  # the caller looked
    db.execute("DELETE FROM rejects WHERE sha256 = ?", (content.sha256,))
    db.execute("DELETE FROM coverage WHERE sha256 = ?", (content.sha256,))
    db.execute(
        "INSERT OR REPLACE INTO contents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            content.sha256, content.n_bytes, content.version, content.program, content.systems, content.n_records,
            content.n_duplicates, len(content.rejects), content.first_gpst, content.last_gpst,
        ),
    )  # fmt: skip
    db.executemany("INSERT INTO rejects VALUES (?, ?, ?, ?)", ((content.sha256, *r) for r in content.rejects))
    db.executemany("INSERT INTO coverage VALUES (?, ?, ?, ?, ?, ?)", content.coverage_rows())


def _text_id(db: sqlite3.Connection, text: str) -> int:
    """Return the number of a text that many jobs have; with 100 stations settings are longer than all else."""
    db.execute("INSERT OR IGNORE INTO texts (text) VALUES (?)", (text,))
    return int(db.execute("SELECT id FROM texts WHERE text = ?", (text,)).fetchone()[0])


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
