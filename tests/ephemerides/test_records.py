"""Record tables: times around the week's end, neighbours, duplicates."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gnss_coop.ephemerides import records as rec
from gnss_coop.ephemerides.messages import MESSAGE_INDEX, MESSAGES, NO_FIELD, field
from gnss_coop.ephemerides.plausibility import consistency
from gnss_coop.ephemerides.plausibility import single_records as gates
from gnss_coop.kernels.rinex_nav import N_FIELDS

WEEK_NS = 604_800 * 10**9
BDS = {
    field(1, 3): 2.15, field(2, 1): 3e-3, field(2, 3): 5282.6, field(3, 2): 2.87, field(4, 0): 0.95,
    field(4, 2): -3.09, field(4, 3): -6.8e-9, field(6, 1): 0.0,
}  # fmt: skip


def table_of(n: int, system: str, message: str, toc_ns, values: dict[int, float]) -> rec.RecordTable:
    fields = np.zeros((n, N_FIELDS))
    for k, value in values.items():
        fields[:, k] = value
    return rec.RecordTable(
        np.full(n, ord(system), np.uint8), np.ones(n, np.int16), np.full(n, MESSAGE_INDEX[system, message], np.int8),
        np.asarray(toc_ns, np.int64), fields, np.zeros(n, np.int16), np.arange(n, dtype=np.int32),
    )  # fmt: skip


def compared(table: rec.RecordTable) -> dict[int, str]:
    number = np.arange(len(table))
    holders = consistency.Holders.of(number, table.file)
    return consistency.compare_orbits(table, rec.derive(table), number, holders).reasons


@given(st.integers(0, 3000), st.integers(0, 604_799), st.integers(-7200, 7200))
def test_toe_is_the_instant_nearest_to_the_epoch(week: int, second: int, apart_s: int):
    """The week field is not needed, and the week's end is no special place."""
    toc_ns = week * WEEK_NS + second * 10**9
    of_week = (second + apart_s) % 604_800
    gps = rec.derive(table_of(1, "G", "LNAV", [toc_ns], {field(3, 0): of_week, field(7, 0): of_week}))
    assert gps.toe_ns[0] - toc_ns == apart_s * 10**9
    assert gps.sent_ns[0] == gps.toe_ns[0]
    bdt_of_week = (of_week - 14) % 604_800  # BDT = GPST - 14 s
    bds = rec.derive(table_of(1, "C", "D1", [toc_ns], {field(3, 0): bdt_of_week}))
    assert bds.toe_ns[0] - toc_ns == apart_s * 10**9


@pytest.mark.parametrize("sent", [np.nan, np.inf, -1e300, 1e300, 9.99999999999e8, 2.0e6])
def test_unusable_transmission_time_is_the_reference_time(sent: float):
    derived = rec.derive(table_of(1, "G", "LNAV", [WEEK_NS], {field(3, 0): 0.0, field(7, 0): sent}))
    assert derived.sent_ns[0] == derived.toe_ns[0] == WEEK_NS


def test_cnav_takes_its_epoch_for_toe_not_t_op():
    derived = rec.derive(table_of(1, "G", "CNAV", [WEEK_NS + 7200 * 10**9], {field(3, 0): 1000.0}))
    assert derived.toe_ns[0] == WEEK_NS + 7200 * 10**9


def test_one_record_that_agrees_with_no_neighbour_is_found():
    toe = 14 * 10**9 + np.arange(6) * 3600 * 10**9  # the hour of BDT

    table = table_of(6, "C", "D1", toe, BDS)
    table.fields[:, field(3, 0)] = np.arange(6) * 3600.0
    # One orbit: the mean anomaly moves on with the motion, the node with the Earth (Omega0 is of the week).
    motion = np.sqrt(3.986004418e14 / 5282.6**6)
    table.fields[:, field(1, 3)] = (2.15 + motion * np.arange(6) * 3600 + np.pi) % (2 * np.pi) - np.pi
    table.fields[:, field(4, 3)] = 0.0
    assert compared(table) == {}
    table.fields[3, field(3, 2)] += 0.01  # 0.01 rad of 27,906 km are 279 km
    (row, reason), *others = compared(table).items()
    assert (row, others) == (3, [])
    km = float(reason.split(" by ")[1].split(" km")[0])
    assert 100 < km <= 280


def test_duplicates_may_differ_in_the_last_digit_only():
    table = table_of(4, "C", "D1", [14 * 10**9] * 4, BDS)
    table.fields[1, field(1, 3)] *= 1 + 4e-13
    table.fields[2, field(1, 3)] *= 1 + 1e-6
    table.fields[3, field(6, 1)] = 1.0  # health differs: both are kept
    assert rec.duplicated(table, rec.derive(table)).tolist() == [False, True, False, False]


@pytest.mark.parametrize("copies", [2, 3])
def test_copies_of_records_that_differ_in_health_alone_are_found(copies):
    """Files that say first "good", then "bad" of one instant, read together: the copies stand mixed."""
    table = table_of(2 * copies, "C", "D1", [14 * 10**9] * 2 * copies, BDS)
    table.fields[1::2, field(6, 1)] = 1.0
    assert rec.duplicated(table, rec.derive(table)).tolist() == [False, False] + [True] * (2 * copies - 2)


@pytest.mark.parametrize(("system", "message", "health", "good"), [
    ("J", "LNAV", 0, True), ("J", "LNAV", 1, True), ("J", "LNAV", 16, True),  # L1C/A is sent, L1C/B is sent
    ("J", "LNAV", 17, False), ("J", "LNAV", 32, False), ("J", "LNAV", 62, False), ("J", "LNAV", 63, False),
    ("J", "LNAV", 30, True), ("J", "LNAV", 9, True),  # other signals than that of the message
    ("G", "CNAV", 0, True), ("G", "CNAV", 1, True), ("G", "CNAV", 2, True),  # without L5 or L2C
    ("G", "CNAV", 3, False), ("G", "CNAV", 4, False), ("G", "CNAV", 7, False),
    ("J", "CNAV", 1, True), ("J", "CNAV", 4, False), ("G", "CNV2", 0, True), ("G", "CNV2", 1, False),
    ("G", "LNAV", 16, False), ("G", "LNAV", 63, False), ("C", "D1", 1, False), ("E", "INAV", 0x38, True),
    ("J", "LNAV", np.nan, False), ("G", "CNAV", np.nan, False), ("J", "LNAV", 1e300, False),
])  # fmt: skip
def test_health_bits_are_those_of_the_satellite(system: str, message: str, health: float, good: bool):
    layout = MESSAGES[MESSAGE_INDEX[system, message]]
    assert rec.derive(table_of(1, system, message, [WEEK_NS], {layout.health: health})).healthy.tolist() == [good]


def test_tables_of_messages_are_consistent():
    assert len(MESSAGE_INDEX) == len(MESSAGES)
    for message in MESSAGES:
        assert message.n_required <= message.n_lines <= 9
        for name in ("toe", "week", "health", "sent", "iod", "accuracy", "adot", "dn0dot"):
            index = getattr(message, name)
            assert index == NO_FIELD or 0 <= index < 3 + 4 * message.n_lines


def test_empty_table():
    table = table_of(0, "C", "D1", [], {})
    derived = rec.derive(table)
    assert len(derived.toe_ns) == 0
    assert gates.gate(table, derived) == gates.incomplete(table, np.zeros(0, np.int64)) == {}
    assert compared(table) == {}
