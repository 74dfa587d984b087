"""Where two archives differ, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.batch.archive.catalog import Ledger, form_told

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS: Final = ("day", "product", "part", "verdict", "reason", "largest_difference", "column")
_JOBS: Final = (
    "SELECT day, product, part, key, status, error, path, n_bytes, sha256, settings_json, software_json FROM jobs"
)
_INPUTS: Final = "SELECT day, sha256 FROM day_inputs WHERE used = 1"


def diff(a: str | Path, b: str | Path, *, values: bool = True) -> pd.DataFrame:
    """Compare two archives, result by result.

    Parameters
    ----------
    a, b : str or Path
        Folders that `gnss-coop batch` wrote.
    values : bool
        Also read results that differ, and tell by how much.

    Returns
    -------
    pandas.DataFrame
        One row per result that is not the same in both: ``day``, ``product``, ``part``, ``verdict`` ("only in a",
        "only in b", "differs", "failed in a" or "b", "damaged in a" or "b" where the file is gone or has
        another size than the ledger says), ``reason`` (inputs, settings, software, or none of these),
        ``largest_difference`` between numbers and the ``column`` where it is; NaN and empty where tables have other
        rows or are not compared. ``attrs`` holds ``n_same`` and ``n_compared``.

    Raises
    ------
    ArchiveError
        If one of them is no archive.

    Examples
    --------
    >>> import tempfile
    >>> import gnss_coop as gc
    >>> study = {"systems": "R", "stations": "Irkutsk", "mask": 25, "products": "compare", "step": 3600}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, limit in (("a", 6), ("b", 4)):
    ...         path = f"{folder}/{name}"
    ...         _ = gc.run_batch("sample_rinex/brdc0100.24g.gz", path, threads=True, workers=1, max_pdop=limit, **study)
    ...     gc.diff(f"{folder}/a", f"{folder}/b")[["day", "verdict", "reason", "column"]]
              day  verdict               reason            column
    0  2024-01-10  differs  settings (max_pdop)  availability_pct
    """
    import pandas as pd

    with form_told(a):
        jobs_a, inputs_a = _read(a)
    with form_told(b):
        jobs_b, inputs_b = _read(b)
    rows = []
    places = sorted({*jobs_a, *jobs_b})
    for place in places:
        one, other = jobs_a.get(place), jobs_b.get(place)
        damaged = [name for name, root, job in (("a", a, one), ("b", b, other)) if job and not _is_whole(root, job)]
        verdict = f"damaged in {' and '.join(damaged)}" if damaged else _verdict(one, other)
        if verdict is None:
            continue
        row: dict[str, Any] = {**dict(zip(_COLUMNS, place, strict=False)), "verdict": verdict, "reason": ""}
        row |= {"largest_difference": float("nan"), "column": ""}
        if one is not None and other is not None:
            row["reason"] = _reason(one, other, inputs_a.get(place[0], set()), inputs_b.get(place[0], set()))
        if values and verdict == "differs":
            row |= _largest_difference(Path(a) / one["path"], Path(b) / other["path"])  # type: ignore[index]
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table.attrs.update({"n_same": len(places) - len(rows), "n_compared": len(places)})
    return table


def _read(root: str | Path) -> tuple[dict[tuple[str, str, str], dict[str, Any]], dict[str, set[str]]]:
    """Return the jobs by day, product and part, and the inputs by day."""
    ledger = Ledger(Path(root))
    try:
        jobs = {(row["day"], row["product"], row["part"]): row for row in ledger.rows(_JOBS)}
        inputs: dict[str, set[str]] = {}
        for row in ledger.rows(_INPUTS):
            inputs.setdefault(row["day"], set()).add(row["sha256"])
        return jobs, inputs
    finally:
        ledger.close()


def _is_whole(root: str | Path, job: dict[str, Any]) -> bool:
    """Tell whether the file of a job is there with the size that the ledger knows; what failed has none."""
    if job["path"] is None:
        return True
    try:
        path = (Path(root) / job["path"]).resolve()
        return path.is_relative_to(Path(root).resolve()) and bool(path.stat().st_size == job["n_bytes"])
    except (OSError, TypeError, ValueError):  # a ledger may be forged
        return False


def _verdict(one: dict[str, Any] | None, other: dict[str, Any] | None) -> str | None:
    """Say how two results differ; None where they do not."""
    if one is None or other is None:
        return "only in b" if one is None else "only in a"
    failed = [name for name, job in (("a", one), ("b", other)) if job["status"] != "done"]
    if failed:
        return None if len(failed) == 2 and one["key"] == other["key"] else f"failed in {' and '.join(failed)}"
    return None if one["sha256"] == other["sha256"] else "differs"


def _reason(one: dict[str, Any], other: dict[str, Any], inputs_a: set[str], inputs_b: set[str]) -> str:
    """Say what was not the same when the two were computed."""
    reasons = []
    if inputs_a != inputs_b:
        only_a, only_b = len(inputs_a - inputs_b), len(inputs_b - inputs_a)
        reasons.append(f"inputs ({only_a} only in a, {only_b} only in b)")
    for what in ("settings", "software"):
        of_one, of_other = (json.loads(job[f"{what}_json"]) for job in (one, other))
        names = sorted(name for name in {*of_one, *of_other} if of_one.get(name) != of_other.get(name))
        if names:
            reasons.append(f"{what} ({', '.join(names)})")
    return "; ".join(reasons)


def _largest_difference(path_a: Path, path_b: Path) -> dict[str, Any]:
    """Tell the largest difference of numbers between two tables with the same rows."""
    if path_a.suffix != ".parquet":
        return {}
    import duckdb
    import numpy as np

    with duckdb.connect(":memory:") as connection:
        try:
            one, other = (connection.read_parquet(str(path)).df() for path in (path_a, path_b))
        except duckdb.Error:
            return {"column": "cannot be read"}
    if list(one.columns) != list(other.columns):
        return {"column": "other columns"}
    if len(one) != len(other):
        return {"column": f"{len(one)} and {len(other)} rows"}
    numeric = one.select_dtypes("number").columns
    words = [name for name in one.columns if name not in numeric and not one[name].equals(other[name])]
    if words:
        return {"column": words[0]}
    largest = {}
    for name in numeric:
        left, right = one[name].to_numpy(float), other[name].to_numpy(float)
        unlike = ~((left == right) | (np.isnan(left) & np.isnan(right)))
        away = np.abs(left[unlike] - right[unlike])
        largest[name] = float(np.where(np.isnan(away), np.inf, away).max(initial=0.0))
    worst = max(largest, key=lambda name: largest[name], default="")
    return {"largest_difference": largest.get(worst, float("nan")), "column": worst}
