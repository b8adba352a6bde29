"""A dense tensor of floats, by what it turns out to be; see SPEC.md, "Floats"."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np
import numpy.typing as npt

from ..errors import corrupt
from ..tensors import DTYPES, Array, product
from .byte_reader import ByteReader, folded_origin, joined, unfolded_origin
from .grid import MAX_GRID_BITS, dyadic_grid, to_grid
from .halves import narrowed, rotated_back, rotated_left, widened
from .integer_rows import decode_integer_rows, encode_integer_rows
from .planes import decode_planes, encode_planes
from .symbols import MAX_ALPHABET

_PLANES, _HALVES, _GRID = 0, 1, 2


def decode_floats(data: bytes, dtype: str, shape: Sequence[int]) -> Array:
    """Returns the elements of a float32, float16 or bfloat16 tensor, flat. Raises ``corrupt``."""
    reader = ByteReader(data)
    count = product(shape)
    transform = reader.number("transform", 255)
    values: Any
    if transform == _PLANES:
        octets = decode_planes(reader, count, DTYPES[dtype].itemsize)
        if dtype == "float32":
            values = rotated_back(octets.reshape(-1).view("<u4"))
        else:
            values = octets.reshape(-1).view(DTYPES[dtype])
    elif transform == _HALVES and dtype == "float32":
        values = widened(decode_planes(reader, count, 2).reshape(-1).view("<u2"))
    elif transform == _GRID and dtype == "float32":
        step = 2.0 ** -reader.number("bits of the grid", MAX_GRID_BITS)
        origin = unfolded_origin(reader.number("origin of the grid", 2**40))
        # The encoder's own bound: a frequency takes as long to read as about four elements.
        alphabet = reader.number("alphabet", min(MAX_ALPHABET, count // 4 + 1))
        negative_zero = alphabet - 1 if reader.number("whether -0 occurs", 1) == 1 else alphabet
        symbols = decode_integer_rows(reader, count, _width_of(shape, count), alphabet)
        values = ((symbols.astype(np.int64) + origin) * step).astype(np.float32)
        values[symbols == negative_zero] = -0.0
    else:
        corrupt("unknown transform", f"{transform} for {dtype}", "planes, or half or grid for float32")
    reader.check_end("tensor")
    array: Array = values
    return array


def encode_floats(array: Array, dtype: str) -> bytes:
    """Codes a tensor. -0, infinities and every NaN come back with their bits."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if dtype != "float32":
        return joined([_PLANES], encode_planes(_octets(flat)))
    # A table of frequencies pays from about four elements a symbol on.
    grid = dyadic_grid(flat, min(MAX_ALPHABET, len(flat) / 4))
    if grid is not None:
        head = [_GRID, grid.bits, folded_origin(grid.origin), grid.alphabet, int(grid.negative_zero)]
        rows = encode_integer_rows(to_grid(flat, grid), _width_of(array.shape, len(flat)), grid.alphabet)
        return joined(head, rows)
    halves = narrowed(flat)
    if halves is not None:
        return joined([_HALVES], encode_planes(_octets(halves)))
    return joined([_PLANES], encode_planes(_octets(rotated_left(flat))))


def _width_of(shape: Sequence[int], count: int) -> int:
    """Elements of a row: the last dimension."""
    return 0 if count == 0 else shape[-1] if len(shape) else 1


def _octets(flat: "npt.NDArray[Any]") -> "npt.NDArray[np.uint8]":
    return np.ascontiguousarray(flat).view(np.uint8).reshape(len(flat), flat.dtype.itemsize)
