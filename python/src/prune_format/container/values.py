"""Readers of the values of a manifest. Each raises ``corrupt`` that names the place of a value of another type."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple, Union

from ..errors import UNDEFINED, PruneError

#: Where in the manifest a value is: the members on the way to it.
Path = Tuple[Union[str, int], ...]

_MOST_INTEGER = 2**53 - 1


def map_of(value: Any, *path: Union[str, int]) -> Dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(path, value, "a map")
    return value


def array_of(value: Any, *path: Union[str, int]) -> List[Any]:
    if not isinstance(value, list):
        raise _wrong(path, value, "an array")
    return value


def text_of(value: Any, *path: Union[str, int]) -> str:
    if not isinstance(value, str):
        raise _wrong(path, value, "a string")
    return value


def integer_of(value: Any, *path: Union[str, int]) -> int:
    if not _is_count(value):
        raise _wrong(path, value, "an integer >= 0")
    return int(value)


def integers_of(value: Any, *path: Union[str, int]) -> Tuple[int, ...]:
    values = array_of(value, *path)
    for i, one in enumerate(values):
        if not _is_count(one):
            raise _wrong((*path, i), one, "an integer >= 0")
    return tuple(map(int, values))


def bytes_of(value: Any, *path: Union[str, int]) -> bytes:
    if not isinstance(value, bytes):
        raise _wrong(path, value, "bytes")
    return value


def described(path: Path) -> str:
    """``manifest.entries[3].name``"""
    return "manifest" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)


def _is_count(value: Any) -> bool:
    # An integer of 2^32 or more may be a float64 of the same value.
    if isinstance(value, float):
        return value.is_integer() and 0 <= value <= _MOST_INTEGER
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_INTEGER


def _wrong(path: Path, got: Any, wanted: str) -> PruneError:
    return PruneError("corrupt", described(path), _kind(got), wanted)


def _kind(value: Any) -> str:
    """The kind of a value by JavaScript's names, so that messages are those of the TypeScript readers."""
    if value is UNDEFINED:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "number"
    return "string" if isinstance(value, str) else "object"
