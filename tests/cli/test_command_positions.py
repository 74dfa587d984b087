"""`positions`: its columns, its numbers against the library, and what the orbits must be like."""

import numpy as np

import gnss_coop as gc

COLUMNS = ["time_gpst", "sv", "x_m", "y_m", "z_m", "age_s", "healthy", "message"]
AT = ("--at", "2022-06-08T10:30:00")


def test_csv_holds_exactly_the_numbers_of_the_library(run, hours):
    table = run("positions", hours, *AT, "--format", "csv").table
    assert list(table.columns) == [*COLUMNS, "day", "source"]
    sky = gc.satellite_positions(gc.read_nav(hours), gc.epochs("2022-06-08T10:30:00", hours=0.01, step_s=300))
    known = np.isfinite(sky["positions"].values[0]).all(axis=-1)
    assert table["sv"].tolist() == sky["sv"].values[known].tolist()
    np.testing.assert_array_equal(table[["x_m", "y_m", "z_m"]].to_numpy(), sky["positions"].values[0, known])
    np.testing.assert_array_equal(table["age_s"].to_numpy(), sky["age"].values[0, known])


def test_radii_are_those_of_the_constellations(run, hours):
    table = run("positions", hours, *AT, "--format", "csv").table
    radius_km = np.sqrt((table[["x_m", "y_m", "z_m"]] ** 2).sum(axis=1)) / 1000
    by_system = dict(iter(radius_km.groupby(table["sv"].str[0])))
    # GLONASS ICD: circular, 25508 km; GPS 26560 km with eccentricities up to 0.03
    assert by_system["R"].between(25_300, 25_700).all()
    assert by_system["G"].between(25_700, 27_400).all()
    assert by_system["E"].between(29_300, 29_900).sum() >= by_system["E"].size - 2  # E14, E18 are eccentric
    beidou = by_system["C"]
    assert (beidou.between(27_700, 28_100) | beidou.between(41_000, 43_500)).all()  # MEO | IGSO, GEO


def test_systems_by_letter_and_messages_by_name(run, hours):
    table = run("positions", hours, *AT, "--systems", "C", "--format", "csv").table
    assert set(table["sv"].str[0]) == {"C"}
    assert set(table["message"]) <= {"D1", "D2"}  # the file holds no B-CNAV
    assert run("positions", hours, *AT, "--systems", "R,C", "--format", "csv").table["sv"].str[0].nunique() == 2


def test_unhealthy_satellites_come_only_on_request(run, day):
    arguments = ("positions", day, "--at", "2024-01-10T12:00:00", "--format", "csv")
    healthy = run(*arguments).table
    everything = run(*arguments, "--include-unhealthy").table
    assert healthy["healthy"].all()
    added = everything[~everything["sv"].isin(healthy["sv"])]
    assert len(added) > 0
    assert not added["healthy"].any()
    kept = everything[everything["sv"].isin(healthy["sv"])]
    assert set(kept["sv"]) == set(healthy["sv"])


def test_ages_stay_within_the_limit(run, hours):
    table = run("positions", hours, *AT, "--max-age", "1200", "--format", "csv").table
    assert len(table) > 0
    assert (table["age_s"].abs() <= 1200).all()


def test_the_epochs_must_be_said(run, hours):
    run("positions", hours).refused("no epoch given: use --at T")
    run("positions", hours, "--end", "2022-06-08T10:00").refused("no epoch given")


def test_one_epoch_and_a_span_exclude_each_other(run, hours):
    run("positions", hours, *AT, "--hours", 1).refused("--at is one epoch")
    run("positions", hours, "--start", "2022-06-08T10:00", "--end", "2022-06-08T11:00", "--hours", 1).refused(
        "--end or --hours, not both"
    )
