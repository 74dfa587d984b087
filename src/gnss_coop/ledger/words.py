"""What stands on the page of the ledger: cells, rows, tiles and conditions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.ledger.findings import NO_GAIN, SMALL_DROP_PCT, SMALL_POINTS, totals
from gnss_coop.ledger.mutual_gain import ALL_HOSTED
from gnss_coop.ledger.quantities import HOSTING, SIGNALS
from gnss_coop.model.systems import SYSTEMS
from gnss_coop.reports.words import clock

if TYPE_CHECKING:
    import pandas as pd

Row = dict[Any, Any]
Table = dict[str, Any]

_TEXT: Final = "text"
#: Words and decimals of each quantity.
FIGURES: Final = {
    "n_used_mean": ("satellites, mean", 1),
    "pdop_median": ("PDOP, median", 2),
    "pdop_p95": ("PDOP, 95 %", 2),
    "hdop_median": ("HDOP, median", 2),
    "vdop_median": ("VDOP, median", 2),
    "availability_pct": ("availability [%]", 2),
    "k1_pct": ("1 station or more in view [%]", 1),
    "k2_pct": ("2 or more [%]", 1),
    "k3_pct": ("3 or more [%]", 1),
    "k4_pct": ("4 or more [%]", 1),
    "depth": ("stations in view, mean", 2),
    "gap_max_min": ("longest gap [min]", 0),
    "gap_mean_min": ("mean gap [min]", 0),
    "sigma_radial_m": ("orbit sigma, radial [m]", 2),
    "sigma_along_m": ("orbit sigma, along track [m]", 2),
    "sigma_cross_m": ("orbit sigma, cross track [m]", 2),
    "sigma_3d_m": ("orbit sigma, 3D [m]", 2),
}
#: What is said where there is no figure.
_MISSING: Final = {"gap_mean_min": "no gap", **{name: "undetermined" for name in FIGURES if name.startswith("sigma")}}
#: Figures of the tables per place; the ledger itself has all of them.
_OF_STATIONS: Final = ("k1_pct", "k2_pct", "k3_pct", "k4_pct", "depth", "gap_max_min", "sigma_3d_m")
_SIGNS: Final = {1: " ▲", -1: " ▼", 0: ""}

SIGN_NOTE: Final = (
    "▲ a gain, ▼ a loss; “none”: the median or percentile falls among epochs without a solution; “new”: a figure where "
    "alone there was none. The mean gap is not judged: it grows when a short one is closed. No network sees more "
    "stations at once than it has."
)
SIZE_NOTE: Final = (
    f"Changes below {NO_GAIN:g} percentage points and {NO_GAIN:g} % of a median are no gain; below {SMALL_POINTS:g} "
    f"point and {SMALL_DROP_PCT:g} % a gain is small."
)
METHOD: Final = (
    "Signals: satellites above mask and horizon at each site and epoch; all ranges weigh the same. An epoch without a "
    "solution counts as the worst. “All sites” pools the epochs of all sites, each of which counts once.",
    "Stations: shares are of the satellites' time with a usable ephemeris; sigma is formal, from the geometry of all "
    "ranges in the window, the median over the satellites, an undetermined orbit being the worst. It is good for "
    "ratios, and is not the accuracy of an operational orbit.",
    "A hosted station's own line is the joint network without it against the whole one. These lines do not add up to "
    "the total, for stations stand in for each other.",
)


def name(letter: str) -> str:
    """Return the name of a system."""
    return SYSTEMS[letter].name


def figure_text(quantity: str, value: float) -> str:
    """Return a figure for reading.

    Examples
    --------
    >>> figure_text("sigma_3d_m", 8.6601), figure_text("sigma_3d_m", math.nan), figure_text("pdop_median", math.inf)
    ('8.66', 'undetermined', 'none')
    """
    if math.isnan(value):
        return _MISSING.get(quantity, "–")
    return "none" if math.isinf(value) else f"{value:.{FIGURES[quantity][1]}f}"


def difference_text(row: Row) -> str:
    """Return the difference with its sign, and whether it is a gain.

    Examples
    --------
    >>> difference_text({"quantity": "k2_pct", "difference": 6.92, "better": 1})
    '+6.9 ▲'
    """
    sign = _SIGNS[row["better"]]
    if math.isnan(row["difference"]):
        return f"new{sign}" if row["better"] > 0 else "–"
    text = f"{row['difference']:+.{FIGURES[row['quantity']][1]}f}"
    return text + sign if float(text) else text[1:]


def _change(row: Row) -> str:
    """Return both figures, or the one that stays."""
    texts = [figure_text(row["quantity"], row[name]) for name in ("standalone", "joint")]
    return texts[0] if texts[0] == texts[1] else "\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}".join(texts)


def tiles(table: pd.DataFrame, mask_deg: float) -> list[dict[str, Any]]:
    """Return a title and the main figures of each direction."""
    pair, attrs = table.attrs["systems"], table.attrs
    sites = len(attrs["sites"])
    where = "1 site" if sites == 1 else f"all {sites} sites"
    what = {
        SIGNALS: {
            "availability_pct": f"% of the time with PDOP ≤ {attrs['limit']:g}, mask {mask_deg:g}°, {where}",
            "pdop_median": "median PDOP",
        },
        HOSTING: {
            "k2_pct": "% of the time with two stations in view",
            "sigma_3d_m": "m formal orbit sigma, median",
        },
    }
    parts = []
    for kind, lines in what.items():
        for own, other in (pair, pair[::-1]):
            rows = totals(table, own, kind, mask_deg if kind == SIGNALS else None)
            title = f"{name(own)} users, with {name(other)} signals"
            if kind == HOSTING:
                title = f"{name(own)} stations, hosted {attrs['hosted_at'][own]}"
            parts.append({"title": title, "lines": [_tile_line(text, rows[key]) for key, text in lines.items()]})
    return parts


def _tile_line(text: str, row: Row) -> tuple[str, str]:
    """Return words and figure; where the figure ends in a word, it has no unit."""
    return text if math.isfinite(row["joint"]) else text.removeprefix("m "), _change(row)


def ledger_table(table: pd.DataFrame) -> Table:
    """Return the ledger itself: a row a figure, both directions side by side."""
    pair = table.attrs["systems"]
    head = [("", _TEXT), ("mask [deg]", "")]
    for own in pair:
        head += [(f"{name(own)} alone", ""), ("joint", ""), ("difference", "")]
    rows = []
    blocks = [(SIGNALS, mask, "Signals") for mask in table.attrs["masks_deg"]]
    for kind, mask, title in [*blocks, (HOSTING, table.attrs["mask_deg"], "Stations")]:
        sides = [totals(table, own, kind, mask) for own in pair]
        for quantity in sides[0]:
            cells = [f"{title}: {FIGURES[quantity][0]}", f"{mask:g}"]
            for side in sides:
                row = side[quantity]
                cells += [figure_text(quantity, row[key]) for key in ("standalone", "joint")]
                cells.append(difference_text(row))
            rows.append(cells)
    return {"head": head, "rows": rows}


def place_tables(table: pd.DataFrame, kind: str) -> list[tuple[str, Table]]:
    """Return a table a beneficiary: each place with what it has alone and jointly."""
    pair = table.attrs["systems"]
    tables = []
    for own, other in (pair, pair[::-1]):
        chosen = table[(table["beneficiary"] == own) & (table["kind"] == kind)]
        if kind == SIGNALS:
            caption = f"{name(own)} users: alone → with {name(other)} signals"
            shown, second = [key for key in FIGURES if key in set(chosen["quantity"])], "mask_deg"
            heads = ["site", "mask [deg]"]
        else:
            caption = f"{name(own)} satellites: without → with the stations hosted {table.attrs['hosted_at'][own]}"
            chosen = chosen[(chosen["place"] == ALL_HOSTED) | (chosen["orbit"] == "all")]
            shown, second, heads = list(_OF_STATIONS), "orbit", ["station", "orbits"]
        groups: dict[tuple[Any, Any], dict[str, Row]] = {}
        for row in chosen.to_dict("records"):
            groups.setdefault((row["place"], row[second]), {})[row["quantity"]] = row
        kinds = ["", _TEXT][kind == HOSTING]
        head = [(heads[0], _TEXT), (heads[1], kinds), *((FIGURES[key][0], "") for key in shown)]
        rows = [
            [place, f"{key:g}" if isinstance(key, float) else key, *(_change(cells[quantity]) for quantity in shown)]
            for (place, key), cells in groups.items()
        ]
        tables.append((caption, {"head": head, "rows": rows}))
    return tables


def span_of(table: pd.DataFrame) -> str:
    """Return the span for reading."""
    return " – ".join(clock(time) for time in table.attrs["span"].split("/"))


def facts(table: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the conditions."""
    a = table.attrs
    rows = [
        ("Span (GPST)", span_of(table)),
        ("Step", f"{a['step_s']:g} s"),
        ("Sites of the users", ", ".join(a["sites"])),
        ("Their elevation masks", ", ".join(f"{mask:g}°" for mask in a["masks_deg"])),
        ("Receiver clocks", a["clocks"]),
        ("Available when", f"PDOP ≤ {a['limit']:g}"),
        *((f"Home of {name(letter)}", ", ".join(names)) for letter, names in a["homes"].items()),
        *((f"Hosted for {name(letter)}", ", ".join(names)) for letter, names in a["hosted"].items()),
        ("Mask of the networks", f"{a['mask_deg']:g}°"),
        (
            "Ranges for orbits",
            f"{a['window_h']:g} h, 1 m at the zenith every {a['range_interval_s']:g} s, satellite clock "
            f"{a['satellite_clock']}",
        ),
        ("Satellite positions", ", ".join(_base_names(a["files"])) or "nominal constellations"),
        ("Left out", _left_out(a)),
    ]
    if a.get("forecast_epochs_pct"):
        text = (
            f"{a['forecast_epochs_pct']:.1f} % of the epochs hold satellites beyond their ephemerides, by up to "
            f"{a['forecast_days']:.1f} days; expected error up to {a['forecast_error_deg']:.2f}° seen from the Earth's "
            "centre, more after a manoeuvre"
        )
        rows.append(("Forecast", text))
    return rows


def _base_names(files: Sequence[str]) -> list[str]:
    from pathlib import PurePath

    return [PurePath(file).name for file in files]


def _left_out(attrs: dict[Any, Any]) -> str:
    share = 100.0 * attrs["n_left_out"] / attrs["n_satellite_epochs"]
    text = f"{share:.2f} % of the satellite-epochs, without a usable ephemeris"
    return f"{text}; without any: {', '.join(attrs['idle'])}" if attrs["idle"] else text
