"""Make the table of satellites by number and date that `gnss_coop.model.identity` reads.

Usage: python make_identity.py igs_satellite_metadata.snx identity_RC.csv > identity.csv

GLONASS and BeiDou are taken from the second file, which adds the moves of April 2026 to the first; the other systems
from the first, blocks SATELLITE/IDENTIFIER and SATELLITE/PRN.
"""

import csv
import sys
from datetime import datetime, timedelta
from pathlib import Path

COLUMNS = ("svn", "block", "cospar", "norad", "prn", "valid_from", "valid_to", "source")


def block_lines(text: str, name: str) -> list[str]:
    body = text.partition(f"\n+{name}\n")[2].partition(f"\n-{name}")[0]
    return [line for line in body.split("\n") if line.startswith(" ")]


def date(word: str) -> str:
    year, day, second = map(int, word.split(":"))
    return "" if year == 0 else (datetime(year, 1, 1) + timedelta(day - 1, second)).isoformat()


def main(metadata: str, announced: str) -> None:
    text = Path(metadata).read_text("latin-1")
    known = {}
    for line in block_lines(text, "SATELLITE/IDENTIFIER"):
        svn, cospar, norad, block = line[1:40].split()[:4]
        known[svn] = (block, cospar, norad)
    with Path(announced).open(newline="") as stream:
        rows = [tuple(row[name] for name in COLUMNS) for row in csv.DictReader(stream)]
    source = next(row[-1] for row in rows)
    rows = [(*row[:-1], "by orbit" if row[-1].startswith("found by orbit") else row[-1]) for row in rows]
    for line in block_lines(text, "SATELLITE/PRN"):
        svn, start, end, prn = line.split()[:4]
        if svn[0] not in "RC":
            rows.append((svn, *known[svn], prn, date(start), date(end), source))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(sorted(rows, key=lambda row: (row[0], row[5])))


if __name__ == "__main__":
    main(*sys.argv[1:])
