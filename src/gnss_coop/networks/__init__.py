"""Ground networks: coverage, orbit determination, worth of stations, the best next site."""
