"""The ledger of mutual gain as a folder: one page, and its table as CSV and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gnss_coop._version import __version__
from gnss_coop.ledger import words as ledger_words
from gnss_coop.ledger.findings import ledger_findings, widest_mask
from gnss_coop.ledger.mutual_gain import ALL_SITES
from gnss_coop.ledger.plots import signals_figure, stations_figure
from gnss_coop.ledger.quantities import HOSTING, SIGNALS
from gnss_coop.output.flat_tables import stamp_of_span, stamped
from gnss_coop.output.pages.figures import DOP_TOP, SYSTEM_STROKES
from gnss_coop.output.pages.folders import INDEX, checked_folder, new_folder, source_frame, write_tables
from gnss_coop.output.pages.languages import words
from gnss_coop.output.pages.templates import templates, with_words
from gnss_coop.reports.words import source_table

if TYPE_CHECKING:
    import pandas as pd

#: Stands in the head of the page: by it a folder is known as a ledger, which alone may be replaced.
GENERATOR: Final = "gnss-coop ledger"
_TABLE: Final = "ledger"
_NO_MARK: Final = "Orbits that are undetermined have no mark."


def write_ledger(table: pd.DataFrame, folder: str | Path, *, overwrite: bool = False) -> list[Path]:
    """Write the ledger of mutual gain into a folder, which appears only when it is complete.

    The page holds its figures and needs neither network nor other files. The same table gives the same bytes.

    Parameters
    ----------
    table : pandas.DataFrame
        As `mutual_gain` gives it.
    folder : str or Path
        Where to write: ``index.html``, ``ledger.csv``, ``ledger.parquet``, and ``sources`` with the checksums of
        the navigation files as both.
    overwrite : bool
        Whether to replace a ledger that is there. Other folders that hold anything are never replaced.

    Returns
    -------
    list of Path
        The page, then the table as CSV and as Parquet.

    Raises
    ------
    OutputError
        If the folder exists or cannot be written, or a package that is needed is missing.
    GnssCoopError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import gnss_coop as gc
    >>> sky = gc.nominal_constellation("R,C", gc.epochs("2027-01-01", hours=24, step_s=900))
    >>> with tempfile.TemporaryDirectory() as there:
    ...     [path.name for path in write_ledger(gc.mutual_gain(sky, mask_deg=25), f"{there}/ledger")]
    ['index.html', 'ledger.csv', 'ledger.parquet']
    """
    with new_folder(folder, GENERATOR, overwrite=overwrite) as draft:
        sources = source_frame(table.attrs["files"])
        (draft / INDEX).write_text(_page(table, sources), "utf-8", newline="")
        write_tables({_TABLE: stamped(table, stamp_of_span(table.attrs)), "sources": sources}, draft)
    return [Path(folder) / name for name in (INDEX, f"{_TABLE}.csv", f"{_TABLE}.parquet")]


def check_ledger_folder(folder: str | Path, *, overwrite: bool) -> Path:
    """Return the folder of a ledger in full; refuse one that could not be written or must not be replaced.

    Raises
    ------
    OutputError
        With what to do.
    """
    return checked_folder(folder, GENERATOR, overwrite=overwrite)


def _page(table: pd.DataFrame, sources: pd.DataFrame) -> str:
    environment, css = templates()
    t = words("en") | {
        "tables_note": "The same numbers, unrounded, are in ledger.csv and ledger.parquet beside this page."
    }
    pair = table.attrs["systems"]
    names = " and ".join(ledger_words.name(letter) for letter in pair)
    mask = widest_mask(table)
    return environment.get_template("ledger.html.j2").render(
        t=t,
        language="en",
        css=css,
        generator=GENERATOR,
        version=__version__,
        title=f"Ledger of mutual gain: {names}",
        span=ledger_words.span_of(table),
        tiles=ledger_words.tiles(table, mask),
        findings=ledger_findings(table),
        size_note=ledger_words.SIZE_NOTE,
        ledger=ledger_words.ledger_table(table),
        ledger_caption="Signals: all sites together. Stations: all satellites, all hosted stations together",
        sign_note=ledger_words.SIGN_NOTE,
        parts=[_signals(table, mask, names), _stations(table, names)],
        facts=ledger_words.facts(table),
        method=ledger_words.METHOD,
        sources=source_table(sources, t),
    )


def _signals(table: pd.DataFrame, mask_deg: float, names: str) -> dict[str, Any]:
    t = {letter: f"{ledger_words.name(letter)} users" for letter in table.attrs["systems"]}
    t |= {f"site {i}": name for i, name in enumerate(table.attrs["sites"])} | {ALL_SITES: ALL_SITES}
    t |= {key: ledger_words.FIGURES[key][0] for key in ("availability_pct", "pdop_median")}
    alt = f"Availability and median PDOP of {names} users at each site, alone and jointly, mask {mask_deg:g} degrees."
    note = (
        f"Mask {mask_deg:g}°. Dotted: the limit. PDOPs above {DOP_TOP:g} lie beyond the edge; medians among epochs "
        "without a solution have no mark."
    )
    return {
        "id": "signals",
        "title": "What users gain from the other system's signals",
        "figure": _figure(signals_figure(table, mask_deg), t, alt, note, table, _heading("signals", table, mask_deg)),
        "tables": ledger_words.place_tables(table, SIGNALS),
        "note": "One figure instead of two: it stays.",
    }


def _stations(table: pd.DataFrame, names: str) -> dict[str, Any]:
    t = {letter: f"{ledger_words.name(letter)} satellites" for letter in table.attrs["systems"]}
    t |= {orbit: orbit for orbit in ("MEO", "IGSO", "GEO")} | {"all": "all orbits"}
    t |= {f"k{k}_pct": f"{k} station{'s' if k > 1 else ''} or more" for k in range(1, 5)}
    t |= {"share_pct": "share of time in view [%]", "sigma_3d_m": "formal orbit sigma, 3D, median [m]"}
    alt = f"Time in view of one to four stations, and formal orbit sigma of {names}, with the home network and jointly."
    return {
        "id": "stations",
        "title": "What networks gain from stations at the other's home",
        "figure": _figure(stations_figure(table), t, alt, _NO_MARK, table, _heading("stations", table)),
        "tables": ledger_words.place_tables(table, HOSTING),
        "note": "“All hosted”: the home network → the joint one. A station: the joint network without → with it.",
    }


def _heading(figure: str, table: pd.DataFrame, mask_deg: float | None = None) -> str:
    """Return what stands above a figure: what it shows, the mask, and the span."""
    what = {"signals": "Availability and median PDOP at sites", "stations": "Time in view, and formal orbit sigma"}
    mask = table.attrs["mask_deg"] if mask_deg is None else mask_deg
    return f"{what[figure]}, elevation mask {mask:g}°, {ledger_words.span_of(table)}"


def _figure(svg: str, t: dict[str, str], alt: str, note: str, table: pd.DataFrame, heading: str) -> dict[str, Any]:
    from markupsafe import Markup

    sign = Markup('<span style="color: {}" aria-hidden="true">{}</span> {}')
    legend = [
        sign.format(Markup(SYSTEM_STROKES[own].css_color), mark, f"{ledger_words.name(own)}, {what}")
        for own in table.attrs["systems"]
        for mark, what in (("○", "alone"), ("●", "jointly"))
    ]
    return {"svg": with_words(svg, t, alt), "heading": heading, "note": note, "legend": legend}
