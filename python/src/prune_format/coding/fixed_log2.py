"""A logarithm that is the same on every machine."""

from __future__ import annotations

import math

_ONE = 2**25


def fixed_log2(x: float) -> int:
    """log2(x) in 1 / 4,096, rounded down, for x > 0: by squaring, in whole numbers."""
    mantissa, exponent = math.frexp(x)
    m = int(2 * mantissa * _ONE)
    fraction = 0
    for _ in range(12):
        m = m * m // _ONE
        fraction *= 2
        if m >= 2 * _ONE:
            m //= 2
            fraction += 1
    return (exponent - 1) * 4096 + fraction
