"""Tables to files and terminals: exact in csv, json and parquet, aligned with units in the head as text."""

from __future__ import annotations

import errno
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.errors import GnssCoopError
from gnss_coop.model.text import printable
from gnss_coop.output.whole_file import replace_file

if TYPE_CHECKING:
    import pandas as pd

#: Suffix of a column's name and how its unit is written.
UNITS: Final = {
    "_deg": "deg", "_m": "m", "_s": "s", "_pct": "%", "_points": "points", "_gpst": "GPST", "_ns": "ns",
    "_min": "min", "_h": "h",
}  # fmt: skip
#: Instead of a number of decimals: as many as the value has, for what the user chose.
AS_GIVEN: Final = -1
#: Decimals of numbers in text, by column or by suffix; whole numbers have none.
_DECIMALS: Final = {
    "latitude_deg": 6,
    "longitude_deg": 6,
    "mask_deg": AS_GIVEN,
    "age_s": 0,
    "_min": 0,
    "_deg": 2,
    "_m": 3,
    "_s": 0,
}
_DEFAULT_DECIMALS: Final = 2
_BOLD, _CYAN, _PLAIN = "\x1b[1m", "\x1b[36m", "\x1b[0m"


def write_table(
    frame: pd.DataFrame,
    output_format: str,
    output: str | None,
    *,
    text: str | None = None,
    color: bool = False,
) -> None:
    """Write a table to a file or to standard output.

    Parameters
    ----------
    frame : pandas.DataFrame
        Times as ISO 8601 text.
    output_format : {"table", "csv", "json", "parquet"}
        All but "table" hold full precision; NaN is empty in csv and null in json and parquet, infinity is
        ``inf`` in csv and null in json.
    output : str or None
        Path; standard output for None. A file appears under its name only when it is complete.
    text : str, optional
        What to write as "table" instead of the plain layout.
    color : bool
        Whether to emphasise with terminal codes.

    Raises
    ------
    GnssCoopError
        If parquet should go to standard output, or the package for it is missing.
    """
    if output_format == "parquet":
        if output is None:
            raise GnssCoopError("parquet is binary: name a file with -o")
        replace_file(output, lambda path: _write_parquet(frame, path))
        return
    if output_format == "table":
        content = as_text(frame, color=color and output is None) if text is None else text
    else:
        content = _csv(frame) if output_format == "csv" else _json(frame)
    if not color:
        content = printable(content)  # of what is in JSON, these are its own escapes
    if output is None:
        sys.stdout.write(content)
    else:
        replace_file(output, lambda path: path.write_text(content, "utf-8", "backslashreplace", newline=""))


def _csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, lineterminator="\n")


def _json(frame: pd.DataFrame) -> str:
    rows = [{name: _finite(value) for name, value in row.items()} for row in frame.to_dict("records")]
    return json.dumps(rows, indent=1, ensure_ascii=False, default=str) + "\n"


def _finite(value: Any) -> Any:
    """Return a value as JSON knows it: what is missing or not finite is null, within lists too."""
    if isinstance(value, list):
        return [_finite(own) for own in value]
    if isinstance(value, dict):
        return {str(name): _finite(own) for name, own in value.items()}
    return None if _is_missing(value) or (isinstance(value, float) and not math.isfinite(value)) else value


def _is_missing(value: Any) -> bool:
    """Tell whether a cell holds nothing, in any of the ways of pandas."""
    import pandas as pd

    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    try:
        import duckdb
    except ImportError:
        raise GnssCoopError("parquet needs the package duckdb: pip install 'gnss-coop[archive]'") from None
    # duckdb knows object columns, not every string type of pandas.
    plain = frame.astype({name: object for name in frame.columns if frame[name].dtype == "str"})
    with duckdb.connect() as connection:
        connection.register("frame", plain)
        try:
            connection.table("frame").write_parquet(str(path))
        except duckdb.IOException as error:
            raise OSError(errno.EIO, str(error)) from None


def as_text(frame: pd.DataFrame, *, color: bool = False) -> str:
    """Return a table as aligned text with units in the head.

    Examples
    --------
    >>> import pandas as pd
    >>> print(as_text(pd.DataFrame({"sv": ["R01"], "elevation_deg": [12.3456]})), end="")
    sv   elevation
             [deg]
    R01      12.35
    """
    columns = [_cells(str(name), frame[name]) for name in frame.columns]
    return layout(columns, color=color)


def _cells(name: str, values: pd.Series) -> tuple[tuple[str, str], list[str], bool]:
    """Return head, cells and whether they are aligned to the right."""
    suffix = next((s for s in UNITS if name.endswith(s)), "")
    head = (name.removesuffix(suffix).replace("_", " "), f"[{UNITS[suffix]}]" if suffix else "")
    kind = values.dtype.kind
    if kind == "f":
        decimals = _DECIMALS.get(name, _DECIMALS.get(suffix, _DEFAULT_DECIMALS))
        return head, [number(v, decimals) for v in values.tolist()], True
    return head, ["-" if _is_missing(v) else _one_line(v) for v in values.tolist()], kind in "iu"


def _one_line(value: Any) -> str:
    """Return a cell as text that cannot act on a terminal, nor look like a row of its own."""
    return printable(str(value)).replace("\n", "\\n").replace("\t", " ")


def number(value: float, decimals: int) -> str:
    """Return a number as text: ``-`` for NaN, ``none`` for infinity (no solution)."""
    if value != value:
        return "-"
    if value in (float("inf"), float("-inf")):
        return "none"
    return f"{value:g}" if decimals == AS_GIVEN else f"{value:.{decimals}f}"


def layout(
    columns: Sequence[tuple[tuple[str, ...], list[str], bool]],
    *,
    color: bool = False,
    titles: dict[int, str] | None = None,
) -> str:
    """Align columns under heads of several lines; `titles` are lines before the rows of their number."""
    widths = [max(map(len, (*head, *cells))) for head, cells, _ in columns]

    def line(texts: list[str]) -> str:
        parts = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, (_, _, right) in zip(texts, widths, columns, strict=True)
        ]
        return "  ".join(parts).rstrip()

    heads = [line([head[i] for head, _, _ in columns]) for i in range(len(columns[0][0]))]
    lines = [f"{_BOLD}{head}{_PLAIN}" if color else head for head in heads if head]
    for i, row in enumerate(zip(*(cells for _, cells, _ in columns), strict=True)):
        if titles and i in titles:
            lines.append(f"{_CYAN}{titles[i]}{_PLAIN}" if color else titles[i])
        lines.append(line(list(row)))
    return "\n".join(lines) + "\n"
