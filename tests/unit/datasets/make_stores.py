#!/usr/bin/env python3
"""Makes the stores of this folder: make_stores.py 2 with zarr 2, make_stores.py 3 with zarr 3.

A small dataset of anemoi-datasets (5 dates, 4 variables, 27 points), written in many ways. The value of variable v at date
d and point p is 16 v + d + p / 32, which all types of numbers hold exactly; odd.zarr.zip has a missing date, and a chunk
that is not there."""
import datetime
import os
import shutil
import sys
import zipfile

import numcodecs
import numpy as np
import zarr

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stores")
DATES, NAMES, POINTS = 5, ["2t", "msl", "t_850", "lsm"], 27
FIRST = datetime.datetime(2024, 1, 14, 12)
d, v, p = np.meshgrid(np.arange(DATES), np.arange(4), np.arange(POINTS), indexing="ij")
DATA = (16 * v + d + p / 32)[:, :, None, :]
TIMES = [FIRST + datetime.timedelta(hours=6 * i) for i in range(DATES)]
ATTRIBUTES = dict(variables=NAMES, frequency="6h", missing_dates=[], version="0.30", resolution="x", flatten_grid=True)
LATITUDES, LONGITUDES = 80 - np.arange(POINTS) * 5.0, np.arange(POINTS) * 10.0


def pack(name, folder):
    """As zarr's ZipStore writes: no compression of its own, no times."""
    with zipfile.ZipFile(os.path.join(HERE, name + ".zarr.zip"), "w", zipfile.ZIP_STORED) as file:
        for at, folders, names in os.walk(folder):
            folders.sort()
            for one in sorted(names):
                whole = os.path.join(at, one)
                entry = zipfile.ZipInfo(os.path.relpath(whole, folder), (2024, 1, 1, 0, 0, 0))
                with open(whole, "rb") as content:
                    file.writestr(entry, content.read())
    shutil.rmtree(folder)


def second(name, dtype="<f4", chunks=(1, 4, 1, 27), compressor=None, order="C", separator=".", absent=(), **more):
    folder = os.path.join(HERE, "making")
    root = zarr.group(zarr.DirectoryStore(folder), overwrite=True)
    data = root.create_dataset("data", shape=DATA.shape, dtype=dtype, chunks=chunks, compressor=compressor, order=order,
                               fill_value=more.pop("fill_value", 0), dimension_separator=separator)
    data[:] = DATA
    for chunk in absent:
        os.remove(os.path.join(folder, "data", chunk))
    root.create_dataset("dates", data=np.array(TIMES, more.pop("unit", "datetime64[s]")), compressor=None)
    big = ">f8" if dtype.startswith(">") else "<f8"
    root.create_dataset("latitudes", data=LATITUDES.astype(big), compressor=compressor)
    root.create_dataset("longitudes", data=LONGITUDES.astype(big), compressor=compressor, chunks=(10,))
    root.attrs.update({**ATTRIBUTES, **more})
    pack(name, folder)


def of_zarr_2():
    from numcodecs import GZip, Blosc, Zlib, Zstd

    for inner in ("lz4", "lz4hc", "zstd", "zlib", "blosclz"):
        second(f"blosc-{inner}", compressor=Blosc(inner, 5, 1))
    second("blosc-bits", compressor=Blosc("zstd", 3, 2), chunks=(2, 3, 1, 10))
    second("blosc-whole", compressor=Blosc("lz4", 0, 0), chunks=(5, 4, 1, 27))
    second("zstd", compressor=Zstd(3), dtype="<f8", chunks=(2, 1, 1, 13))
    second("zlib", compressor=Zlib(4), dtype=">f4", chunks=(3, 3, 1, 7))
    second("gzip", compressor=GZip(4), dtype=">f8", chunks=(1, 4, 1, 100), unit="datetime64[ns]")
    second("none", dtype="<f2", chunks=(2, 2, 1, 10), order="F", separator="/", unit="datetime64[m]")
    second("odd", compressor=Blosc("lz4", 5, 1), chunks=(1, 4, 1, 10), absent=["1.0.0.2"], fill_value=float("nan"),
           missing_dates=["2024-01-15T06:00:00"])


def third(name, dtype="float32", chunks=(1, 4, 1, 27), shards=None, compressors=(), **more):
    folder = os.path.join(HERE, "making")
    root = zarr.open_group(folder, mode="w", zarr_format=3)
    data = root.create_array("data", shape=DATA.shape, dtype=dtype, chunks=chunks, shards=shards, compressors=compressors,
                             fill_value=0, **more)
    data[:] = DATA
    dates = root.create_array("dates", shape=(DATES,), dtype="datetime64[s]", chunks=(DATES,), compressors=())
    dates[:] = np.array(TIMES, "datetime64[s]")
    for key, values in (("latitudes", LATITUDES), ("longitudes", LONGITUDES)):
        array = root.create_array(key, shape=(POINTS,), dtype="float64", chunks=(10,), compressors=compressors)
        array[:] = values
    root.attrs.update(ATTRIBUTES)
    pack(name, folder)


def of_zarr_3():
    from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, ShardingCodec, TransposeCodec, ZstdCodec

    third("3-zstd", compressors=ZstdCodec())
    third("3-blosc", compressors=BloscCodec(cname="lz4", clevel=5, shuffle="shuffle", typesize=8), dtype="float64", chunks=(2, 3, 1, 10))
    third("3-gzip", compressors=[GzipCodec(level=4), Crc32cCodec()], chunks=(2, 2, 1, 10), serializer=BytesCodec(endian="big"))
    third("3-names", chunks=(2, 2, 1, 10), filters=[TransposeCodec(order=(3, 1, 0, 2))], chunk_key_encoding={"name": "v2", "separator": "."})
    third("3-shards", chunks=(1, 2, 1, 9), shards=(2, 4, 1, 18), compressors=ZstdCodec())
    third("3-shards-first", chunks=(2, 4, 1, 27), serializer=ShardingCodec(
        chunk_shape=(1, 2, 1, 9), codecs=[BytesCodec(), GzipCodec(level=4)], index_codecs=[BytesCodec(endian="big")], index_location="start"))


of_zarr_2() if sys.argv[1:] == ["2"] else of_zarr_3()
