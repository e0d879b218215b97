"""The header of our DNG: everything that stands before the pixels."""

from __future__ import annotations

import html
import json
import re
import struct
from datetime import UTC, datetime
from typing import Any, Final

from rig import dng_tags as t
from rig.errors import RawFileError
from rig.raw_image import RawImage

SOFTWARE: Final = "beamrig"
_XMP_NAMESPACE: Final = "urn:x-beamrig:raw:1/"
_XMP_SCHEMA: Final = 1
_RECORD: Final = re.compile(r"<beamrig:Record>(.*?)</beamrig:Record>", re.DOTALL)
_RECORD_FIELDS: Final = (
    "camera", "serial_number", "model", "trigger_index", "frame_id", "timestamp_ns", "exposure_us", "gain_db",
    "significant_bits", "black_level", "white_level", "captured_at", "extra",
)  # fmt: skip
_PAGE: Final = 4096
_ISO_AT_0_DB: Final = 100


def read_record(xmp: bytes | str) -> dict[str, Any] | None:
    """Return the rig's own record of a frame from its XMP packet, or None when there is none.

    Raises:
        RawFileError: The record is of another version.
        ValueError: The record is damaged.
    """
    match = _RECORD.search(xmp.decode("utf-8", "replace") if isinstance(xmp, bytes) else xmp)
    if match is None:
        return None
    record = json.loads(html.unescape(match.group(1)))
    ours = isinstance(record, dict) and record.pop("schema", None) == _XMP_SCHEMA
    if not ours or set(record) != set(_RECORD_FIELDS):
        raise RawFileError("the frame's record is of another version", hint="use the beamrig that wrote it")
    return dict(record)


def make_header(image: RawImage) -> bytes:
    """Return everything before the pixels, padded to whole pages so that the pixels start on one.

    Raises:
        RawFileError: The record of the frame is no JSON.
        ValueError: A number does not fit its tag.
    """
    height, width = image.pixels.shape
    taken = datetime.fromisoformat(image.captured_at) if image.captured_at else datetime.now(UTC)
    taken = taken.astimezone(UTC)
    stamp = taken.strftime("%Y:%m:%d %H:%M:%S")
    exif = [
        t.rationals(t.EXPOSURE_TIME, [image.exposure_us * 1e-6]),
        t.integers(t.ISO_SPEED, t.SHORT, _iso(image.gain_db)),
        t.raw_bytes(t.EXIF_VERSION, t.UNDEFINED, b"0231"),
        t.text(t.DATE_TIME_ORIGINAL, stamp),
        t.text(t.OFFSET_TIME_ORIGINAL, "+00:00"),
        t.text(t.SUB_SEC_TIME_ORIGINAL, f"{taken.microsecond:06d}"),
        t.text(t.BODY_SERIAL_NUMBER, image.serial_number),
    ]
    xmp = _xmp(image)

    def ifd0(exif_at: int, pixels_at: int) -> list[t.Tag]:
        return [*_image_tags(image, stamp), xmp, t.integers(t.EXIF_IFD, t.LONG, exif_at),
                t.integers(t.STRIP_OFFSETS, t.LONG, pixels_at),
                t.integers(t.ROWS_PER_STRIP, t.LONG, height),
                t.integers(t.STRIP_BYTE_COUNTS, t.LONG, 2 * width * height)]  # fmt: skip

    exif_at = 8 + t.ifd_size(ifd0(0, 0))
    pixels_at = -(-(exif_at + t.ifd_size(exif)) // _PAGE) * _PAGE
    blob = (
        struct.pack("<2sHI", b"II", 42, 8)
        + t.pack_ifd(ifd0(exif_at, pixels_at), 8)
        + t.pack_ifd(exif, exif_at)
    )
    return blob.ljust(pixels_at, b"\0")


def _image_tags(image: RawImage, stamp: str) -> list[t.Tag]:
    height, width = image.pixels.shape
    model = image.model or "camera"
    return [
        t.integers(t.NEW_SUBFILE_TYPE, t.LONG, 0),
        t.integers(t.IMAGE_WIDTH, t.LONG, width),
        t.integers(t.IMAGE_LENGTH, t.LONG, height),
        t.integers(t.BITS_PER_SAMPLE, t.SHORT, 16),
        t.integers(t.COMPRESSION, t.SHORT, 1),
        t.integers(t.PHOTOMETRIC, t.SHORT, t.PHOTOMETRIC_CFA),
        t.text(t.IMAGE_DESCRIPTION, f"camera {image.camera}, pulse {image.trigger_index}"),
        t.text(t.MAKE, model.split(" ", maxsplit=1)[0]),
        t.text(t.MODEL, model),
        t.integers(t.ORIENTATION, t.SHORT, 1),
        t.integers(t.SAMPLES_PER_PIXEL, t.SHORT, 1),
        t.integers(t.PLANAR_CONFIGURATION, t.SHORT, 1),
        t.text(t.SOFTWARE, SOFTWARE),
        t.text(t.DATE_TIME, stamp),
        t.integers(t.CFA_REPEAT_PATTERN_DIM, t.SHORT, 2, 2),
        t.integers(t.CFA_PATTERN, t.BYTE, *("RGB".index(colour) for colour in image.cfa)),
        t.integers(t.DNG_VERSION, t.BYTE, 1, 4, 0, 0),
        t.integers(t.DNG_BACKWARD_VERSION, t.BYTE, 1, 1, 0, 0),
        t.text(t.UNIQUE_CAMERA_MODEL, model),
        t.integers(t.CFA_PLANE_COLOR, t.BYTE, 0, 1, 2),
        t.integers(t.CFA_LAYOUT, t.SHORT, 1),
        t.integers(t.BLACK_LEVEL_REPEAT_DIM, t.SHORT, 2, 2),
        t.rationals(t.BLACK_LEVEL, [image.black_level] * 4),
        t.integers(t.WHITE_LEVEL, t.LONG, int(image.white_level)),
        t.integers(t.DEFAULT_CROP_ORIGIN, t.LONG, 0, 0),
        t.integers(t.DEFAULT_CROP_SIZE, t.LONG, width, height),
        t.rationals(t.COLOR_MATRIX_1, image.color_matrix, signed=True),
        t.rationals(t.AS_SHOT_NEUTRAL, image.as_shot_neutral),
        t.text(t.CAMERA_SERIAL_NUMBER, image.serial_number),
        t.integers(t.CALIBRATION_ILLUMINANT_1, t.SHORT, t.ILLUMINANT_D65),
        t.integers(t.ACTIVE_AREA, t.LONG, 0, 0, height, width),
    ]


def _iso(gain_db: float) -> int:
    """A nominal sensitivity, so that editors show one: ISO 100 at 0 dB."""
    return max(1, min(0xFFFF, round(_ISO_AT_0_DB * 10 ** (gain_db / 20))))


def _xmp(image: RawImage) -> t.Tag:
    record: dict[str, Any] = {name: getattr(image, name) for name in _RECORD_FIELDS}
    try:
        text = json.dumps({"schema": _XMP_SCHEMA, **record}, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RawFileError(f"the frame's record is no JSON: {error}") from error
    packet = (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:beamrig="{_XMP_NAMESPACE}">'
        f"<beamrig:Record>{html.escape(text, quote=False)}</beamrig:Record>"
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
    )
    return t.raw_bytes(t.XMP, t.BYTE, packet.encode())
