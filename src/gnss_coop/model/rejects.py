"""What readers leave out or repair, and why."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that was left out and why, or that was repaired and how.

    Attributes
    ----------
    file : str
    line : int
        Line where the record begins, from 1.
    sv : str
        Satellite; empty where it is unknown or none.
    reason : str
    message : str
        Name of the message, such as LNAV; empty where it is unknown.
    """

    file: str
    line: int
    sv: str
    reason: str
    message: str = ""
