"""Writes a container: blocks as their tensors come, then the manifest, then the prologue."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import replace
from typing import BinaryIO, Dict, List, Optional, Sequence, Tuple

import numpy as np

from ..codecs.codec import Codec, EncodedBlock, NamedArray
from ..codecs.json_vocabulary import cut_vocabulary
from ..container.manifest import GZIP_FILE, VOCABULARY_FILE, Block, Entry, File, Manifest, ManifestModel, Part
from ..container.prologue import PROLOGUE_BYTES, Prologue, encode_prologue
from ..errors import PruneError, shown
from ..metadata import PROFILES, TOKENIZER_FILES, Metadata
from ..tensors import DTYPES, Elementary, TensorInfo, dtype_name
from .encode_manifest import encode_manifest
from .gzip_member import gzip_member

#: Of the tokenizer's files: level 9 takes twice as long for a thousandth.
_FILE_LEVEL = 6

#: Files that may have in them, written another way, what another file of the tokenizer says.
_VOCABULARIES = {"tokenizer.json": "vocab.txt"}

#: Up to here a tensor sits in the manifest: a block of its own would take more to describe.
_INLINE_BYTES = 64


class ContainerWriter:
    """Writes one model into ``file``. The same entries and metadata give the same bytes."""

    def __init__(self, file: BinaryIO, codecs: Sequence[Codec]) -> None:
        self._file = file
        self._codecs = codecs
        self._blocks: List[Block] = []
        self._entries: List[Entry] = []
        self._names = set()  # type: set[str]
        # Tensors that wait for the rest of their group: the codec's place in the list, and the places of their entries.
        self._groups: Dict[Tuple[int, str], List[Tuple[NamedArray, int]]] = {}
        self._offset = PROLOGUE_BYTES
        file.write(bytes(PROLOGUE_BYTES))

    def put(self, name: str, value: Elementary) -> None:
        """Adds an entry. Raises ``invalid-argument`` for a name put twice, and ``unsupported`` for a dtype."""
        if name in self._names:
            raise PruneError("invalid-argument", "a name is put twice", tensor=name)
        self._names.add(name)
        try:
            name.encode()
            text = value.encode() if isinstance(value, str) else None
        except UnicodeEncodeError as error:
            what = "a name or text with half a surrogate pair"
            raise PruneError("invalid-argument", what, tensor=name) from error
        if text is not None:
            self._entries.append(Entry(name, "string", (), None, text))
            return
        assert not isinstance(value, str)
        dtype = dtype_name(value)
        if dtype is None:
            raise PruneError("unsupported", "dtype", str(value.dtype), ", ".join(DTYPES), tensor=name)
        array = np.asarray(value, DTYPES[dtype], order="C")
        info = TensorInfo(name, dtype, tuple(value.shape))
        wanted = any(codec.group is not None and codec.group(info) is not None for codec in self._codecs)
        if not wanted and info.nbytes <= _INLINE_BYTES:
            self._entries.append(Entry(name, dtype, info.shape, None, array.tobytes()))
            return
        self._entries.append(Entry(name, dtype, info.shape))
        self._offer(NamedArray(info, array), len(self._entries) - 1, 0)

    def finish(self, metadata: Metadata) -> None:
        """Codes what waits, and writes files, manifest and prologue. Raises ``invalid-argument`` for other files."""
        while self._groups:
            (first, _), members = next(iter(self._groups.items()))
            del self._groups[next(iter(self._groups))]
            self._encode(first, members)
        if metadata.profile is not None and metadata.profile not in PROFILES:
            what, wanted = "unknown quantization profile", ", ".join(PROFILES)
            raise PruneError("invalid-argument", what, shown(metadata.profile), wanted)
        files = self._write_files(metadata.files)
        model = ManifestModel(
            tuple(self._entries),
            None,
            files,
            metadata.config,
            metadata.modules,
            metadata.profile,
            metadata.sentence,
        )
        unpacked = encode_manifest(Manifest(tuple(self._blocks), (), (model,)))
        packed = gzip_member([unpacked])
        self._file.write(packed)
        self._file.seek(0)
        length = self._offset + len(packed)
        prologue = Prologue(2, self._offset, len(packed), len(unpacked), zlib.crc32(packed), length)
        self._file.write(encode_prologue(prologue))

    def _offer(self, tensor: NamedArray, place: int, first: int) -> None:
        for i in range(first, len(self._codecs)):
            codec = self._codecs[i]
            group = (tensor.info.name, 1) if codec.group is None else codec.group(tensor.info)
            if group is None:
                continue
            key, size = group
            members = self._groups.setdefault((i, key), [])
            members.append((tensor, place))
            if len(members) == size:
                del self._groups[(i, key)]
                self._encode(i, members)
            return
        raise PruneError("unsupported", "no codec takes the tensor", tensor.info.dtype, tensor=tensor.info.name)

    def _encode(self, first: int, members: List[Tuple[NamedArray, int]]) -> None:
        """Offers a group to its codec; what that declines goes on to the codecs after it, one tensor at a time."""
        codec = self._codecs[first]
        encoded = codec.encode([tensor for tensor, _ in members])
        if encoded is None:
            for tensor, place in members:
                self._offer(tensor, place, first + 1)
            return
        number = self._write_block(codec.name, encoded, len(members))
        for _, place in members:
            self._entries[place] = replace(self._entries[place], block=number)

    def _write_block(self, codec: str, encoded: EncodedBlock, tensors: int) -> int:
        data = encoded.data
        self._file.write(data)
        # What a tensor has for itself it has whole, header and trailer too.
        shares = (len(data),) if tensors == 1 else encoded.shares or (0,) * tensors
        parts = tuple(Part(len(part), zlib.crc32(part), hashlib.sha256(part).digest()) for part in encoded.parts)
        digest = hashlib.sha256(data).digest()
        self._blocks.append(Block(codec, len(data), zlib.crc32(data), shares, self._offset, None, digest, parts))
        self._offset += len(data)
        return len(self._blocks) - 1

    def _write_files(self, files: Optional[Dict[str, bytes]]) -> Optional[Tuple[File, ...]]:
        if files is None:
            return None
        written: List[File] = []
        for name, data in files.items():
            if name not in TOKENIZER_FILES:
                wanted = ", ".join(TOKENIZER_FILES)
                raise PruneError("invalid-argument", "not a file of a tokenizer", shown(name), wanted)
            vocabulary = _VOCABULARIES.get(name)
            lines = None if vocabulary is None else files.get(vocabulary)
            rest = None if lines is None else cut_vocabulary(data, lines)
            packed = gzip_member([data if rest is None else rest], _FILE_LEVEL)
            codec = GZIP_FILE if rest is None else VOCABULARY_FILE
            number = self._write_block(codec, EncodedBlock(packed), 1)
            written.append(File(name, len(data), number, None if rest is None else vocabulary))
        return tuple(written)
