"""Chunk data: what the camera itself says about each frame, and what to take where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from genicam import gentl

from rig.camera import nodes
from rig.camera.conversion import Candidate
from rig.camera.features import FeatureMap
from rig.camera.types import FeatureValue
from rig.errors import FeatureMissing, FeatureRejected

CHUNK_ALIASES: dict[str, list[str | dict[str, Any]]] = {
    "chunk_frame_id": ["ChunkFrameID"],
    "chunk_timestamp_ns": ["ChunkTimestamp"],
    "chunk_exposure_us": ["ChunkExposureTime"],
    "chunk_gain_db": ["ChunkGain"],
}
"""Alias of what a chunk tells -> names after SFNC; a profile may name others, in other units."""

_WANTED = (
    "ChunkBlackLevel",
    "ChunkCounterValue",
    "ChunkLineStatusAll",
)


class ChunkReader:
    """Reads the chunk features that a camera has; harvesters attaches each buffer's chunk data on fetch.

    Args:
        node_map: genicam's node map of the remote device.
        features: The camera's features, with `CHUNK_ALIASES` or a profile's own among its aliases.
    """

    def __init__(self, node_map: Any, features: FeatureMap) -> None:
        self._node_map = node_map
        self._map = features
        self._features: list[nodes.Feature] = []
        self._told: dict[str, Candidate] = {}

    def look_up(self) -> None:
        """Find the chunk features again (a profile may have switched them on)."""
        self._features, self._told = [], {}
        if not self._active():
            return
        for alias in CHUNK_ALIASES:
            try:
                feature, candidate = self._map.resolve(f"${alias}")
            except FeatureMissing:
                continue
            self._features.append(feature)
            self._told[alias.removeprefix("chunk_")] = candidate.fixed(self._map.number)
        for name in _WANTED:
            try:
                self._features.append(nodes.find(self._node_map, name))
            except FeatureMissing:
                continue

    def _active(self) -> bool:
        try:
            return bool(nodes.find(self._node_map, "ChunkModeActive").read())
        except (FeatureMissing, FeatureRejected):
            return False

    def read(self) -> dict[str, FeatureValue]:
        """Return the chunk values of the buffer fetched last, before it is queued again."""
        values: dict[str, FeatureValue] = {}
        for feature in self._features:
            try:
                values[feature.name] = feature.read()
            except FeatureRejected:
                continue  # this chunk is not enabled, so this frame does not carry it
        return values

    def pick(
        self,
        chunk: Mapping[str, FeatureValue],
        buffer: Any,
        taken_ns: int,
        counted: int,
        settings: Mapping[str, float],
    ) -> dict[str, tuple[float, str]]:
        """Choose identity, time, exposure and gain of a frame, each with its source.

        Args:
            chunk: As read.
            buffer: genicam's buffer, for what the transport knows.
            taken_ns: When the host took the frame, for transports without timestamps.
            counted: Frames delivered before, for transports without frame ids.
            settings: Read-back settings; nan where the camera has none.

        Returns:
            For frame_id, timestamp_ns, exposure_us, gain_db: (value, source), the source being `chunk`,
            `buffer`, `readback`, `host` or `none`.
        """
        picked: dict[str, tuple[float, str]] = {}
        # The transport's number goes first: standards say with what it begins (GigE Vision 1, else 0). The
        # chunk's time goes first: some transports give that of the readout.
        for name, last, order in (
            ("frame_id", counted, ("buffer", "chunk")),
            ("timestamp_ns", taken_ns, ("chunk", "buffer")),
        ):
            told = {"buffer": self._from_buffer(name, buffer), "chunk": self._from_chunk(name, chunk)}
            known = [(value, source) for source in order if (value := told[source]) is not None]
            picked[name] = (int(known[0][0]), known[0][1]) if known else (last, "host")
        for name in ("exposure_us", "gain_db"):
            in_chunk = self._from_chunk(name, chunk)
            if in_chunk is not None:
                picked[name] = (float(in_chunk), "chunk")
            else:
                is_known = settings[name] == settings[name]  # nan is unlike itself
                picked[name] = (settings[name], "readback" if is_known else "none")
        return picked

    def _from_buffer(self, name: str, buffer: Any) -> FeatureValue | None:
        """Return what the transport knows; None when it does not."""
        try:
            return int(getattr(buffer, name))
        except gentl.GenericException:
            return None

    def _from_chunk(self, name: str, chunk: Mapping[str, FeatureValue]) -> FeatureValue | None:
        """Return what a chunk tells, in our unit; None when none does."""
        candidate = self._told.get(name)
        if candidate is None or candidate.feature not in chunk:
            return None
        return candidate.to_alias(chunk[candidate.feature], self._map.number)
