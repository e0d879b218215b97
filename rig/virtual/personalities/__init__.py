"""Other makers' cameras, played by the virtual producer: one file a camera, `NAME.py` with a `PERSONALITY`.

A process that loads the producer with `BEAMRIG_PERSONALITY=NAME` in its environment meets that camera
instead of the VR-5M; a rig profile sets it through `companion.env`. The build (`producer/generate.py`) makes
from each file the GenICam XML that hosts read and the table of limits that the C code enforces; so build
again after a change: ``python setup.py build_ext --inplace``. The producer refuses an unknown name.

How to write one (`producer/personality.py` explains every field, `producer/features.py` is the table):

- Rename or re-limit: ``change={"ExposureTime": {"name": "ExposureTimeAbs", "minimum": 35.0}}``. Limits,
  formulas, `lock` and `available` speak of the *table's* names, or of features that are added.
- A step that the camera rounds to: ``increment=`` tells it to hosts, ``applied_increment=`` keeps it secret.
- The same value in another unit: ``add=(Feature("GainRaw", "AnalogControl", "integer", "Gain.", minimum=0,
  maximum=480, register="Gain", to_register="FROM * 0.1", from_register="TO / 0.1"),)``, and
  ``change={"Gain": {"name": "", "maximum": 48.0}}`` hides the table's own. Formulas are GenApi's: ``LG``.
- Entries: ``"entries": {"Line1": "Line0", "Software": "Software", "Line2": None}``: own name -> the table's
  entry with that meaning; None is an entry without effect, a number is one of the register (PFNC for pixel
  formats). The trigger box drives what means `Line0`. The selectors of triggers, lines and status have room
  for 16 entries, that of chunks for 32, `UserSetSelector` for 3.
- Missing features: ``drop=("FrameTriggerIgnoredCount",)``. Without effect: ``add`` without `register`.
- `TriggerArmed`: ``Feature("TriggerArmed", "AcquisitionControl", "boolean", "...", "RO",
  register="AcquisitionStatus", instance=2)``: instance 2 of AcquisitionStatus is FrameTriggerWait.
- Chunks: ``chunks={"ChunkFrameID": "ChunkFrameCounter", "ChunkGain": None}``.
- What several cameras share may be in a file that begins with `_`.
- Quirks: ``quirks=("frame_after_idle_lost",)``, see `QUIRKS`; ``"deaf": True`` in a change is a feature that
  reports success and is not applied. Tests switch more on with ``BEAMRIG_QUIRKS=name,name``.

The sensor itself stays: 2448x2048, Bayer RGGB, 12 bit, 13 ms of readout, so name only formats that begin
with `BayerRG`. The test of all shipped camera profiles (`tests/rig/camera/test_every_camera.py`) takes the
personality with the profile's own name.
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..producer.personality import Personality


def names() -> list[str]:
    """Return the names of all personalities, sorted."""
    found = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name for name in found if not name.startswith("_"))


def load(name: str) -> Personality:
    """Return a personality by its name.

    Raises:
        ModuleNotFoundError: there is none of that name.
    """
    personality: Personality = importlib.import_module(f".{name}", __name__).PERSONALITY
    return personality
