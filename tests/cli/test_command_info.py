"""`info`: counts of records against a count of lines in the files themselves."""

import gzip
import json

COLUMNS = ["file", "version", "system", "message", "n_satellites", "n_records", "n_unhealthy", "first_toe_gpst",
           "last_toe_gpst", "completeness_pct"]  # fmt: skip


def test_counts_are_those_of_the_frames_in_the_file(run, hours):
    result = run("info", hours, "--format", "csv")
    table = result.table
    assert list(table.columns) == COLUMNS
    frames = [line.split() for line in hours.read_text("latin-1").splitlines() if line.startswith("> EPH")]
    counted: dict[tuple[str, str], set[str]] = {}
    for _, _, sv, message in frames:
        counted.setdefault((sv[0], message), set()).add(sv)
    assert {(row.system, row.message): row.n_satellites for row in table.itertuples()} == {
        key: len(satellites) for key, satellites in counted.items()
    }
    assert table["n_records"].sum() == len(frames)
    assert f"{len(frames)} usable records, 0 duplicates counted once, 0 rejected" in result.err


def test_records_of_a_packed_rinex_2_file_and_what_is_rejected(run, root):
    file = root / "sample_rinex" / "brdc0100.24g.gz"
    body = gzip.decompress(file.read_bytes()).decode("latin-1").partition("END OF HEADER")[2].splitlines()[1:]
    n_records = sum(1 for line in body if line[:2].strip())  # satellite numbers stand in the first columns
    table = run("info", file, "--format", "csv").table
    rejects = run("info", file, "--rejects", "--format", "csv").table
    assert list(rejects.columns) == ["file", "line", "sv", "reason"]
    assert table["system"].tolist() == ["R"]
    assert table["version"].tolist() == [2.01]
    assert table["n_records"].sum() + len(rejects) == n_records
    assert len(rejects) > 0
    assert rejects["reason"].str.len().min() > 10


def test_several_files_are_one_table_and_a_bad_one_costs_only_itself(run, hours, glonass, tmp_path):
    bad = tmp_path / "bad.rnx"
    bad.write_text("no navigation file")
    both = run("info", hours, glonass, "--format", "csv")
    assert both.table["file"].nunique() == 2
    some = run("info", hours, bad, glonass, "--format", "csv")
    assert (some.code, some.out) == (3, both.out)
    assert some.err.count("gnss-coop: error: ") == 1
    none = run("info", bad, tmp_path / "missing.rnx")
    assert (none.code, none.out) == (4, "")
    assert none.err.count("gnss-coop: error: ") == 2
    run("info", bad, bad).refused("bad.rnx")


def test_a_file_with_a_header_alone_has_no_rows(run, glonass, tmp_path):
    lines = glonass.read_text("latin-1").splitlines(keepends=True)
    end = next(i for i, line in enumerate(lines) if "END OF HEADER" in line)
    (tmp_path / "header.rnx").write_text("".join(lines[: end + 1]))
    result = run("info", "header.rnx", "--format", "csv")
    assert (result.code, result.out) == (0, ",".join(COLUMNS) + "\n")
    assert "0 usable records" in result.err
    assert json.loads(run("info", "header.rnx", "--format", "json").out) == []
    assert run("info", "header.rnx", "--rejects", "--format", "csv").out == "file,line,sv,reason\n"
