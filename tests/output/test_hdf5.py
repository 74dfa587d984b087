"""netCDF files written by several threads of one process: the library ends the process where two call it at once."""

import subprocess
import sys

WRITERS = """
import sys, pathlib, threading
import numpy as np, xarray as xr
from gnss_coop.output.netcdf import write_netcdf

lat, lon = np.arange(-89.0, 90.0, 2.0), np.arange(-179.0, 180.0, 2.0)
world = xr.Dataset(
    {name: (("systems", "lat", "lon"), np.full((3, lat.size, lon.size), 1.5, np.float32)) for name in "abcdef"},
    coords={"systems": ["R", "C", "R+C"], "lat": lat, "lon": lon, "mask_deg": 5.0},
)
folder = pathlib.Path(sys.argv[1])
def write(i):
    for k in range(5):
        write_netcdf(world, folder / f"{i}-{k}.nc")

threads = [threading.Thread(target=write, args=(i,)) for i in range(6)]
[t.start() for t in threads]
[t.join() for t in threads]
for file in folder.glob("*.nc"):
    with xr.open_dataset(file) as back:
        assert float(back["a"].mean()) == 1.5
print(len(list(folder.glob("*.nc"))))
"""


def test_threads_write_one_after_the_other(tmp_path):
    done = subprocess.run([sys.executable, "-c", WRITERS, str(tmp_path)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "30"), done.stderr
