"""Files in: RINEX navigation messages, SP3 orbits, bounded decompression."""
