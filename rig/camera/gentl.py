"""A GenTL camera, driven so that nothing ever waits inside the producer.

genicam keeps Python's lock during a wait in the producer, which stops every thread of the process; so
frames are fetched only when the stream says that one is ready (or, from a producer that cannot say, with a
wait of nearly zero), and all sleeping happens in Python. A frame is copied once out of the producer's
buffer, which is then queued again without being cleared (clearing 10 MB costs over half as much as copying).
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

import numpy as np
from genicam import gentl

from rig.camera import pixels as px
from rig.camera import producers
from rig.camera.acquirer import Count, create, known_or
from rig.camera.browse import NodeBrowser
from rig.camera.chunks import CHUNK_ALIASES, ChunkReader
from rig.camera.features import FeatureMap
from rig.camera.nodes import GENICAM_ERRORS, reason_of
from rig.camera.steps import Context, apply_steps
from rig.camera.types import Applied, CameraCounters, CameraSpec, Frame, FrameMeta, Pixels, StepSpec
from rig.errors import CameraTimeout, DeviceError, DeviceLost, FeatureMissing, FeatureRejected

_SETTINGS: dict[str, list[str | dict[str, Any]]] = {
    "exposure_us": ["ExposureTime", "ExposureTimeAbs"],
    "gain_db": ["Gain"],
    "black_level_dn": ["BlackLevel"],
    "ignored_triggers": [],
}
_POLL_S = 0.001
_READY_FETCH_S = 0.02
_BLIND_FETCH_S = 3e-5  # not less: below that harvesters gives up before its first look
_NO_ACCESS = 3
_CHECK = "check cable and power, then restart the camera"


class GenTLCamera:
    """One opened camera; a context manager.

    One process can open cameras of one producer as often as it likes, but each opening leaks a few hundred
    kilobytes inside genicam: open once, start and stop at will, and end the process to be rid of it.

    Args:
        spec: Which camera, and how to read it.

    Raises:
        ProducerError: the producer cannot be loaded.
        DeviceNotFound: it shows no such camera.
        DeviceError: the camera is in use elsewhere, or its description cannot be read.
    """

    def __init__(self, spec: CameraSpec) -> None:
        entry, self.info = producers.find_device(spec.cti, spec.device)
        self.spec = spec
        self._acquirer = create(entry, spec)
        self._node_map = self._acquirer.remote_device.node_map
        self.features = FeatureMap(self._node_map, {**_SETTINGS, **CHUNK_ALIASES, **spec.aliases})
        self.browser = NodeBrowser(self._node_map)
        self._stream: Any = self._acquirer.data_streams[0] if self._acquirer.data_streams else None
        self._running = False
        if self._stream is None:
            self.close()
            raise DeviceError(f"{self.info.id} has no image stream")
        self._incomplete = Count()
        self._acquirer.add_callback(self._acquirer.Events.INCOMPLETE_BUFFER, self._incomplete)
        self._chunks = ChunkReader(self._node_map, self.features)
        self._delivered = 0
        self._underruns = self._underruns_seen = 0
        self._counts_ready = False
        self._settings: dict[str, float] = {}

    def apply(self, steps: Iterable[StepSpec], context: Context) -> list[Applied]:
        """Execute a profile's steps; see `rig.camera.steps.apply_steps`, also for the errors raised.

        Raises:
            DeviceLost: the camera went away on the way.
        """
        try:
            done = apply_steps(self.features, steps, context)
        except DeviceError:
            self.check_alive()
            raise
        if self._running:
            self.refresh_settings()
        return done

    def start(self, buffers: int | None = None) -> None:
        """Start acquisition.

        Args:
            buffers: Buffers to announce; the specification's number by default.

        Raises:
            DeviceLost: the camera went away.
            DeviceError: it cannot start.
        """
        if self._running:
            return
        self._acquirer.num_buffers = max(buffers or self.spec.buffers, self._acquirer.min_num_buffers)
        self.refresh_settings()
        self._chunks.look_up()
        try:
            self._acquirer.start()
        except (*GENICAM_ERRORS, AttributeError) as exc:
            self.check_alive()
            raise DeviceError(f"{self.info.id} does not start: {reason_of(exc)}") from exc
        self._running = True
        self._counts_ready = self._can_count_ready()

    def poll(self, sink: px.Sink | None = None) -> Frame | None:
        """Return the next frame if one is ready now; never waits.

        Args:
            sink: Where to copy the pixels to; a new array by default. When the sink returns None the frame is
                given up and None is returned.

        Raises:
            DeviceLost: the camera went away.
            UnsupportedFormat: its pixels cannot be read.
            BadFrame: they are not what the camera and its profile say.
        """
        if not self._running:
            return None
        try:
            if self._counts_ready and not self._stream.num_awaiting_delivery:
                return None
            wait_s = _READY_FETCH_S if self._counts_ready else _BLIND_FETCH_S
            buffer = self._acquirer.try_fetch(timeout=wait_s, is_raw=True)
            if buffer is None:
                return None
            try:
                frame = self._take(buffer, sink or _new_array)
            finally:
                self._stream.queue_buffer(buffer, False)
        except gentl.GenericException as exc:
            self.check_alive()
            raise DeviceLost(
                f"{self.info.id} failed while it delivered: {reason_of(exc)}",
                hint="check cable and power, then restart it",
            ) from exc
        self._delivered += 1
        return frame

    def wait(self, timeout_s: float, sink: px.Sink | None = None) -> Frame:
        """Return the next frame, sleeping in Python between looks.

        Raises:
            CameraTimeout: none came within `timeout_s`.
            DeviceLost: the camera went away.
        """
        deadline = time.monotonic() + timeout_s
        while (frame := self.poll(sink)) is None:
            if time.monotonic() > deadline:
                raise CameraTimeout(
                    f"no frame from {self.info.id} within {timeout_s:g} s",
                    hint="is it triggered, and its trigger wired?",
                )
            time.sleep(_POLL_S)
        return frame

    def stop(self) -> None:
        """Stop acquisition; frames not fetched are gone. Stopping twice is fine.

        Raises:
            DeviceLost: the camera went away; its process should end now.
        """
        if not self._running:
            return
        self._running = False
        try:
            self._acquirer.stop()
        except GENICAM_ERRORS as exc:
            raise DeviceLost(
                f"{self.info.id} does not stop: {reason_of(exc)}", hint="restart the camera"
            ) from exc

    def close(self) -> None:
        """Stop and close the camera; errors of a camera that is gone already are of no interest any more."""
        with contextlib.suppress(*GENICAM_ERRORS, DeviceLost):
            self.stop()
        with contextlib.suppress(*GENICAM_ERRORS):
            self._acquirer.destroy()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def counters(self) -> CameraCounters:
        """Totals since the camera was opened (`live_dropped` is not known here)."""
        ignored: int | None = None
        with contextlib.suppress(FeatureMissing, FeatureRejected):
            ignored = int(self.features.read("$ignored_triggers"))
        with contextlib.suppress(gentl.GenericException):
            now = int(self._stream.num_underrun)  # starts anew with each start of the stream
            self._underruns += now - self._underruns_seen if now >= self._underruns_seen else now
            self._underruns_seen = now
        return CameraCounters(self._delivered, 0, self._incomplete.count, self._underruns, ignored)

    def frame_bytes(self) -> int:
        """Return the bytes of one unpacked frame with the present settings (an upper bound where unknown).

        Raises:
            UnsupportedFormat: the present pixel format cannot be read.
        """
        layout = px.layout_of(self._pixel_format_value())
        try:
            shape = layout.shape(int(self.features.read("Height")), int(self.features.read("Width")))
        except (FeatureMissing, FeatureRejected):
            return 2 * int(self.features.read("PayloadSize"))
        return math.prod(shape) * layout.dtype.itemsize

    def check_alive(self) -> None:
        """Ask the transport whether it still has the camera.

        Raises:
            DeviceLost: it has not.
        """
        try:
            status = int(self._acquirer.device.module.access_status)
        except gentl.NotImplementedException:
            return
        except gentl.GenericException as exc:
            raise DeviceLost(
                f"{self.info.id} is gone: {reason_of(exc)}", hint="check cable and power"
            ) from exc
        if status == _NO_ACCESS:
            raise DeviceLost(
                f"{self.info.id} is gone: there is no access any more", hint="check cable and power"
            )

    def refresh_settings(self) -> None:
        """Read the settings that frames without chunk data carry."""
        for name in ("exposure_us", "gain_db", "black_level_dn"):
            try:
                self._settings[name] = float(self.features.read(f"${name}"))
            except (FeatureMissing, FeatureRejected, ValueError):
                self._settings[name] = math.nan

    def _can_count_ready(self) -> bool:
        try:
            _ = self._stream.num_awaiting_delivery
        except gentl.GenericException:
            return False
        return True

    def _take(self, buffer: Any, sink: px.Sink) -> Frame | None:
        """Copy a complete buffer and read all that belongs to it, before it is queued again."""
        taken_ns = time.monotonic_ns()
        layout = px.layout_of(int(known_or(buffer, "pixel_format", self._pixel_format_value)))
        bits, shift = px.alignment(layout, self.spec.significant_bits, self.spec.msb_aligned)
        pixels = px.copy_codes(
            buffer.raw_buffer,
            layout,
            height=int(known_or(buffer, "height", lambda: self.features.read("Height"))),
            width=int(known_or(buffer, "width", lambda: self.features.read("Width"))),
            offset=int(known_or(buffer, "image_offset", lambda: 0)),
            padding_x=int(known_or(buffer, "padding_x", lambda: 0)),
            big_endian=int(known_or(buffer, "pixel_endianness", lambda: 0)) == 2,
            shift=shift,
            sink=sink,
            filled=known_or(buffer, "size_filled", lambda: None),
        )
        if pixels is None:
            return None
        chunk = self._chunks.read()
        fallback = self._chunks.pick(chunk, buffer, taken_ns, self._delivered, self._settings)
        meta = FrameMeta(
            frame_id=int(fallback["frame_id"][0]),
            timestamp_ns=int(fallback["timestamp_ns"][0]),
            exposure_us=float(fallback["exposure_us"][0]),
            gain_db=float(fallback["gain_db"][0]),
            black_level_dn=self._settings["black_level_dn"],
            pixel_format=layout.name,
            significant_bits=bits,
            host_monotonic_ns=taken_ns,
            shape=pixels.shape,
            chunk=chunk,
            sources={name: source for name, (_, source) in fallback.items()},
        )
        return Frame.of(meta, pixels)

    def _pixel_format_value(self) -> int:
        return int(self._node_map.get_node("PixelFormat").get_int_value())


def _new_array(shape: tuple[int, ...], dtype: Any) -> Pixels:
    return np.empty(shape, dtype)
