"""Runs in a process of its own: ``producer_probe.py PROBE FOLDER`` prints what the producer did, as JSON.

harvesters allows one Harvester a process and producer, so the tests do not load the producer themselves.
"""

from __future__ import annotations

import ctypes
import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from harvesters.core import Harvester

import rig.virtual

CTI = Path(rig.virtual.__file__).with_name("beamrig_virtual.cti")
SERIALS = ("VR-B-0001", "VR-S-0002")


class Probe:
    """One Harvester, its cameras and the producer's test entry."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.library = ctypes.CDLL(str(CTI))
        self.library.beamrig_edge.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64]
        self.harvester = Harvester()
        self.harvester.add_file(str(CTI), check_existence=True)
        self.harvester.update()

    @contextmanager
    def camera(self, serial: str = SERIALS[0], *, small: bool = True) -> Iterator[tuple[Any, Any]]:
        acquirer = self.harvester.create({"serial_number": serial})
        nodes = acquirer.remote_device.node_map
        if small:
            nodes.Width.value = 64
            nodes.Height.value = 64
        try:
            yield acquirer, nodes
        finally:
            acquirer.stop()
            acquirer.destroy()

    def pulse(self, camera: int, t_ns: int, width_ns: int) -> None:
        self.library.beamrig_edge(camera, 0, 1, t_ns)
        self.library.beamrig_edge(camera, 0, 0, t_ns + width_ns)


def line_triggered(nodes: Any) -> None:
    nodes.TriggerSelector.value = "FrameStart"
    nodes.TriggerMode.value = "On"
    nodes.TriggerSource.value = "Line0"


def fetch(acquirer: Any, save_as: Path | None = None) -> dict[str, Any]:
    """Take one frame the way the rig does: poll, fetch when one is there; fail after 5 s."""
    deadline = time.monotonic() + 5
    while not acquirer.data_streams[0].num_awaiting_delivery:
        if time.monotonic() > deadline:
            raise TimeoutError("no frame within 5 s")
        time.sleep(0.001)
    with acquirer.fetch() as buffer:
        image = buffer.payload.components[0]
        if save_as is not None:
            np.save(save_as, image.data.reshape(image.height, image.width))
        return {
            "id": buffer.module.frame_id,
            "timestamp_ns": buffer.timestamp_ns,
            "format": image.data_format,
            "offset": [buffer.module.offset_x, buffer.module.offset_y],
        }


def refusal(action: Callable[[], object]) -> str:
    """Name of the exception that ``action`` raises; empty when it raises none."""
    try:
        action()
    except Exception as error:  # noqa: BLE001  the test looks at the name
        return type(error).__name__
    return ""


def enumerate_devices(probe: Probe) -> Any:
    fields = ("id_", "vendor", "model", "serial_number", "user_defined_name", "access_status", "tl_type")
    return [{name: getattr(info, name) for name in fields} for info in probe.harvester.device_info_list]


def features(probe: Probe) -> Any:
    result: dict[str, Any] = {}
    with probe.camera(small=False) as (_, nodes):
        names = ("Width", "Height", "OffsetX", "OffsetY", "ExposureTime", "Gain")
        result["limits"] = {
            name: [getattr(nodes, name).min, getattr(nodes, name).max, getattr(nodes, name).inc]
            for name in names[:-1]
        }
        result["off_step"] = refusal(lambda: setattr(nodes.Width, "value", 1001))
        result["too_long"] = refusal(lambda: setattr(nodes.ExposureTime, "value", 10_000_001.0))
        result["no_such_entry"] = refusal(lambda: setattr(nodes.PixelFormat, "value", "Mono8"))
        nodes.OffsetX.value = 0
        nodes.Width.value = 1024
        result["offset_max_beside_1024"] = nodes.OffsetX.max
        nodes.OffsetX.value = 400
        result["width_max_beside_400"] = nodes.Width.max
        nodes.ExposureTime.value = 1234.4
        result["exposure_rounded"] = nodes.ExposureTime.value
        nodes.TriggerSelector.value = "FrameStart"
        nodes.TriggerDelay.value = 11.0
        nodes.TriggerSelector.value = "AcquisitionStart"
        nodes.TriggerDelay.value = 22.0
        nodes.TriggerSelector.value = "FrameStart"
        result["delay_of_frame_start"] = nodes.TriggerDelay.value
        nodes.DeviceUserID.value = "left one"
        result["user_id"] = nodes.DeviceUserID.value
        nodes.UserSetSelector.value = "UserSet0"
        nodes.UserSetSave.execute()
        nodes.UserSetSelector.value = "Default"
        result["default_can_be_saved"] = refusal(nodes.UserSetSave.execute) == ""
        nodes.UserSetLoad.execute()
        result["after_default"] = [nodes.ExposureTime.value, nodes.Width.value, nodes.DeviceUserID.value]
        nodes.UserSetSelector.value = "UserSet0"
        nodes.UserSetLoad.execute()
        result["after_user_set"] = [nodes.ExposureTime.value, nodes.Width.value, nodes.OffsetX.value]
        before = time.monotonic_ns()
        nodes.TimestampLatch.execute()
        result["latch"] = [before, nodes.TimestampLatchValue.value, time.monotonic_ns()]
        nodes.ExposureAuto.value = "Continuous"
        result["exposure_locked"] = refusal(lambda: setattr(nodes.ExposureTime, "value", 100.0))
        result["readout_us"] = [nodes.Height.value, nodes.SensorReadoutTime.value]
    return result


def pixels(probe: Probe) -> Any:
    frames = []
    # not 10Packed, of which harvesters cuts a sixth off: it takes 10 bits a pixel where 12 travel
    for depth in ("8", "10", "10p", "12", "12p", "12Packed", "16"):
        name = f"BayerRG{depth}"
        with probe.camera(small=False) as (acquirer, nodes):
            nodes.PixelFormat.value = name
            nodes.Width.value, nodes.Height.value = 1032, 258
            nodes.OffsetX.value, nodes.OffsetY.value = 804, 1102
            nodes.ExposureTime.value = 7000.0
            nodes.BlackLevel.value = 64.0
            nodes.AcquisitionFrameRate.value = 100.0
            acquirer.start()
            fetch(acquirer)
            frames.append(fetch(acquirer, probe.folder / f"{name}.npy"))
            payload = nodes.PayloadSize.value
            frames[-1]["payload"] = payload
    return frames


def triggers(probe: Probe) -> Any:
    result: dict[str, Any] = {}
    with probe.camera(SERIALS[0]) as (b, nodes_b), probe.camera(SERIALS[1]) as (s, nodes_s):
        nodes_b.TriggerMode.value = "On"
        nodes_b.ExposureTime.value = 50.0
        b.start()
        nodes_b.TriggerSoftware.execute()
        result["software"] = [fetch(b)["id"], b.data_streams[0].num_awaiting_delivery]
        b.stop()
        nodes_b.ExposureTime.value, nodes_s.ExposureTime.value = 4000.0, 500.0
        for acquirer, nodes in ((b, nodes_b), (s, nodes_s)):
            line_triggered(nodes)
            nodes.ChunkModeActive.value = True
            acquirer.start()
        t_ns = time.monotonic_ns()
        for camera in (0, 1):
            probe.pulse(camera, t_ns, 100_000)
            probe.pulse(camera, t_ns + 2_000_000, 100_000)  # B still exposes, S does not
            probe.pulse(camera, t_ns + 8_000_000, 100_000)
        result["asked_ns"] = t_ns
        result["b"] = [fetch(b) for _ in range(2)]
        result["s"] = [fetch(s) for _ in range(3)]
        result["ignored"] = [
            nodes_b.FrameTriggerIgnoredCount.value,
            nodes_s.FrameTriggerIgnoredCount.value,
        ]
        nodes_s.ExposureMode.value = "TriggerWidth"
        nodes_s.Gain.value = 3.5
        t_ns = time.monotonic_ns()
        probe.pulse(1, t_ns, 1_234_500)
        while not s.data_streams[0].num_awaiting_delivery:
            time.sleep(0.001)
        with s.fetch() as buffer:
            result["chunks"] = {
                "ids": [nodes_s.ChunkFrameID.value, buffer.module.frame_id],
                "timestamps_ns": [nodes_s.ChunkTimestamp.value, t_ns],
                "exposure_us": nodes_s.ChunkExposureTime.value,
                "gain_db": nodes_s.ChunkGain.value,
            }
    return result


def underrun(probe: Probe) -> Any:
    with probe.camera() as (acquirer, nodes):
        line_triggered(nodes)
        nodes.ExposureTime.value = 10.0
        acquirer.num_buffers = 3
        acquirer.start()
        t_ns = time.monotonic_ns()
        for shot in range(10):
            probe.pulse(0, t_ns + shot * 1_000_000, 10_000)
        while acquirer.data_streams[0].num_underrun < 7:
            time.sleep(0.001)
        ids = [fetch(acquirer)["id"] for _ in range(3)]
        probe.pulse(0, time.monotonic_ns(), 10_000)
        return {"ids": [*ids, fetch(acquirer)["id"]], "underruns": acquirer.data_streams[0].num_underrun}


def opening(probe: Probe) -> Any:
    try:
        with probe.camera():
            return {"refused": "", "status": None, "message": ""}
    except Exception as error:  # noqa: BLE001  the test looks at the name
        (info,) = (one for one in probe.harvester.device_info_list if one.serial_number == SERIALS[0])
        return {"refused": type(error).__name__, "status": info.access_status, "message": str(error)}


def world_frames(probe: Probe) -> Any:
    result: dict[str, Any] = {}
    with probe.camera() as (acquirer, nodes):
        result["temperature_c"] = nodes.DeviceTemperature.value
        line_triggered(nodes)
        nodes.ExposureTime.value = 250.0
        nodes.Gain.value = 1.5
        nodes.OffsetX.value = 12
        acquirer.start()
        (probe.folder / "started").touch()
        result["frame"] = fetch(acquirer, probe.folder / "frame.npy")
        (probe.folder / "fetched").touch()
        deadline = time.monotonic() + 5
        while not (lost := refusal(lambda: nodes.Width.value)) and time.monotonic() < deadline:
            time.sleep(0.005)
        result["after_the_end"] = lost
        result["stop"] = refusal(acquirer.stop)
    return result


PROBES: dict[str, Callable[[Probe], Any]] = {
    "enumerate": enumerate_devices,
    "features": features,
    "pixels": pixels,
    "triggers": triggers,
    "underrun": underrun,
    "opening": opening,
    "world_frames": world_frames,
}


def main() -> None:
    probe = Probe(Path(sys.argv[2]))
    json.dump(PROBES[sys.argv[1]](probe), sys.stdout)
    probe.harvester.reset()


if __name__ == "__main__":
    main()
