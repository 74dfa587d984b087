"""The archive of results: folder, catalog, lock, queries, differences, trends."""
