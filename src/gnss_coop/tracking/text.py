"""What a receiver tracked, as tables, as a page of text, and its learned horizon as a station file."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gnss_coop.model import timescales
from gnss_coop.output.text_and_files import as_text
from gnss_coop.output.whole_file import replace_file

if TYPE_CHECKING:
    import pandas as pd

    from gnss_coop.model.observations import Observations
    from gnss_coop.model.station import Station
    from gnss_coop.tracking.tracked import Tracking

#: Tables by the name that the command line gives them.
TABLES: Final[dict[str, Callable[[Tracking], pd.DataFrame]]] = {
    "satellites": lambda t: t.satellites,
    "systems": lambda t: t.by_system(),
    "bins": lambda t: t.bins,
    "never-tracked": lambda t: t.never_tracked,
    "gaps": lambda t: t.gaps,
    "exceptions": lambda t: t.exceptions,
    "horizon": lambda t: t.horizon,
}
_SHOWN: Final = 12
#: Fields of a station file in the order of stations/README.md.
_FIELDS: Final = (
    "name", "name_ru", "name_zh", "country", "networks", "marker", "domes", "geodetic", "ecef_m", "frame", "epoch",
    "antenna_height_m", "source",
)  # fmt: skip


def tracking_text(tracking: Tracking, obs: Observations, *, color: bool = False) -> str:
    """Return the main figures, and the beginnings of the longer tables, as text."""
    place, header = tracking.station, obs.headers[0]
    first, last = (timescales.format_time(t) for t in tracking.span_ns)
    head = [
        f"{place.name}: {place.latitude_deg:.4f}, {place.longitude_deg:.4f} deg, {place.height_m:.0f} m; "
        f"receiver {header.receiver or 'unknown'}, antenna {header.antenna or 'unknown'}",
        f"{tracking.n_epochs} of {tracking.n_epochs_due} epochs of {tracking.interval_s:g} s, {first} to {last} GPST; "
        f"mask {tracking.mask_deg:g} deg",
        f"{tracking.completeness_pct:.2f} % of the expected satellite-epochs of satellites ever tracked were tracked",
        f"{tracking.predicted_pct:.2f} % of the tracked ones were predicted above the true horizon (without a "
        "valid ephemeris by an orbit fitted to the satellite's other records), "
        f"{tracking.above_horizon_pct:.3f} % of those with an ephemeris",
        *(f"note: {note}" for note in tracking.notes),
    ]
    sections = [
        ("", tracking.by_system(), 0),
        ("Never tracked", tracking.never_tracked, _SHOWN),
        ("Tracked without being predicted", tracking.exceptions, _SHOWN),
        ("Longest gaps", tracking.gaps.sort_values("duration_s", ascending=False, kind="stable"), _SHOWN),
        ("Learned horizon", tracking.horizon.dropna(subset="elevation_deg"), 0),
    ]
    parts = ["\n".join(head) + "\n"]
    parts += [_section(title, frame, shown, color) for title, frame, shown in sections if len(frame)]
    return "\n".join(parts)


def _section(title: str, frame: pd.DataFrame, shown: int, color: bool) -> str:
    more = len(frame) - shown if shown else 0
    body = as_text(frame.head(shown) if shown else frame, color=color)
    tail = f"... and {more} more: see --table\n" if more > 0 else ""
    return f"{title}\n{body}{tail}" if title else body


def station_toml(station: Station) -> str:
    """Return a station as the text of a station file.

    Examples
    --------
    >>> from gnss_coop.model.station import Geodetic, Station
    >>> place = Geodetic(latitude_deg=55.5, longitude_deg=37.0, height_m=200.0)
    >>> print(station_toml(Station(name="Roof", geodetic=place, horizon=((5.0, 3.2),))), end="")
    name = "Roof"
    geodetic = { latitude_deg = 55.5, longitude_deg = 37.0, height_m = 200.0 }
    horizon = [
      [5.0, 3.2],
    ]
    """
    values = {name: getattr(station, name) for name in _FIELDS}
    lines = [f"{name} = {_toml(value)}" for name, value in values.items() if value]
    if station.horizon:
        corners = "".join(f"  [{azimuth}, {elevation}],\n" for azimuth, elevation in station.horizon)
        lines.append(f"horizon = [\n{corners}]")
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if hasattr(value, "latitude_deg"):
        return "{ " + ", ".join(f"{name} = {number}" for name, number in value) + " }"
    return str(value)  # a number or a date


def write_station(station: Station, path: str) -> None:
    """Write a station file; it appears under its name only when it is complete.

    Raises
    ------
    GnssCoopError
        If it cannot be written.
    """
    replace_file(path, lambda draft: draft.write_text(station_toml(station), "utf-8", newline="\n"))
