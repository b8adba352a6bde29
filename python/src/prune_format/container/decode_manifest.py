"""Reads and checks a manifest; see FORMAT.md, "Manifest"."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence, Tuple

import msgpack

from ..errors import UNDEFINED, PruneError, shown
from ..limits import Limits, check_limit
from ..metadata import PROFILES, TOKENIZER_FILES
from ..tensors import DTYPES, check_size
from .check_msgpack import check_msgpack
from .manifest import (
    VOCABULARY_FILE,
    Block,
    Entry,
    File,
    Manifest,
    ManifestModel,
    Part,
    is_base_name,
    is_model_name,
    utf16_length,
)
from .prologue import PROLOGUE_BYTES
from .values import Path, array_of, bytes_of, described, integer_of, integers_of, map_of, text_of

#: A config nests two deep, a manifest around it four more.
MAX_DEPTH = 64
#: An entry has up to 17 values: itself, four keys, their values and a shape of 8 numbers.
VALUES_PER_TENSOR = 17
#: A block of one tensor has 12 values in version 1; in version 2 it has 16, and its parts have 8 each.
VALUES_PER_BLOCK = 32
#: config.json of BERT-base has about 120 values, the module versions of BERT-large about 3,000.
OTHER_VALUES = 100_000
MOST_MODELS = 1000
MOST_BASES = 1000
MOST_PARTS = 16
SHA256_BYTES = 32


def decode_manifest(data: bytes, version: int, manifest_offset: int, limits: Limits) -> Manifest:
    """Reads a manifest: every value of its type, blocks end to end, every block used, names unique.

    Raises ``corrupt``, ``limit`` or ``unsupported``.
    """

    def most_values(member: str) -> int:
        if member == "blocks":
            return (VALUES_PER_TENSOR if version == 1 else VALUES_PER_BLOCK) * limits.tensors + 2
        if member == "entries" and version == 1:
            return VALUES_PER_TENSOR * limits.tensors + 2
        if member == "models" and version == 2:
            return VALUES_PER_TENSOR * limits.tensors + 4 * OTHER_VALUES
        return OTHER_VALUES

    check_msgpack(data, depth=MAX_DEPTH, most_values=most_values)
    top = map_of(msgpack.unpackb(data, raw=False, strict_map_key=True, unicode_errors="replace"))
    bases: Tuple[str, ...] = ()
    if version != 1 and "bases" in top:
        bases = tuple(_read_base(base, i) for i, base in enumerate(array_of(top["bases"], "bases")))
    check_limit("too many bases", len(bases), MOST_BASES)
    values = array_of(_member(top, "blocks"), "blocks")
    blocks = tuple(_read_block(block, i, version, len(bases)) for i, block in enumerate(values))
    _check_places(blocks, manifest_offset)
    models = (_read_model(top, (), limits),) if version == 1 else _read_models(_member(top, "models"), limits)
    manifest = Manifest(blocks, bases, models)
    _check_use(manifest, limits)
    return manifest


def _member(values: Dict[str, Any], name: str) -> Any:
    return values.get(name, UNDEFINED)


def _read_base(value: Any, i: int) -> str:
    name = text_of(_member(map_of(value, "bases", i), "name"), "bases", i, "name")
    if not is_base_name(name):
        raise PruneError("corrupt", described(("bases", i, "name")), shown(name), "a path or a URL")
    return name


def _read_block(value: Any, i: int, version: int, bases: int) -> Block:
    block = map_of(value, "blocks", i)
    codec = text_of(_member(block, "codec"), "blocks", i, "codec")
    length = integer_of(_member(block, "length"), "blocks", i, "length")
    crc32 = integer_of(_member(block, "crc32"), "blocks", i, "crc32")
    shares = integers_of(_member(block, "shares"), "blocks", i, "shares")
    if version == 1:
        offset = integer_of(_member(block, "offset"), "blocks", i, "offset")
        return Block(codec, length, crc32, shares, offset)
    if ("offset" in block) == ("base" in block):
        raise PruneError("corrupt", f"block {i} is neither in this file nor in a base, or both")
    own: Optional[int] = None
    base: Optional[int] = None
    if "offset" in block:
        own = integer_of(block["offset"], "blocks", i, "offset")
    else:
        base = integer_of(block["base"], "blocks", i, "base")
        if base >= bases:
            raise PruneError("corrupt", f"block {i}: no such base", base, f"below {bases}")
    sha256 = _read_sha256(_member(block, "sha256"), ("blocks", i, "sha256"))
    return Block(codec, length, crc32, shares, own, base, sha256, _read_parts(_member(block, "parts"), i, length))


def _read_parts(value: Any, block: int, length: int) -> Tuple[Part, ...]:
    if value is UNDEFINED:
        return ()
    parts: List[Part] = []
    for i, one in enumerate(array_of(value, "blocks", block, "parts")):
        path: Path = ("blocks", block, "parts", i)
        part = map_of(one, *path)
        parts.append(
            Part(
                integer_of(_member(part, "length"), *path, "length"),
                integer_of(_member(part, "crc32"), *path, "crc32"),
                _read_sha256(_member(part, "sha256"), (*path, "sha256")),
            )
        )
    check_limit(f"too many parts of block {block}", len(parts), MOST_PARTS)
    total = sum(part.length for part in parts)
    if total > length:
        raise PruneError("corrupt", f"bytes of the parts of block {block}", total, f"at most {length}")
    return tuple(parts)


def _read_sha256(value: Any, path: Path) -> bytes:
    digest = bytes_of(value, *path)
    if len(digest) != SHA256_BYTES:
        raise PruneError("corrupt", described(path), f"{len(digest)} bytes", f"{SHA256_BYTES} bytes")
    return digest


def _read_models(value: Any, limits: Limits) -> Tuple[ManifestModel, ...]:
    values = array_of(value, "models")
    check_limit("too many models", len(values), MOST_MODELS)
    if not values:
        raise PruneError("corrupt", "manifest.models", "none", "a model")
    models: List[ManifestModel] = []
    for i, one in enumerate(values):
        members = map_of(one, "models", i)
        name: Optional[str] = None
        if "name" in members or len(values) > 1:
            name = text_of(_member(members, "name"), "models", i, "name")
            if not is_model_name(name):
                raise PruneError("corrupt", described(("models", i, "name")), shown(name), "a name")
        models.append(_read_model(members, ("models", i), limits, name))
    _check_names("two models have one name", [model.name for model in models if model.name is not None])
    check_limit("too many tensors", sum(len(model.entries) for model in models), limits.tensors)
    return tuple(models)


def _read_model(model: Dict[str, Any], path: Path, limits: Limits, name: Optional[str] = None) -> ManifestModel:
    values = array_of(_member(model, "entries"), *path, "entries")
    files: Optional[Tuple[File, ...]] = None
    if "files" in model:
        listed = array_of(model["files"], *path, "files")
        files = tuple(_read_file(file, (*path, "files", i)) for i, file in enumerate(listed))
    check_limit("too many tensors", len(values), limits.tensors)
    entries = tuple(_read_entry(entry, (*path, "entries", i), limits) for i, entry in enumerate(values))

    def json_of(member: str) -> Optional[Dict[str, Any]]:
        return map_of(model[member], *path, member) if member in model else None

    _check_names("two entries have one name", [entry.name for entry in entries])
    _check_names("two entries have one name", [file.name for file in files or ()])
    config, modules = json_of("config"), json_of("modules")
    profile = _read_profile(_member(model, "profile"))
    return ManifestModel(entries, name, files, config, modules, profile, json_of("sentence"))


def _read_entry(value: Any, path: Path, limits: Limits) -> Entry:
    entry = map_of(value, *path)
    name = text_of(_member(entry, "name"), *path, "name")
    length = utf16_length(name)
    if length > limits.name_length:
        tensor = name.encode("utf-16-le", "surrogatepass")[:160].decode("utf-16-le", "surrogatepass") + "..."
        wanted = f"at most {limits.name_length}"
        raise PruneError("limit", "name is too long (characters)", length, wanted, tensor=tensor)
    shape = integers_of(_member(entry, "shape"), *path, "shape")
    inline = bytes_of(entry["inline"], *path, "inline") if "inline" in entry else None
    block = integer_of(entry["block"], *path, "block") if "block" in entry else None
    if (inline is None) == (block is None):
        raise PruneError("corrupt", "an entry is neither inline nor in a block, or both", tensor=name)
    dtype = _member(entry, "dtype")
    if dtype == "string":
        if shape or inline is None:
            raise PruneError("corrupt", "a string is not an inline scalar", tensor=name)
        return Entry(name, "string", shape, None, inline)
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise PruneError("unsupported", "dtype", shown(dtype), tensor=name)
    read = Entry(name, dtype, shape, block, inline)
    size = check_size(read.info, limits)
    if inline is not None and len(inline) != size:
        raise PruneError("corrupt", "inline bytes", len(inline), size, tensor=name)
    return read


def _read_file(value: Any, path: Path) -> File:
    file = map_of(value, *path)
    name = text_of(_member(file, "name"), *path, "name")
    if name not in TOKENIZER_FILES:
        raise PruneError("unsupported", described((*path, "name")), shown(name), ", ".join(TOKENIZER_FILES))
    length = integer_of(_member(file, "length"), *path, "length")
    block = integer_of(_member(file, "block"), *path, "block")
    vocabulary = text_of(file["vocabulary"], *path, "vocabulary") if "vocabulary" in file else None
    return File(name, length, block, vocabulary)


def _read_profile(value: Any) -> Optional[str]:
    if value is UNDEFINED:
        return None
    if not isinstance(value, str) or value not in PROFILES:
        raise PruneError("unsupported", "quantization profile", shown(value))
    return value


def _check_places(blocks: Sequence[Block], end: int) -> None:
    at = PROLOGUE_BYTES
    for i, block in enumerate(blocks):
        if block.offset is None:
            continue
        if block.offset != at:
            raise PruneError("corrupt", f"offset of block {i}", block.offset, at)
        at += block.length
    if at != end:
        raise PruneError("corrupt", "the blocks end", at, end)


def _check_names(what: str, names: Sequence[str]) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise PruneError("corrupt", what, tensor=name)
        seen.add(name)


def _check_use(manifest: Manifest, limits: Limits) -> None:
    """Every block holds the tensors, or the file, of a model; models that share a block agree on it."""
    blocks = manifest.blocks
    holds: Dict[int, str] = {}
    for model in manifest.models:
        members = _members_of(model, len(blocks))
        for file in model.files or ():
            check_limit("file is too large (bytes)", file.length, limits.metadata_bytes, tensor=file.name)
            if file.block >= len(blocks) or file.block in members:
                raise PruneError("corrupt", "a file without a block of its own", file.block, tensor=file.name)
            _check_vocabulary(file, model, blocks[file.block].codec)
            members[file.block] = [_described_file(file, model)]
        for number, tensors in members.items():
            block = blocks[number]
            shared = sum(block.shares)
            if len(block.shares) != len(tensors) or shared > block.length:
                got = f"{len(block.shares)} shares of {shared} bytes"
                wanted = f"{len(tensors)} of at most {block.length}"
                raise PruneError("corrupt", f"block {number} does not fit its tensors", got, wanted)
            described_block = ", ".join(tensors)
            before = holds.setdefault(number, described_block)
            if before != described_block:
                what = f"block {number} holds different tensors for two models"
                raise PruneError("corrupt", what, described_block, before)
    for number, block in enumerate(blocks):
        if number not in holds:
            got = f"{len(block.shares)} shares"
            wanted = f"0 of at most {block.length}"
            raise PruneError("corrupt", f"block {number} does not fit its tensors", got, wanted)


def _check_vocabulary(file: File, model: ManifestModel, codec: str) -> None:
    """A file's vocabulary is another file of the model, which is whole without a third one."""
    if (codec == VOCABULARY_FILE) != (file.vocabulary is not None):
        got = "none" if file.vocabulary is None else shown(file.vocabulary)
        wanted = "a file" if codec == VOCABULARY_FILE else "none"
        raise PruneError("corrupt", f"the vocabulary of a block of codec {codec}", got, wanted, tensor=file.name)
    if file.vocabulary is None:
        return
    found = next((one for one in model.files or () if one.name == file.vocabulary), None)
    if found is not None and found.vocabulary is None:
        return
    what = "the file of a vocabulary is missing" if found is None else "the vocabulary of a vocabulary"
    raise PruneError("corrupt", what, shown(file.vocabulary), tensor=file.name)


def _described_file(file: File, model: ManifestModel) -> str:
    if file.vocabulary is None:
        return f"file of {file.length} bytes"
    holder = next((one for one in model.files or () if one.name == file.vocabulary), None)
    number = "undefined" if holder is None else holder.block
    return f"file of {file.length} bytes with the vocabulary of block {number}"


def _members_of(model: ManifestModel, blocks: int) -> Dict[int, List[str]]:
    members: Dict[int, List[str]] = {}
    for entry in model.entries:
        if entry.block is None:
            continue
        if entry.block >= blocks:
            raise PruneError("corrupt", "no such block", entry.block, f"below {blocks}", tensor=entry.name)
        members.setdefault(entry.block, []).append(f"{entry.dtype} [{','.join(map(str, entry.shape))}]")
    return members
