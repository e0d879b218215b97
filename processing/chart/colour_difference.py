"""How far two colours are apart to the eye: CIEDE2000 (Sharma, Wu, Dalal 2005; CIE 142-2001)."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

XYZ_FROM_SRGB: Final[Array] = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Linear sRGB to XYZ under D65 (IEC 61966-2-1)."""

_WHITE: Final[Array] = XYZ_FROM_SRGB.sum(axis=1)


def lab_from_linear(linear: Array) -> Array:
    """Return CIE L*a*b* (D65, the white of sRGB) of (..., 3) linear sRGB colours, white = 1."""
    relative = linear @ XYZ_FROM_SRGB.T / _WHITE
    small = relative <= (6 / 29) ** 3
    f = np.where(small, relative / (3 * (6 / 29) ** 2) + 4 / 29, np.cbrt(relative))
    x, y, z = f[..., 0], f[..., 1], f[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def ciede2000(first: Array, second: Array) -> Array:
    """Return the difference of (..., 3) L*a*b* colours: about 1 is the least that an eye sees."""
    l1, a1, b1 = (first[..., i] for i in range(3))
    l2, a2, b2 = (second[..., i] for i in range(3))
    seventh = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * np.sqrt(seventh / (seventh + 25.0**7))
    a1, a2 = g * a1, g * a2
    c1, c2 = np.hypot(a1, b1), np.hypot(a2, b2)
    h1, h2 = np.degrees(np.arctan2(b1, a1)) % 360, np.degrees(np.arctan2(b2, a2)) % 360
    grey = c1 * c2 == 0
    turn = np.where(grey, 0.0, (h2 - h1 + 180) % 360 - 180)
    turn = np.where(~grey & (h2 - h1 == 180), 180.0, turn)
    dl, dc = l2 - l1, c2 - c1
    dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(turn / 2))
    ml, mc = (l1 + l2) / 2, (c1 + c2) / 2
    mh = np.where(grey, h1 + h2, np.where(np.abs(h1 - h2) > 180, h1 + h2 + 360, h1 + h2) / 2)
    mh %= 360
    t = (
        1 - 0.17 * np.cos(np.radians(mh - 30)) + 0.24 * np.cos(np.radians(2 * mh))
        + 0.32 * np.cos(np.radians(3 * mh + 6)) - 0.20 * np.cos(np.radians(4 * mh - 63))
    )  # fmt: skip
    weight_l = 1 + 0.015 * (ml - 50) ** 2 / np.sqrt(20 + (ml - 50) ** 2)
    weight_c, weight_h = 1 + 0.045 * mc, 1 + 0.015 * mc * t
    rotation = -2 * np.sqrt(mc**7 / (mc**7 + 25.0**7))
    rotation *= np.sin(np.radians(60 * np.exp(-(((mh - 275) / 25) ** 2))))
    dl, dc, dh = dl / weight_l, dc / weight_c, dh / weight_h
    return np.asarray(np.sqrt(np.maximum(dl**2 + dc**2 + dh**2 + rotation * dc * dh, 0)), np.float64)
