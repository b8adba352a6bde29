"""The manifest of version 2 as msgpack, with the bytes that the TypeScript writer makes of the same values."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Mapping

import msgpack

from ..container.manifest import Manifest

_INDEX = re.compile(r"0|[1-9]\d{0,9}")


def encode_manifest(manifest: Manifest) -> bytes:
    """Returns the manifest; what is ``None`` or empty is left out."""
    blocks: List[Dict[str, Any]] = []
    for block in manifest.blocks:
        parts = [{"length": part.length, "crc32": part.crc32, "sha256": part.sha256} for part in block.parts]
        blocks.append(
            _present(
                codec=block.codec,
                offset=block.offset,
                base=block.base,
                length=block.length,
                crc32=block.crc32,
                sha256=block.sha256,
                shares=list(block.shares),
                parts=parts or None,
            )
        )
    models: List[Dict[str, Any]] = []
    for model in manifest.models:
        entries = [
            _present(
                name=entry.name, dtype=entry.dtype, shape=list(entry.shape), **_place_of(entry.block, entry.inline)
            )
            for entry in model.entries
        ]
        files = None
        if model.files is not None:
            files = [
                _present(name=file.name, length=file.length, block=file.block, vocabulary=file.vocabulary)
                for file in model.files
            ]
        models.append(
            _present(
                name=model.name,
                entries=entries,
                files=files,
                config=_plain(model.config),
                modules=_plain(model.modules),
                profile=model.profile,
                sentence=_plain(model.sentence),
            )
        )
    top: Dict[str, Any] = {"blocks": blocks}
    if manifest.bases:
        top["bases"] = [{"name": name} for name in manifest.bases]
    top["models"] = models
    packed: bytes = msgpack.packb(_numbers(top), use_bin_type=True)
    return packed


def _place_of(block: Any, inline: Any) -> Dict[str, Any]:
    return {"inline": inline} if block is None else {"block": block}


def _present(**members: Any) -> Dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


def _plain(value: Any) -> Any:
    """JSON as JavaScript keeps it: keys that are array indices come first, ascending."""
    if isinstance(value, Mapping):
        indices = sorted((key for key in value if _is_index(key)), key=int)
        names = [key for key in value if not _is_index(key)]
        return {key: _plain(value[key]) for key in (*indices, *names)}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value


def _is_index(key: str) -> bool:
    return _INDEX.fullmatch(key) is not None and int(key) < 2**32 - 1


def _numbers(value: Any) -> Any:
    """Numbers as JavaScript has them: a whole float is an integer, and an integer past 32 bits is a float."""
    if isinstance(value, dict):
        return {key: _numbers(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_numbers(one) for one in value]
    if isinstance(value, float) and value.is_integer() and -(2**31) <= value < 2**32:
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**31) <= value < 2**32:
        return float(value)
    return value
