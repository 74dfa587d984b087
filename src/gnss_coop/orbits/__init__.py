"""Satellite positions at epochs: from broadcast records, forecasts and precise orbits."""
