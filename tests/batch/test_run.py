"""What runs do to an archive: days by content, keys, repeats, bad files, what is left over."""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import sqlite3
from datetime import date, timedelta

import duckdb
import numpy as np
import pytest

import gnss_coop as gc
from gnss_coop.batch.archive.catalog import Ledger
from gnss_coop.batch.archive.lock import RunLock
from gnss_coop.batch.engines.executors import Threads
from gnss_coop.batch.settings import Settings
from gnss_coop.batch.watch import Watch
from gnss_coop.batch.words import summary_text
from gnss_coop.errors import ArchiveError, StudyError
from gnss_coop.output.flat_tables import dop_frame, passes_frame

FIRST = date(2024, 1, 10)
#: Results are rounded to 9 significant digits.
ROUNDING = 1e-8


def no_engine(n_tasks):
    raise AssertionError("there was nothing to do")


def read(output, product):
    return duckdb.sql(f"SELECT * FROM read_parquet('{output}/product={product}/*/*/*.parquet')").df()


def ledger(output, query):
    connection = sqlite3.connect(output / "ledger.sqlite")
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def day_of(k):
    return (FIRST + timedelta(days=k)).isoformat()


def test_results_are_those_of_the_library(days, batch, tmp_path, settings):
    summary = batch(days, products=("compare", "passes", "dop", "worst"))
    assert (summary.n_days, summary.n_done, summary.n_failed, summary.exit_code) == (4, 4, 0, 0)
    nav = gc.read_nav(sorted(days.iterdir())[1])
    sky = gc.satellite_positions(nav, gc.epochs(day_of(1), hours=24, step_s=3600))
    dop = gc.dilution_of_precision(sky, settings.stations, ["R"], mask_deg=[5, 25])
    expected = {
        "compare": (gc.compare(dop), ["station", "mask_deg", "systems"]),
        "passes": (
            passes_frame(gc.passes(nav, settings.stations, day_of(1), day_of(2), mask_deg=25)),
            ["station", "sv", "rise_gpst"],
        ),
        "dop": (dop_frame(dop), ["time_gpst", "station", "mask_deg"]),
    }
    for product, (table, order) in expected.items():
        found = read(tmp_path / "results", product)
        found = found[found["day"].astype(str).str[:10] == day_of(1)]
        found = found[found["mask_deg"] == 25] if product == "passes" else found
        found, table = (t.sort_values(order, ignore_index=True) for t in (found, table))
        assert len(found) == len(table) > 0
        for name in table.columns:
            if table[name].dtype.kind == "f":
                np.testing.assert_allclose(found[name].to_numpy(float), table[name].to_numpy(float), rtol=ROUNDING)
            elif name.endswith("_gpst"):
                assert found[name].astype("datetime64[s]").tolist() == table[name].astype("datetime64[s]").tolist()
            else:
                assert found[name].tolist() == table[name].tolist()


def test_repeating_does_nothing(days, batch, tmp_path, tree):
    batch(days)
    before = tree(tmp_path / "results")
    times = {name: (tmp_path / "results" / name).stat().st_mtime_ns for name in before}
    again = batch(days, engine=no_engine)
    assert (again.n_done, again.n_skipped, again.exit_code) == (0, 4, 0)
    assert tree(tmp_path / "results") == before
    assert times == {name: (tmp_path / "results" / name).stat().st_mtime_ns for name in before}


def test_force_computes_again_and_changes_nothing(days, batch, tmp_path, tree):
    batch(days)
    before = tree(tmp_path / "results")
    assert batch(days, force=True).n_done == 4
    assert tree(tmp_path / "results") == before
    assert {n for (n,) in ledger(tmp_path / "results", "SELECT attempts FROM jobs")} == {2}


def test_another_mask_touches_only_itself(days, batch, tmp_path, settings, tree):
    batch(days)
    before = tree(tmp_path / "results")
    other = Settings(("R",), ("per-system",), (5.0, 30.0), settings.stations, step_s=3600.0)
    batch(days, settings=other)
    after = tree(tmp_path / "results")
    assert before.items() <= after.items()
    assert {name.split("/")[-1].split("-")[1] for name in after.keys() - before.keys()} == {"mask30"}


def test_what_does_not_touch_a_product_leaves_it(days, batch, tmp_path, settings, tree):
    batch(days)
    before = tree(tmp_path / "results")
    batch(days, settings=Settings(("R",), ("per-system",), (5.0, 25.0), settings.stations, max_pdop=4.0, step_s=1800.0))
    after = tree(tmp_path / "results")
    assert {n for n in before if "passes" in n} == {n for n in after if "passes" in n}
    assert not {n for n in before if "compare" in n} & after.keys()
    assert len(after) == len(before)


@pytest.mark.parametrize("change", ["packed", "renamed", "elsewhere", "reversed", "doubled", "touched"])
def test_only_content_matters(change, days, batch, tmp_path, settings, tree):
    batch(days)
    other = tmp_path / "other"
    files = sorted(days.iterdir())
    sources = [other]
    other.mkdir()
    for k, file in enumerate(files):
        if change == "packed":
            (other / f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        elif change == "renamed":
            (other / f"a{(7 * k) % 4}.nav").write_bytes(file.read_bytes())
        else:
            shutil.copy(file, other)
    if change == "reversed":
        sources = [other / file.name for file in reversed(files)]
        settings = Settings(("R",), ("per-system",), (25.0, 5.0), gc.stations("Shanghai,Irkutsk"), step_s=3600)
    if change == "doubled":
        sources = [other, days]
    if change == "touched":
        for file in other.iterdir():
            os.utime(file, (1, 1))
    batch(*sources, output=tmp_path / "again", settings=settings)
    assert tree(tmp_path / "again") == tree(tmp_path / "results")


def test_a_day_is_known_by_content(days, batch, tmp_path, on_day):
    """A name that promises another day changes nothing but the order of work."""
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    (wrong / "brdc0500.24g").write_bytes(on_day(2))
    (wrong / "brdc0130.24g").write_bytes(on_day(0))
    summary = batch(wrong)
    assert summary.n_done == 2
    assert {row[0] for row in ledger(tmp_path / "results", "SELECT DISTINCT day FROM jobs")} == {day_of(0), day_of(2)}


def test_files_of_one_day_are_merged(batch, tmp_path, on_day, tree):
    whole = on_day(0)
    head, _, body = whole.partition(b"END OF HEADER       \n")
    records = re.findall(rb"^[ \d]\d 24 .*\n(?: .*\n){3}", body, re.MULTILINE)
    folder = tmp_path / "pieces"
    folder.mkdir()
    for k in range(12):
        # Overlapping pieces: some records come twice.
        own = records[k * len(records) // 12 : (k + 1) * len(records) // 12 + 3]
        (folder / f"brdc010{chr(ord('a') + k)}.24g").write_bytes(head + b"END OF HEADER       \n" + b"".join(own))
    (tmp_path / "whole.24g").write_bytes(whole)
    batch(folder, output=tmp_path / "merged")
    batch(tmp_path / "whole.24g", output=tmp_path / "single")
    for product in ("compare", "passes"):
        assert read(tmp_path / "merged", product).equals(read(tmp_path / "single", product))
    used = ledger(tmp_path / "merged", "SELECT count(*), min(used) FROM day_inputs WHERE day = '2024-01-10'")
    assert used == [(12, 1)]


def test_a_thousand_small_files(batch, tmp_path, on_day):
    folder = tmp_path / "many"
    folder.mkdir()
    expected = set()
    for k in range(3):
        head, _, body = on_day(k).partition(b"END OF HEADER       \n")
        records = re.findall(rb"^[ \d]\d \d\d .*\n(?: .*\n){3}", body, re.MULTILINE)
        expected.add(day_of(k))
        for n, record in enumerate(records[:334]):
            (folder / f"f{k}{n:04d}.24g").write_bytes(head + b"END OF HEADER       \n" + record)
    summary = batch(folder, products=("compare",))
    assert (summary.n_files, summary.n_bad_files, summary.n_done) == (1002, 0, 3)
    found = ledger(tmp_path / "results", "SELECT day, sum(used) FROM day_inputs GROUP BY day HAVING sum(used) > 0")
    assert {day for day, _ in found} == expected
    assert sum(n for _, n in found) == 1002


def test_a_file_of_two_days_makes_both_and_strays_make_none(batch, tmp_path, on_day):
    """Each day has satellites of its own, for no satellite moves as its records of the day before repeated."""
    head = on_day(0).partition(b"END OF HEADER       \n")[0] + b"END OF HEADER       \n"
    records = [re.findall(rb"^[ \d]\d \d\d .*\n(?: .*\n){3}", on_day(k), re.MULTILINE) for k in (0, 1, 5)]
    satellites = sorted({record[:2] for record in records[0]})
    first = [record for record in records[0] if record[:2] in satellites[::2]]
    second = [record for record in records[1] if record[:2] in satellites[1::2][:-1]]
    stray = [record for record in records[2] if record[:2] == satellites[1::2][-1]][:1]
    two = tmp_path / "two.24g"
    two.write_bytes(head + b"".join(first + second + stray))
    batch(two)
    found = ledger(tmp_path / "results", "SELECT day, used, n_records, reason FROM day_inputs ORDER BY day")
    assert [row[:2] for row in found] == [(day_of(0), 1), (day_of(1), 1), (day_of(5), 0)]
    assert found[2][2] == 1
    assert "too few" in found[2][3]
    assert {row[0] for row in ledger(tmp_path / "results", "SELECT day FROM jobs")} == {day_of(0), day_of(1)}


def test_a_new_file_of_a_day_replaces_its_results(batch, days, tmp_path, on_day, tree):
    batch(days)
    before = tree(tmp_path / "results")
    extra = on_day(1).replace(b"END OF HEADER       \n 1", b"END OF HEADER       \n 2", 1)
    (days / "late0110.24g").write_bytes(extra)
    summary = batch(days)
    assert (summary.n_done, summary.n_skipped) == (1, 3)
    after = tree(tmp_path / "results")
    assert len(after) == len(before)
    assert {n.split("/")[2] for n in before.keys() - after.keys()} == {f"day={day_of(1)}"}


@pytest.mark.parametrize("where", [0, 1, 2])
def test_a_bad_file_among_others(where, days, batch, tmp_path, tree):
    batch(days, output=tmp_path / "good")
    name = ["a.24g", "brdc0110.24n", "z.24g"][where]
    (days / name).write_bytes(b"<!DOCTYPE html><html>Log in</html>")
    summary = batch(days)
    assert (summary.n_done, summary.n_bad_files, summary.exit_code) == (4, 1, 3)
    assert "web page" in summary.failures[str(days / name)]
    assert tree(tmp_path / "results") == tree(tmp_path / "good")
    ((error,),) = ledger(tmp_path / "results", "SELECT error FROM files WHERE status = 'bad'")
    assert "web page" in error


def test_all_bad(tmp_path, batch):
    (tmp_path / "a.24g").write_bytes(b"nothing")
    assert batch(tmp_path / "a.24g").exit_code == 4


def test_a_cut_file_is_bad_unless_accepted(days, batch, tmp_path):
    file = sorted(days.iterdir())[0]
    file.write_bytes(file.read_bytes()[:-100])
    assert batch(days).n_bad_files == 1
    assert batch(days, accept_truncated=True).n_bad_files == 0
    assert batch(days).n_bad_files == 1


def test_a_day_that_fails_does_not_stop_the_others(days, batch, tmp_path, settings):
    only = Settings(
        ("R",), ("per-system",), (5.0,), settings.stations, step_s=3600.0,
        exclude_sv=tuple(f"R{n:02d}" for n in range(1, 29)),
    )  # fmt: skip
    summary = batch(days, settings=only)
    assert (summary.n_failed, summary.exit_code) == (4, 4)
    assert "no usable navigation record" in summary.failures[day_of(0)]
    errors = ledger(tmp_path / "results", "SELECT DISTINCT status, path FROM jobs")
    assert errors == [("failed", None)]
    assert batch(days, settings=only).n_failed == 4  # tried again each time


def test_days_can_be_bounded(days, batch, tmp_path):
    summary = batch(days, first_day=day_of(1), end_day=day_of(3))
    assert summary.n_days == 2
    assert {row[0] for row in ledger(tmp_path / "results", "SELECT DISTINCT day FROM jobs")} == {day_of(1), day_of(2)}


def test_no_record_of_the_systems_asked_for(days, batch, settings):
    with pytest.raises(StudyError, match="none of 4 files holds usable records of C"):
        batch(days, settings=Settings(("C",), ("per-system",), (5.0,), settings.stations))


def test_leftovers_go_and_strangers_stay(days, batch, tmp_path, tree):
    batch(days)
    output = tmp_path / "results"
    whole = tree(output)
    folder = (output / next(iter(whole))).parent
    draft = folder / ".compare-mask5-per-system-0123456789abcdef.parquet.123-89abcdef.tmp"
    unknown = folder / "compare-mask5-per-system-0123456789abcdef.parquet"
    own, notes = folder / "notes.txt", output / "readme.parquet"
    for path in (draft, unknown, own, notes):
        path.write_bytes(b"x")
    batch(days, engine=no_engine)
    assert not draft.exists()
    assert not unknown.exists()
    assert own.exists()
    assert notes.exists()
    assert tree(output).keys() - whole.keys() == {own.relative_to(output).as_posix(), "readme.parquet"}


@pytest.mark.parametrize("fault", ["gone", "short", "changed"])
def test_what_the_ledger_names_is_there(fault, days, batch, tmp_path, tree):
    batch(days)
    output = tmp_path / "results"
    whole = tree(output)
    victim = output / sorted(whole)[3]
    if fault == "gone":
        victim.unlink()
    else:
        data = victim.read_bytes()
        victim.write_bytes(data[:-1] if fault == "short" else data[:-1] + bytes([data[-1] ^ 1]))
    summary = batch(days, recheck=fault == "changed")
    assert (summary.n_done, summary.n_skipped) == (1, 3)
    assert tree(output) == whole


def test_one_run_at_a_time(days, batch, tmp_path):
    output = tmp_path / "results"
    output.mkdir()
    with RunLock(output), pytest.raises(ArchiveError, match=rf"in use by process {os.getpid()} on \S+ since 20"):
        batch(days)
    assert batch(days).n_done == 4


def test_a_broken_off_run_goes_on(days, batch, tmp_path, tree):
    batch(days, output=tmp_path / "whole")

    class Impatient(Threads):
        n_submitted = 0

        def submit(self, function, *arguments):
            self.n_submitted += 1
            if self.n_submitted == 4:  # the warming up and two days
                raise KeyboardInterrupt
            return super().submit(function, *arguments)

    with pytest.raises(KeyboardInterrupt):
        batch(days, engine=lambda n: Impatient(1))
    output = tmp_path / "results"
    assert ledger(output, "SELECT state, exit_code FROM runs") == [("interrupted", 130)]
    assert batch(days).n_done + len({n.split("/")[2] for n in tree(output)}) >= 4
    assert tree(output) == tree(tmp_path / "whole")


def test_the_ledger_tells_what_was_done(days, batch, tmp_path):
    batch(days)
    output = tmp_path / "results"
    files = ledger(output, "SELECT path, size, sha256 FROM files ORDER BY path")
    assert [row[0] for row in files] == [str(path) for path in sorted(days.iterdir())]
    data = sorted(days.iterdir())[0].read_bytes()
    assert files[0][1:] == (len(data), hashlib.sha256(data).hexdigest())
    nav = gc.read_nav(sorted(days.iterdir())[0])
    content = ledger(
        output, f"SELECT version, systems, n_records, n_rejects FROM contents WHERE sha256 = '{files[0][2]}'"
    )
    assert content == [("2.01", "R", len(nav), len(nav.rejects))]
    for path, n_rows, n_bytes, sha256, settings, software in ledger(
        output, "SELECT path, n_rows, n_bytes, sha256, settings_json, software_json FROM jobs"
    ):
        data = (output / path).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (n_bytes, sha256)
        assert duckdb.sql(f"SELECT count(*) FROM '{output / path}'").fetchall() == [(n_rows,)]
        assert json.loads(settings)["exclude_sv"] == []
        assert json.loads(software)["gnss-coop"] == gc.__version__


def test_rejects_are_listed(days, batch, tmp_path):
    file = sorted(days.iterdir())[0]
    text = file.read_bytes()
    at = text.index(b"END OF HEADER       \n") + 21
    lines = text[at:].splitlines(keepends=True)
    lines[1] = lines[1].replace(b"D+0", b"X+0", 1)
    file.write_bytes(text[:at] + b"".join(lines))
    batch(file)
    rejects = ledger(tmp_path / "results", "SELECT line, sv, reason FROM rejects")
    assert [(line, sv) for line, sv, _ in rejects] == [(r.line, r.sv) for r in gc.read_nav(file).rejects]
    assert rejects


def test_an_archive_of_another_form_is_left_alone(days, batch, tmp_path):
    batch(days)
    connection = sqlite3.connect(tmp_path / "results" / "ledger.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ArchiveError, match="form 99"):
        batch(days)


def test_a_folder_that_is_no_archive_cannot_be_read(tmp_path):
    with pytest.raises(ArchiveError, match="not a gnss-coop archive"):
        Ledger(tmp_path)


def test_maps_are_the_same_each_time(days, batch, tmp_path, settings, tree):
    import xarray as xr

    small = Settings(("R",), ("per-system",), (5.0,), settings.stations, map_grid_deg=30.0, map_step_s=7200.0)
    batch(days, products=("map",), settings=small)
    batch(days, products=("map",), settings=small, output=tmp_path / "again")
    assert len(tree(tmp_path / "again")) == 4
    assert tree(tmp_path / "again") == tree(tmp_path / "results")
    name = next(iter(tree(tmp_path / "again")))
    with xr.open_dataset(tmp_path / "again" / name) as world:
        assert world.sizes["lat"] == 6
        assert world.attrs["files"].startswith("sha256:")
        assert str(tmp_path) not in str(world.attrs)


def test_warnings_become_notes(tmp_path, batch, on_day, capfd):
    """A day beyond the leap-second table: the figures come, and the ledger tells."""
    (tmp_path / "far.24g").write_bytes(on_day(365 * 30))
    assert batch(tmp_path / "far.24g", products=("compare",)).exit_code == 0
    notes = ledger(tmp_path / "results", "SELECT DISTINCT notes_json FROM jobs")
    assert "leap" in notes[0][0]
    assert "Warning" not in capfd.readouterr().err


@pytest.mark.parametrize("fault", ["cut", "garbage"])
def test_a_damaged_ledger_is_told_with_what_to_do(fault, days, batch, tmp_path):
    batch(days)
    ledger = tmp_path / "results" / "ledger.sqlite"
    ledger.write_bytes(ledger.read_bytes()[:20_000] if fault == "cut" else b"garbage" * 1000)
    with pytest.raises(ArchiveError, match=r"damaged.*remove it.*computes all results again"):
        batch(days)
    for path in ledger.parent.glob("ledger.sqlite*"):
        path.unlink()
    assert batch(days).n_done == 4


def test_files_that_make_no_day_are_told_and_names_steer_no_terminal(days, batch, tmp_path):
    sample = min(days.iterdir()).read_bytes()
    (days / "empty.24g").write_bytes(sample[: sample.index(b"END OF HEADER") + 21])
    (days / "bad\n\x1b[31m.24g").write_bytes(b"junk")
    stream = io.StringIO()
    summary = batch(days, watch=Watch(stream))
    assert "1 of 5 contents make no day of R" in stream.getvalue()
    assert "bad\\n\\x1b[31m.24g" in stream.getvalue()
    assert "\x1b" not in stream.getvalue() + summary_text(summary)
