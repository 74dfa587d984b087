"""Comparison, passes and maps of many days: study, jobs, engines, ledger and archive."""
