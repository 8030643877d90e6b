# Not tried yet. Into a Spack repository as packages/tradewind/package.py.
from spack.package import *


class Tradewind(CMakePackage):
    """Runs Anemoi weather models natively, sharded over many devices."""

    homepage = "https://anemoi.readthedocs.io"
    license("Apache-2.0")

    version("main", branch="main")

    variant("cuda", default=False, description="the CUDA side")

    depends_on("cxx", type="build")
    depends_on("cmake@3.25:", type="build")
    depends_on("ninja", type="build")
    depends_on("boost@1.81:")
    depends_on("yaml-cpp")
    depends_on("nlohmann-json@3.11:")
    depends_on("cli11")
    depends_on("zlib-api")
    depends_on("c-blosc")
    depends_on("zstd")
    depends_on("netcdf-c")
    depends_on("eccodes@2.30:")
    depends_on("py-torch@2.11: +distributed ~cuda", when="~cuda")
    depends_on("py-torch@2.11: +distributed +cuda", when="+cuda")

    def cmake_args(self):
        import glob
        import os

        torch = glob.glob(os.path.join(self.spec["py-torch"].prefix.lib, "python*", "site-packages", "torch"))[0]
        return [
            self.define("Torch_ROOT", torch),
            self.define("TRADEWIND_SYSTEM_ECCODES", True),
            self.define("TRADEWIND_TESTS", False),
            self.define("TRADEWIND_CUDA", "ON" if "+cuda" in self.spec else "OFF"),
        ]
