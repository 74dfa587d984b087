"""The station report as a folder: a page a station, one that compares all, and the data as CSV and Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gnss_coop.errors import OutputError
from gnss_coop.output.pages.folders import checked_folder, new_folder, source_frame, write_tables
from gnss_coop.output.pages.languages import words
from gnss_coop.reports.pages import GENERATOR, write_pages

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.reports.station_report import StationReport


def write_report(
    reports: Sequence[StationReport],
    folder: str | Path,
    *,
    language: str = "en",
    overwrite: bool = False,
    observations: Sequence[str] = (),
) -> list[Path]:
    """Write the report of some stations into a folder, which appears only when it is complete.

    The pages hold their figures and need neither network nor other files. The same input gives the same
    bytes.

    Parameters
    ----------
    reports : sequence of StationReport
        From `station_reports`.
    folder : str or Path
        Where to write: ``index.html``, a page a station, and the folder ``data`` with tables as CSV and
        Parquet.
    language : {"en", "ru", "zh"}
        Of the pages; the data keep their English names.
    overwrite : bool
        Whether to replace a report that is there. Other folders that hold anything are never replaced.
    observations : sequence of str
        Observation files, listed with their checksums beside the navigation files.

    Returns
    -------
    list of Path
        The pages, the index first.

    Raises
    ------
    OutputError
        If there is no station, the folder exists or cannot be written, the language is unknown, or a package
        that is needed is missing.
    GnssCoopError
        If a file cannot be written.

    Examples
    --------
    >>> write_report([], "report")
    Traceback (most recent call last):
    gnss_coop.errors.OutputError: there is no station to report about; name at least one
    """
    if not reports:
        raise OutputError("there is no station to report about; name at least one")
    words(language)
    with new_folder(folder, GENERATOR, overwrite=overwrite) as draft:
        (draft / "data").mkdir()
        sources = source_frame([*reports[0].files, *observations])
        names = write_pages(reports, sources, draft, language)
        _write_data(reports, sources, draft / "data")
    return [Path(folder) / name for name in names]


def check_folder(folder: str | Path, *, overwrite: bool) -> Path:
    """Return the folder of a report in full; refuse one that could not be written or must not be replaced.

    Raises
    ------
    OutputError
        With what to do.
    """
    return checked_folder(folder, GENERATOR, overwrite=overwrite)


# --- Data -----------------------------------------------------------------------------------------------------


def data_tables(reports: Sequence[StationReport]) -> dict[str, pd.DataFrame]:
    """Return the tables of the folder ``data`` by name, each over all stations."""
    import pandas as pd

    from gnss_coop.output.flat_tables import dop_frame, visibility_frame
    from gnss_coop.reports.tracking_section import tracking_tables

    def together(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
        return pd.concat(frames, ignore_index=True)

    mask = {"mask_deg": reports[0].shown_mask_deg}
    return {
        "passes": _with_text_times(together([report.passes for report in reports])).assign(**mask),
        "visibility": _marked(
            together([visibility_frame(r.seen.expand_dims("station")) for r in reports]), reports
        ).assign(**mask),
        "in_view": together([report.in_view for report in reports]).assign(**mask),
        "dop": _marked(together([dop_frame(r.dop.expand_dims("station")) for r in reports]), reports),
        "worst_intervals": together([report.worst for report in reports]),
        "elevation": together([report.elevation for report in reports]).assign(**mask),
        "ephemerides": reports[0].ephemerides,
        "gain": together([report.gain for report in reports]),
        **tracking_tables(reports),
    }


def _marked(frame: pd.DataFrame, reports: Sequence[StationReport]) -> pd.DataFrame:
    """Return a table with a column that tells forecasts, where there can be any."""
    from gnss_coop.orbits.forecast_marks import mark_forecast

    return mark_forecast(frame, reports[0].sky) if "forecast" in reports[0].sky else frame


def _with_text_times(frame: pd.DataFrame) -> pd.DataFrame:
    from gnss_coop.model import timescales

    times = [name for name in frame.columns if frame[name].dtype.kind == "M"]
    return frame.assign(
        **{name: timescales.format_times(timescales.from_datetime64(frame[name].to_numpy())) for name in times}
    )


def _write_data(reports: Sequence[StationReport], sources: pd.DataFrame, folder: Path) -> None:
    from gnss_coop.output.flat_tables import stamp_of, stamped

    stamp = stamp_of(reports[0].sky)
    tables = {name: stamped(table, stamp) for name, table in data_tables(reports).items()}
    write_tables({**tables, "sources": sources}, folder)
