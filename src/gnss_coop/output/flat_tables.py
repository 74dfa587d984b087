"""Datasets as flat tables with the columns of the command line's contract."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gnss_coop.model import timescales

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from gnss_coop.ephemerides.ephemerides import Ephemerides
    from gnss_coop.model.network import Network
    from gnss_coop.model.rejects import Reject

_DOPS = ("gdop", "pdop", "hdop", "vdop", "tdop")


def _times(data: xr.Dataset) -> np.ndarray[Any, Any]:
    return timescales.format_times(timescales.from_datetime64(data["time"].values))


def positions_frame(sky: xr.Dataset) -> pd.DataFrame:
    """Return one row per epoch and satellite with a position: time_gpst, sv, x_m, y_m, z_m, age_s, healthy, message."""
    import pandas as pd

    xyz = sky["positions"].values
    t, s = np.nonzero(np.isfinite(xyz).all(axis=-1))
    meanings = np.array(str(sky["message"].attrs["flag_meanings"]).split())
    healthy = pd.array(sky["healthy"].values[t, s], dtype="boolean")
    if not sky["healthy"].attrs.get("known", 1):  # precise orbits say nothing of it
        healthy[:] = pd.NA
    return pd.DataFrame(
        {
            "time_gpst": _times(sky)[t],
            "sv": sky["sv"].values[s].astype(str),
            "x_m": xyz[t, s, 0],
            "y_m": xyz[t, s, 1],
            "z_m": xyz[t, s, 2],
            "age_s": sky["age"].values[t, s],
            "healthy": healthy,
            "message": meanings[sky["message"].values[t, s]],
        }
    )


def visibility_frame(seen: xr.Dataset) -> pd.DataFrame:
    """Return one row per epoch, station and visible satellite: time_gpst, station, sv, azimuth_deg, elevation_deg."""
    import pandas as pd

    ordered = seen.transpose("time", "station", "sv")
    t, p, s = np.nonzero(ordered["visible"].values)
    return pd.DataFrame(
        {
            "time_gpst": _times(seen)[t],
            "station": seen["station"].values[p].astype(str),
            "sv": seen["sv"].values[s].astype(str),
            "azimuth_deg": ordered["azimuth"].values[t, p, s],
            "elevation_deg": ordered["elevation"].values[t, p, s],
        }
    )


def passes_frame(passes: pd.DataFrame, *, with_forecast: bool = False) -> pd.DataFrame:
    """Return passes with their times as text: station, sv, begins ... duration_s, and forecast where asked for."""
    return with_times_as_text(passes if with_forecast else passes.drop(columns="forecast"))


def with_times_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose columns of times, ``*_gpst``, are ISO 8601 text."""
    frame = table.copy()
    for name in frame.columns[frame.columns.str.endswith("_gpst")]:
        frame[name] = timescales.format_times(timescales.from_datetime64(frame[name].to_numpy()))
    return frame


def with_dates_as_text(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose times are ISO 8601 text: of columns ``*_gpst`` in full, of others dates if all are days."""
    frame = table.copy()
    for name in [str(name) for name, kind in frame.dtypes.items() if kind.kind == "M"]:
        known = frame[name].notna().to_numpy()
        texts = np.full(len(frame), "", dtype=object)
        texts[known] = timescales.format_times(timescales.from_datetime64(frame[name].to_numpy()[known]))
        days = [text.removesuffix("T00:00:00") for text in texts]
        only_days = not name.endswith("_gpst") and all("T" not in day for day in days)
        frame[name] = days if only_days else texts
    return frame


def dop_frame(dop: xr.Dataset) -> pd.DataFrame:
    """Return one row per epoch, station, scenario and mask: time_gpst ... n_used, gdop, pdop, hdop, vdop, tdop."""
    import pandas as pd

    if "mask_deg" not in dop.dims:
        dop = dop.expand_dims("mask_deg")
    dims = ("time", "station", "systems", "mask_deg")
    ordered = dop.transpose(*dims)
    index = np.indices([dop.sizes[d] for d in dims]).reshape(len(dims), -1)
    labels = [_times(dop), *(dop[d].values for d in dims[1:])]
    columns = {
        name: values[i] for name, values, i in zip(("time_gpst", *dims[1:]), labels, index, strict=True)
    }  # fmt: skip
    columns |= {name: ordered[name].values.ravel() for name in ("n_used", *_DOPS)}
    return pd.DataFrame(columns)


def stations_frame(network: Network) -> pd.DataFrame:
    """Return one row a station: names, country, networks, marker, coordinates [deg, m] and their source."""
    import pandas as pd

    return pd.DataFrame(
        [
            {
                "station": s.name,
                "country": s.country,
                "networks": "+".join(s.networks),
                "marker": s.marker,
                "domes": s.domes,
                "latitude_deg": s.latitude_deg,
                "longitude_deg": s.longitude_deg,
                "height_m": s.height_m,
                "frame": s.frame,
                "source": s.source,
            }
            for s in network
        ]
    )


def info_frame(nav: Ephemerides) -> pd.DataFrame:
    """Return one row per file, system and message: satellites, records, unhealthy, rejected, repaired, toe.

    Where the system or the message of a rejected or repaired record is not known, the row has none either.
    """
    import pandas as pd

    records = nav.to_dataframe()
    records["system"] = records["sv"].astype(str).str[0]  # without records the column is no text
    by_message = records.groupby(["file", "system", "message"], sort=True)
    parts = {(str(file), str(system), str(message)): part for (file, system, message), part in by_message}
    rejected, repaired = (_per_message(entries) for entries in (nav.rejects, nav.repairs))
    rows = []
    for key in sorted({*parts, *rejected, *repaired}):
        part = parts.get(key, records.iloc[:0])
        span = timescales.format_times(timescales.from_datetime64(part["toe_gpst"].to_numpy()))
        rows.append(
            {
                "file": key[0],
                "version": f"{nav.headers[nav.files.index(key[0])].version:.2f}",
                "system": key[1],
                "message": key[2],
                "n_satellites": part["sv"].nunique(),
                "n_records": len(part),
                "n_unhealthy": int((~part["healthy"]).sum()),
                "rejected": len(rejected.get(key, ())),
                "repaired": len(repaired.get(key, ())),
                "first_toe_gpst": min(span, default=""),
                "last_toe_gpst": max(span, default=""),
            }
        )
    columns = ["file", "version", "system", "message", "n_satellites", "n_records", "n_unhealthy", "rejected",
               "repaired", "first_toe_gpst", "last_toe_gpst"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _per_message(entries: Iterable[Reject]) -> dict[tuple[str, str, str], set[int]]:
    """Return the lines at which records of each file, system and message are rejected or repaired."""
    found: dict[tuple[str, str, str], set[int]] = {}
    for entry in entries:
        found.setdefault((entry.file, entry.sv[:1], entry.message), set()).add(entry.line)
    return found


#: Columns of the instants that rows are of: such rows know their own day and span.
_OWN_TIMES = ("time_gpst", "rise_gpst")


def stamp_of(sky: xr.Dataset) -> dict[str, str]:
    """Return day, start, end and source of what is made from positions; each epoch stands for the step behind it."""
    times = sky["time"].values
    step = times[-1] - times[-2] if len(times) > 1 else np.timedelta64(0, "ns")
    files = [str(name) for name in np.atleast_1d(sky.attrs.get("files", []))]
    return stamp_between(times[0], times[-1] + step, files or [str(sky.attrs.get("title", ""))])


def stamp_between(start: Any, end: Any, files: Sequence[str]) -> dict[str, str]:
    """Return the same of a span between two instants and of files."""
    first, last = timescales.format_times(timescales.from_datetime64(np.array([start, end], "datetime64[ns]"))).tolist()
    return {"day": first[:10], "start_gpst": first, "end_gpst": last, "source": ";".join(files)}


def stamp_of_span(attrs: Mapping[Any, Any]) -> dict[str, str]:
    """Return the same of a table by its attributes ``span`` and ``files``."""
    first, last = attrs["span"].split("/")
    source = ";".join(attrs["files"]) or "nominal constellations"
    return {"day": first[:10], "start_gpst": first, "end_gpst": last, "source": source}


def stamped(table: pd.DataFrame, stamp: Mapping[str, str]) -> pd.DataFrame:
    """Return a table with columns that say of which day, span and source it is, so that tables can be joined.

    Parameters
    ----------
    table : pandas.DataFrame
        Rows with instants of their own (``time_gpst``, ``rise_gpst``) get the day of these and the source alone;
        columns that are there stay.
    stamp : mapping
        As `stamp_of` gives it.

    Examples
    --------
    >>> import pandas as pd
    >>> stamp = {"day": "2024-01-10", "start_gpst": "2024-01-10T00:00:00", "end_gpst": "2024-01-11T00:00:00"}
    >>> stamp["source"] = "brdc0100.24g"
    >>> stamped(pd.DataFrame({"sv": ["R01"]}), stamp).columns.tolist()
    ['sv', 'day', 'start_gpst', 'end_gpst', 'source']
    """
    own = next((name for name in _OWN_TIMES if name in table), None)
    columns: dict[str, Any] = dict(stamp)
    if own is not None:
        columns = {"day": table[own].astype(str).str[:10], "source": stamp["source"]}
    return table.assign(**{name: value for name, value in columns.items() if name not in table})
