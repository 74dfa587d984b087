"""Ready views of an archive, in SQL, over its products and its ledger."""

from __future__ import annotations

from typing import Final

from gnss_coop.orbits.completeness import COMPLETE_PCT

#: Tables of the ledger that can be asked, besides the products.
LEDGER_TABLES: Final = ("files", "contents", "rejects", "coverage", "day_inputs", "jobs", "runs")

#: View: the products and ledger tables that it is made of, and its text.
VIEWS: Final[dict[str, tuple[tuple[str, ...], str]]] = {
    "daily_availability": (
        ("compare",),
        """
        SELECT day, station, mask_deg, clocks, systems, n_epochs, availability_pct, pdop_median, pdop_p95,
               completeness_pct
        FROM compare
        ORDER BY day, station, mask_deg, clocks, systems
        """,
    ),
    # Days whose files hold too little of what is in view say nothing. Availability is of all epochs of the month, its
    # gain of those that have one: a day without the other system still counts for the month. Medians of days are not
    # averaged but their median is taken.
    "monthly_gain": (
        ("compare",),
        f"""
        SELECT CAST(date_trunc('month', day) AS DATE) AS month, station, mask_deg, clocks, systems,
               coalesce(string_agg(DISTINCT nullif(supplemented_by, ''), ', '
                                   ORDER BY nullif(supplemented_by, '')), '') AS supplemented_by,
               count(DISTINCT day) AS n_days,
               sum(n_epochs * availability_pct) / sum(n_epochs) AS availability_pct,
               sum(n_epochs * availability_gain_points)
                 / sum(n_epochs) FILTER (availability_gain_points IS NOT NULL) AS availability_gain_points,
               median(pdop_median) AS pdop_median, median(pdop_drop_pct) AS pdop_drop_pct
        FROM compare
        WHERE coalesce(completeness_pct, 100) >= {COMPLETE_PCT}
        GROUP BY ALL
        ORDER BY month, station, mask_deg, clocks, systems
        """,
    ),
    "worst_intervals": (
        ("worst",),
        """
        SELECT day, station, mask_deg, clocks, systems, begins_gpst, ends_gpst, duration_s, pdop_worst, n_used_least,
               helped_by
        FROM worst
        ORDER BY duration_s DESC, day, station, mask_deg, clocks, systems, begins_gpst
        """,
    ),
    "missing_days": (
        ("jobs",),
        """
        WITH span AS (SELECT min(CAST(day AS DATE)) AS first, max(CAST(day AS DATE)) AS last FROM jobs),
             days AS (SELECT CAST(unnest(generate_series(first, last, INTERVAL 1 DAY)) AS DATE) AS day FROM span),
             parts AS (SELECT DISTINCT product, part FROM jobs)
        SELECT days.day, parts.product, parts.part, coalesce(jobs.status, 'absent') AS status, jobs.error
        FROM days CROSS JOIN parts
        LEFT JOIN jobs ON CAST(jobs.day AS DATE) = days.day AND jobs.product = parts.product AND jobs.part = parts.part
        WHERE jobs.status IS DISTINCT FROM 'done'
        ORDER BY days.day, parts.product, parts.part
        """,
    ),
}
