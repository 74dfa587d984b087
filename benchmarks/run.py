"""Measure reading, positions, DOP, networks and the command line, and print one table: ``python benchmarks/run.py``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import command
import dop
import networks
import positions
import reading
from common import ROOT, print_table, unpack_sample


def main() -> None:
    """Run all benchmarks on the sample day."""
    with tempfile.TemporaryDirectory() as folder:
        day = unpack_sample(Path(folder))
        rows = [
            *reading.time_rows(day),
            *reading.memory_rows(day, ROOT / "sample_rinex" / "Example_Glonass_Rinex400.n"),
            *positions.rows(day),
            *dop.rows(day),
            *networks.rows(),
            *command.rows(),
        ]
    print_table(rows)


if __name__ == "__main__":
    main()
