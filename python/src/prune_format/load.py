"""Reads a model of a ``.prune`` file."""

from __future__ import annotations

import os
from typing import Dict, List, Optional, Tuple, Union

from .codecs import CODECS
from .codecs.codec import Codec, Deferred
from .codecs.json_vocabulary import join_vocabulary
from .coding.matrix import decode_matrices
from .container.manifest import FILE_CODECS, Entry, File, ManifestModel
from .container.open_container import Container, FindBase, model_address
from .errors import PruneError
from .gunzip import gunzip
from .limits import DEFAULT_LIMITS, Limits
from .metadata import Metadata
from .model import Model
from .tensors import Array, Elementary, array_from_bytes

#: Nonzeros of matrices that are decoded together, and that wait for that. Each takes some 30 bytes meanwhile.
_MOST_WAITING = 2**24


def load(
    path: Union[str, "os.PathLike[str]"],
    *,
    model: Optional[str] = None,
    limits: Limits = DEFAULT_LIMITS,
    integrity: Optional[str] = None,
    find_base: Optional[FindBase] = None,
) -> Model:
    """Reads a model of a ``.prune`` file, of version 1 or 2, whole.

    Args:
        path: The file, or ``both.prune#qa`` for the model ``qa`` of a file that has several.
        model: The name of the model, in place of the one in ``path``.
        limits: Bounds on what the file may make this function allocate.
        integrity: The SHA-256 of the manifest, ``sha256-`` and base64, that the file must have. Everything that is read
            is then checked by SHA-256, otherwise by CRC-32 alone.
        find_base: Gives the path of a file that has blocks of this one, by the name that this one has for it. By
            default a base is found by its path from the folder of the file.

    Returns:
        The model: its tensors as NumPy arrays in the elementary form, and its metadata.

    Raises:
        PruneError: ``missing`` and ``io`` for a file that cannot be read; ``unsupported``, ``truncated``, ``corrupt``
            and ``limit`` for what it holds; ``mismatch`` for another ``integrity`` or base; ``invalid-argument`` for a
            file of several models without a name.
    """
    file, named = model_address(path)
    container = Container(file, limits, integrity, find_base)
    try:
        found = container.model(named if model is None else model)
        tensors = _Reader(container, found, limits).tensors()
        files = _read_files(container, found, limits)
        metadata = Metadata(found.config, found.modules, found.profile, found.sentence, files)
        names = tuple(one.name for one in container.manifest.models if one.name is not None)
        return Model(tensors, metadata, container.where, found.name, names, container.version, container.integrity)
    finally:
        container.close()


class _Reader:
    """Reads every tensor of a model, in order. Matrices wait, because decoding many together is faster."""

    def __init__(self, container: Container, model: ManifestModel, limits: Limits) -> None:
        self._container = container
        self._model = model
        self._limits = limits
        self._values: Dict[str, Elementary] = {}
        self._waiting: List[Tuple[List[Entry], Deferred]] = []
        self._nonzeros = 0

    def tensors(self) -> Dict[str, Elementary]:
        members: Dict[int, List[Entry]] = {}
        for entry in self._model.entries:
            if entry.block is not None:
                members.setdefault(entry.block, []).append(entry)
        done = set()
        for entry in self._model.entries:
            if entry.block in done:
                continue
            try:
                if entry.block is None:
                    self._values[entry.name] = _inline_value(entry)
                else:
                    self._read_block(entry.block, members[entry.block])
                    done.add(entry.block)
            except PruneError as error:
                # A damaged matrix that waits comes before this entry.
                self._decode_waiting()
                raise error.located(self._container.where, entry.name) from error.__cause__
        self._decode_waiting()
        return {entry.name: self._values[entry.name] for entry in self._model.entries}

    def _read_block(self, number: int, entries: List[Entry]) -> None:
        codec = _codec_of(self._container.manifest.blocks[number].codec)
        data = self._container.block(number)
        infos = [entry.info for entry in entries]
        deferred = codec.open(data, infos, self._limits) if codec.open is not None else None
        if deferred is None:
            self._keep(entries, codec.decode(data, infos, self._limits))
            return
        self._waiting.append((entries, deferred))
        self._nonzeros += deferred.opened.nnz
        if self._nonzeros >= _MOST_WAITING:
            self._decode_waiting()

    def _keep(self, entries: List[Entry], arrays: List[Array]) -> None:
        for entry, array in zip(entries, arrays):
            self._values[entry.name] = array

    def _decode_waiting(self) -> None:
        waiting, self._waiting, self._nonzeros = self._waiting, [], 0
        if not waiting:
            return
        try:
            decoded = decode_matrices([deferred.opened for _, deferred in waiting])
        except PruneError:
            # One of them is damaged: alone, each says for itself whether it is.
            decoded = []
            for entries, deferred in waiting:
                try:
                    decoded += decode_matrices([deferred.opened])
                except PruneError as error:
                    raise error.located(self._container.where, entries[0].name) from error.__cause__
        for (entries, deferred), csr in zip(waiting, decoded):
            self._keep(entries, deferred.arrays_of(csr))


def _codec_of(name: str) -> Codec:
    codec = CODECS.get(name)
    if codec is None:
        raise PruneError("unsupported", "codec", name, ", ".join(CODECS))
    return codec


def _inline_value(entry: Entry) -> Elementary:
    assert entry.inline is not None
    if entry.dtype != "string":
        return array_from_bytes(entry.info, entry.inline)
    try:
        return entry.inline.decode()
    except UnicodeDecodeError as error:
        raise PruneError("corrupt", "a string is not UTF-8") from error


def _read_files(container: Container, model: ManifestModel, limits: Limits) -> Optional[Dict[str, bytes]]:
    if model.files is None:
        return None
    by_name = {file.name: file for file in model.files}
    files: Dict[str, bytes] = {}
    for file in model.files:
        try:
            files[file.name] = _read_file(container, file, by_name, limits)
        except PruneError as error:
            raise error.located(container.where, file.name) from error.__cause__
    return files


def _read_file(container: Container, file: File, by_name: Dict[str, File], limits: Limits) -> bytes:
    codec = container.manifest.blocks[file.block].codec
    if codec not in FILE_CODECS:
        raise PruneError("unsupported", "codec of a file", codec, ", ".join(FILE_CODECS))
    packed = container.block(file.block)
    if file.vocabulary is None:
        return gunzip(packed, length=file.length, limit=limits.metadata_bytes)
    lines = by_name[file.vocabulary]
    packed_lines = container.block(lines.block)
    rest = gunzip(packed, limit=limits.metadata_bytes)
    text = gunzip(packed_lines, length=lines.length, limit=limits.metadata_bytes)
    return join_vocabulary(rest, text, length=file.length, vocabulary=lines.name)
