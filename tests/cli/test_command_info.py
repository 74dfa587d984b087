"""`info`: counts of records against a count of lines in the files themselves."""

import gzip
import json

COLUMNS = ["file", "version", "system", "message", "n_satellites", "n_records", "n_unhealthy", "rejected",
           "repaired", "first_toe_gpst", "last_toe_gpst", "completeness_pct"]  # fmt: skip


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


def test_why_records_are_rejected_is_said_at_once(run, root):
    result = run("info", root / "sample_rinex" / "brdc0100.24g.gz")
    assert "the first rejected: line " in result.err
    assert "R10 orbit is another satellite's: that of R26" in result.err


def test_files_that_contradict_each_other_on_the_health_of_a_system(run, root, tmp_path):
    file = root / "sample_rinex" / "brdc0100.24g.gz"
    lines = gzip.decompress(file.read_bytes()).decode("latin-1").splitlines(keepends=True)
    body = next(i for i, line in enumerate(lines) if "END OF HEADER" in line) + 1
    records = list(zip(lines[body::4], lines[body + 1 :: 4], strict=True))
    healthy = {line[:2] for line, state in records if float(state[60:79].replace("D", "E")) == 0}
    for first in range(body + 1, len(lines), 4):  # X, its rate, its acceleration, health
        lines[first] = lines[first][:60] + f"{1.0:19.12E}\n".replace("E", "D")
    (tmp_path / "other.24g").write_text("".join(lines), "latin-1")
    result = run("info", file, "other.24g")
    (warning,) = [line for line in result.err.splitlines() if "contradict" in line]
    assert "on the health of GLONASS" in warning
    assert f"healthy in {file} and unhealthy in other.24g" in warning
    n_contradicted, n_common = [int(word) for word in warning.split(": ")[2].split() if word.isdigit()][:2]
    table = run("info", file, "--format", "csv").table
    assert n_contradicted == table["n_records"].sum() - table["n_unhealthy"].sum()
    assert n_common >= n_contradicted
    assert f"of {len(healthy)} satellites" in warning  # the others are unhealthy in both
    same = run("info", file, root / "sample_rinex" / "BRDC00IGS_R_20240100000_01D_MN.rnx.gz")
    assert "contradict" not in same.err
    assert "contradict" not in run("info", "other.24g").err


def test_rejected_and_repaired_records_have_columns_and_lists(run, root):
    reports = root / "tests/data/public_reports"
    tags, words = reports / "glonass-tags-1s-late.rnx.gz", reports / "unused-field-garbage.rnx.gz"
    table = run("info", tags, words, "--format", "csv").table
    assert table.groupby("system")[["n_records", "rejected", "repaired"]].sum().to_dict("index") == {
        "C": {"n_records": 46, "rejected": 0, "repaired": 35},
        "R": {"n_records": 148, "rejected": 0, "repaired": 148},
    }
    rows = json.loads(run("info", tags, "--format", "json").out)
    assert [(row["rejected"], row["repaired"]) for row in rows] == [(0, 148)]
    assert "repaired" in run("info", tags).out.splitlines()[0]
    repairs = run("info", words, "--repairs", "--format", "csv").table
    assert list(repairs.columns) == ["file", "line", "sv", "repair"]
    assert len(repairs) == 35
    run("info", words, "--repairs", "--rejects").refused("give only one of them")


def test_what_is_rejected_has_a_row_even_where_nothing_else_is_left(run, root, tmp_path):
    text = gzip.decompress((root / "tests/data/public_reports/unused-field-garbage.rnx.gz").read_bytes()).decode()
    head, _, body = text.partition("END OF HEADER       \n")
    (tmp_path / "bad.rnx").write_text(head + "END OF HEADER\n" + body.replace("C0", "X0") + "not a record\n")
    table = run("info", "bad.rnx", "--format", "csv").table
    assert table["system"].tolist() == ["", "C", "C", "X"]
    assert table["rejected"].tolist()[0] == 1
    assert table["rejected"].tolist()[-1] == body.count("\nC0") + 1
    assert table["n_records"].tolist()[-1] == 0


def test_repair_writes_a_file_that_has_no_faults(run, root, tmp_path):
    source = root / "tests/data/public_reports/glonass-tags-1s-late.rnx.gz"
    result = run("info", source, "--repair", "-o", "clean.rnx")
    assert (result.code, result.out) == (0, "")
    assert "clean.rnx: 148 records" in result.err
    assert "148 repaired" in result.err
    row = run("info", "clean.rnx", "--format", "csv").table.iloc[0]
    assert (row.n_records, row.rejected, row.repaired) == (148, 0, 0)
    run("info", source, "--repair", "-o", "clean.rnx").refused("exists")
    assert run("info", "clean.rnx", "--repair", "-o", "again.rnx.gz").code == 0
    assert gzip.decompress((tmp_path / "again.rnx.gz").read_bytes()) == (tmp_path / "clean.rnx").read_bytes()
    assert run("info", source, "--repair", "-o", "clean.rnx", "--overwrite").code == 0
    run("info", source, "--repair").refused("-o NAME")
    run("info", source, "clean.rnx", "--repair", "-o", "x.rnx").refused("one file")
    run("info", source, "--repair", "--repairs", "-o", "x.rnx").refused("another run")
    run("info", source, "--repair", "-o", "none/x.rnx").refused("no folder")
