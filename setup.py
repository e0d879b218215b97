"""Builds the native libraries; everything else is in pyproject.toml.

None of them touches Python, so they carry plain names and the wheel fits every Python 3 of the platform:

- ``rig/virtual/beamrig_virtual.cti``: the GenTL producer (``rig/virtual/producer``)
- ``rig/virtual/beamrig_sensor.so``: the world's per-pixel sensor stage (``rig/virtual/sensor``)
- ``rig/camera/beamrig_unpack.so``: from packed RAW pixels to codes (``rig/camera/unpack``)
- ``processing/beamrig_geometry.so``: registration and resampling per pixel (``processing/geometry``)
- ``processing/beamrig_png.so``: from pixels to the compressed part of a PNG file (``processing/png``)

To rebuild them in place: ``python setup.py build_ext --inplace``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
VIRTUAL = Path("rig/virtual")
PRODUCER = VIRTUAL / "producer"
SENSOR = VIRTUAL / "sensor"
CAMERA = Path("rig/camera")
UNPACK = CAMERA / "unpack"
PROCESSING = Path("processing")
GEOMETRY = PROCESSING / "geometry"
PNG = PROCESSING / "png"

WARNINGS = [
    "-Wall", "-Wextra", "-Wshadow", "-Wpointer-arith", "-Wwrite-strings", "-Werror=return-type",
    "-Werror=format", "-Werror=implicit-function-declaration", "-Werror=incompatible-pointer-types",
    "-Werror=int-conversion", "-Werror=missing-prototypes", "-Werror=strict-prototypes",
]  # fmt: skip
COMPILE = ["-std=c11", "-D_GNU_SOURCE", "-O3", "-fPIC", "-pthread", "-fvisibility=hidden", *WARNINGS]
LINK = ["-pthread", "-Wl,-Bsymbolic", "-Wl,--no-undefined"]


def _sources(folder: Path, pattern: str = "*.c") -> list[str]:
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).glob(pattern))


class SharedLibrary(Extension):
    """A shared library with a name of its own, which is not a Python module."""

    def __init__(self, path: Path, sources: list[str], depends: list[str], flags: list[str]) -> None:
        super().__init__(
            ".".join(path.with_suffix("").parts),
            sources,
            depends=depends,
            extra_compile_args=[*COMPILE, *flags],
            extra_link_args=LINK,
            libraries=["m"],
        )
        self.path = path


class BuildLibraries(build_ext):
    """Compile without Python's headers and keep the libraries' own file names."""

    def get_ext_filename(self, fullname: str) -> str:
        *packages, name = fullname.split(".")
        suffix = next(library.path.suffix for library in LIBRARIES if library.path.stem == name)
        return str(Path(*packages, name + suffix))

    def get_export_symbols(self, ext: Extension) -> list[str]:
        return []

    def build_extension(self, ext: Extension) -> None:
        generated = Path(self.build_temp).resolve() / "generated"
        generated.mkdir(parents=True, exist_ok=True)
        sources = list(ext.sources)
        if ext.path.suffix == ".cti":
            # Run as package `virtual`, so that no other package of the rig is imported during a build.
            subprocess.run(
                [sys.executable, "-m", "virtual.producer.generate", str(generated)],
                cwd=ROOT / "rig",
                check=True,
            )
            sources += [str(path) for path in sorted(generated.glob("*.c"))]
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        objects = self.compiler.compile(
            sources,
            output_dir=self.build_temp,
            include_dirs=[str(generated), str(VIRTUAL)],
            extra_postargs=ext.extra_compile_args,
        )
        self.compiler.link_shared_object(
            objects, str(target), libraries=ext.libraries, extra_postargs=ext.extra_link_args
        )


class PlatformWheel(bdist_wheel):
    """Tag the wheel for the platform, but for every Python 3."""

    def get_tag(self) -> tuple[str, str, str]:
        return "py3", "none", super().get_tag()[2]


LIBRARIES = [
    SharedLibrary(
        VIRTUAL / "beamrig_virtual.cti",
        _sources(PRODUCER),
        [
            *_sources(PRODUCER, "*.h"),
            *_sources(PRODUCER, "*.py"),
            *_sources(VIRTUAL / "personalities", "*.py"),
            f"{VIRTUAL}/protocol.h",
        ],
        [],
    ),
    SharedLibrary(
        VIRTUAL / "beamrig_sensor.so",
        _sources(SENSOR),
        _sources(SENSOR, "*.h"),
        # No contraction: the same noise, bit for bit, whatever instruction set the machine has.
        ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"],
    ),
    SharedLibrary(CAMERA / "beamrig_unpack.so", _sources(UNPACK), _sources(UNPACK, "*.h"), []),
    SharedLibrary(
        PROCESSING / "beamrig_geometry.so",
        _sources(GEOMETRY),
        _sources(GEOMETRY, "*.h"),
        # No contraction: the same bits whatever instruction set the machine has.
        ["-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math"],
    ),
    SharedLibrary(PROCESSING / "beamrig_png.so", _sources(PNG), _sources(PNG, "*.h"), []),
]

setup(
    ext_modules=LIBRARIES,
    cmdclass={"build_ext": BuildLibraries, "bdist_wheel": PlatformWheel},
)
