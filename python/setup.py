"""What packaging/wheel.sh knows and pyproject.toml cannot say: version, the torch to ask for, the platform.

TRADEWIND_VERSION, TRADEWIND_TORCH_RANGE (such as `>=2.15,<2.16`) and TRADEWIND_PLATFORM (such as manylinux_2_28_x86_64).
"""
import os

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.dist import Distribution


class Executables(Distribution):
    def has_ext_modules(self):
        return True


class AnyPython(bdist_wheel):
    """One wheel for all Pythons of a platform: it holds executables, and nothing that is compiled against Python."""

    def get_tag(self):
        return "py3", "none", os.environ["TRADEWIND_PLATFORM"]


setup(
    version=os.environ["TRADEWIND_VERSION"],
    install_requires=[f"torch{os.environ['TRADEWIND_TORCH_RANGE']}", f"eccodeslib>={os.environ['TRADEWIND_ECCODES']}"],
    distclass=Executables,
    cmdclass={"bdist_wheel": AnyPython},
)
