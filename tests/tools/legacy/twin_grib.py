"""What make_twin_runs.py and make_filter_runs.py share: the twin's input, and GRIB messages on its grid."""
import json, zipfile

import eccodes as ec
import numpy as np


def read_twin(folder):
    """Names of the input, x (times, points, names), and the metadata of the variables."""
    z = np.load(folder / "reference.npz")
    with zipfile.ZipFile(folder / "inference-last.ckpt") as f:
        metadata = json.loads(f.read(next(n for n in f.namelist() if n.endswith(("anemoi.json", "ai-models.json")))))
    return [str(n) for n in z["names_in"]], z["x"][0], metadata["dataset"]["variables_metadata"]


def message(n):
    h = ec.codes_grib_new_from_samples("reduced_gg_pl_32_grib2")
    half = [20 + 4 * i for i in range(n)]
    north = float(np.degrees(np.arcsin(np.polynomial.legendre.leggauss(2 * n)[0].max())))
    for k, v in (("N", n), ("Nj", 2 * n)):
        ec.codes_set(h, k, v)
    ec.codes_set_array(h, "pl", np.array(half + half[::-1]))
    ec.codes_set(h, "longitudeOfLastGridPointInDegrees", 360 - 360 / max(half))
    ec.codes_set_values(h, np.zeros(2 * sum(half)))
    ec.codes_set(h, "latitudeOfFirstGridPointInDegrees", north)
    ec.codes_set(h, "latitudeOfLastGridPointInDegrees", -north)
    ec.codes_set(h, "setLocalDefinition", 1)
    ec.codes_set(h, "localDefinitionNumber", 1)
    return h


def put(out, param, when, values, level=None, stream="oper"):
    h = message(6)
    keys = dict(dataDate=int(when.strftime("%Y%m%d")), dataTime=when.hour * 100, packingType="grid_ccsds", bitsPerValue=24)
    keys |= {"stream": stream, "type": "an", "class": "od", "expver": "0001"}
    keys |= {"typeOfLevel": "isobaricInhPa", "level": level} if level else {"typeOfLevel": "surface"}
    for k, v in keys.items():
        ec.codes_set(h, k, v)
    ec.codes_set(h, "shortName", param)
    if np.isnan(values).any():
        ec.codes_set(h, "bitmapPresent", 1)
        ec.codes_set(h, "missingValue", 1e36)
    ec.codes_set_values(h, np.where(np.isnan(values), 1e36, values.astype(float)))
    ec.codes_write(h, out)
    ec.codes_release(h)
