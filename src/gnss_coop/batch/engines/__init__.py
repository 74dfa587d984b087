"""Where jobs run: processes, threads, Dask."""
