"""Orbit mean-elements messages (OMM) as JSON, csv or XML, to elements of the package sgp4."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from xml.etree import ElementTree

from gnss_coop.errors import GnssCoopError, RinexError
from gnss_coop.model.numbers import plain_float, plain_int

#: Name line, catalogue number, elements (None where damaged), and what is wrong with them.
ElementSet: TypeAlias = tuple[str, int, Any, str]

#: Days and times of CCSDS 502.0-B-3, 7.5.10: calendar or day of year, fraction and Z as one likes.
_EPOCH: Final = re.compile(
    r"([0-9]{4})-(?:([0-9]{2})-([0-9]{2})|([0-9]{3}))T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]*)?Z?"
)
_SGP4_EPOCH: Final = datetime(1949, 12, 31, tzinfo=UTC)
_YEARS: Final = range(1980, 2101)
_WGS72: Final = 1  # gravity model of two-line elements, by its number in sgp4
_MINUTES_PER_DAY: Final = 1440.0
_MAX_ALPHA5: Final = 339_999  # what sgp4 takes as a catalogue number
#: What a number may be, beyond being one.
_BOUNDS: Final = {
    "ECCENTRICITY": (0.0, 1.0),
    "INCLINATION": (0.0, 180.0),
    "MEAN_MOTION": (0.01, 20.0),
    "RA_OF_ASC_NODE": (-360.0, 360.0),
    "ARG_OF_PERICENTER": (-360.0, 360.0),
    "MEAN_ANOMALY": (-360.0, 360.0),
}
_DRAG: Final = ("BSTAR", "MEAN_MOTION_DOT", "MEAN_MOTION_DDOT")  # nothing at the heights of these satellites
_MAX_LABEL: Final = 60


def satrec_class() -> Any:
    """Return the class of the package sgp4, or say how to install it."""
    try:
        from sgp4.api import Satrec
    except ImportError:
        raise GnssCoopError("two-line elements need the package sgp4: pip install 'gnss-coop[forecast]'") from None
    return Satrec


def omm_form(text: str) -> str | None:
    """Return the form of an OMM file; None where the text is something else."""
    head = text.lstrip()[:2000]
    for form, sign in (("xml", "<"), ("json", "["), ("json", "{")):
        if head.startswith(sign):
            return form
    columns = head.partition("\n")[0].upper()
    return "csv" if "," in columns and "EPOCH" in columns and "MEAN_MOTION" in columns else None


def omm_sets(text: str, path: str) -> Iterator[ElementSet]:
    """Yield the sets of an OMM file.

    Raises
    ------
    RinexError
        If the file is no JSON, csv or XML.
    """
    satrec = satrec_class()
    readers: dict[str, Callable[[str], Iterable[Mapping[Any, Any]]]] = {
        "json": _json_messages,
        "csv": lambda content: csv.DictReader(io.StringIO(content)),
        "xml": _xml_messages,
    }
    try:
        messages = list(readers[str(omm_form(text))](text))
    except (ValueError, SyntaxError, LookupError, csv.Error) as error:
        raise RinexError(f"cannot be read as OMM ({error}); fetch it again", path) from None
    except RecursionError:
        raise RinexError("cannot be read as OMM (its parts are nested too deep); fetch it again", path) from None
    for fields in messages:
        label = str(fields.get("OBJECT_NAME") or fields.get("NORAD_CAT_ID") or "a message without a name")[:_MAX_LABEL]
        try:
            yield label, *_elements(fields, satrec), ""
        except ValueError as error:
            yield label, 0, None, str(error)


def _elements(fields: Mapping[Any, Any], satrec: Any) -> tuple[int, Any]:
    """Return catalogue number and elements of a message; ValueError says what is wrong."""
    value = {name: _number(fields, name) for name in _BOUNDS}
    bstar, dot, ddot = (_number(fields, name, 0.0) for name in _DRAG)
    words = str(fields.get("NORAD_CAT_ID") or "0").strip()
    norad = plain_int(words)
    days = (_epoch(str(fields.get("EPOCH") or "").strip()) - _SGP4_EPOCH).total_seconds() / 86400.0
    turn = 2.0 * math.pi
    result = satrec()
    result.sgp4init(
        _WGS72, "i", norad if 0 <= norad <= _MAX_ALPHA5 else 0, days, bstar,
        dot * turn / _MINUTES_PER_DAY**2, ddot * turn / _MINUTES_PER_DAY**3,
        value["ECCENTRICITY"], math.radians(value["ARG_OF_PERICENTER"]), math.radians(value["INCLINATION"]),
        math.radians(value["MEAN_ANOMALY"]), value["MEAN_MOTION"] * turn / _MINUTES_PER_DAY,
        math.radians(value["RA_OF_ASC_NODE"]),
    )  # fmt: skip
    return norad, result


def _number(fields: Mapping[Any, Any], name: str, default: float | None = None) -> float:
    words = fields.get(name)
    if words is None or words == "":
        if default is None:
            raise ValueError(f"its message lacks {name}")
        return default
    try:
        value = plain_float(str(words))
    except ValueError as error:
        raise ValueError(f"its {name}: {error}") from None
    low, high = _BOUNDS.get(name, (-1e3, 1e3))
    if not low <= value <= high or (name == "ECCENTRICITY" and value == high):
        raise ValueError(f"its {name} {value:g} is not within {low:g} to {high:g}")
    return value


def _epoch(text: str) -> datetime:
    match = _EPOCH.fullmatch(text)
    if match is None:
        raise ValueError(f"its EPOCH {text[:40]!r} is no time such as 2024-01-10T12:00:00")
    year, month, day, day_of_year, hour, minute, second, fraction = match.groups()
    if int(year) not in _YEARS:
        raise ValueError(f"its EPOCH {text[:40]!r} is not of the years 1980 to 2100")
    try:
        start = datetime(int(year), int(month or 1), int(day or 1), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"its EPOCH {text[:40]!r} is no time ({error})") from None
    seconds = float(fraction) if fraction and fraction != "." else 0.0
    return start + timedelta(days=int(day_of_year or 1) - 1, seconds=seconds)


def _xml_messages(text: str) -> list[dict[str, Any]]:
    """Return the leaves of each segment, in one pass however deep it is."""
    messages: list[dict[str, Any]] = []
    inside = False
    for event, part in ElementTree.iterparse(io.BytesIO(text.encode()), ("start", "end")):
        name = str(part.tag).rpartition("}")[2]
        if name == "segment":
            inside = event == "start"
            if inside:
                messages.append({})
        elif inside and event == "end" and len(part) == 0:
            messages[-1][name] = part.text
    return messages


def _json_messages(text: str) -> list[dict[str, Any]]:
    content = json.loads(text)
    messages = content if isinstance(content, list) else [content]
    return [message for message in messages if isinstance(message, dict)]
