"""float32 values that float16 holds exactly."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
import numpy.typing as npt


def narrowed(values: "npt.NDArray[np.float32]") -> "Optional[npt.NDArray[np.uint16]]":
    """The float16 bits of values; ``None`` when one of them is not exact, infinite or a NaN."""
    with np.errstate(all="ignore"):
        halves = values.astype(np.float16)
    exact = (halves.astype(np.float32).view(np.uint32) == values.view(np.uint32)) & np.isfinite(values)
    return halves.view(np.uint16) if exact.all() else None


def widened(halves: "npt.NDArray[Any]") -> "npt.NDArray[np.float32]":
    """The float32 values of float16 bits. Exponent 31, which an encoder never makes, is the next power of two."""
    bits = halves.astype(np.uint32)
    sign, magnitude = (bits & 0x8000) << 16, bits & 0x7FFF
    normal = (sign | ((magnitude << 13) + (112 << 23))).view(np.float32)
    tiny = magnitude.astype(np.float32) * np.float32(2.0**-24)
    return np.where(magnitude >= 0x400, normal, np.where(sign > 0, -tiny, tiny)).astype(np.float32)


def rotated_left(values: "npt.NDArray[np.float32]") -> "npt.NDArray[np.uint32]":
    """The bits of float32 rotated left by one, so that the sign does not split the exponent from its byte."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    return bits << np.uint32(1) | bits >> np.uint32(31)


def rotated_back(words: "npt.NDArray[Any]") -> "npt.NDArray[np.float32]":
    bits = words.astype(np.uint32)
    return np.ascontiguousarray(bits >> np.uint32(1) | bits << np.uint32(31)).view(np.float32)
