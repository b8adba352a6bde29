"""Writes a model as a ``.prune`` file."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Mapping, Optional, Union

from .codecs import codec_list
from .coding.matrix import PRESETS
from .elementary_of import elementary_of, is_old_layout, with_notebook_dtypes
from .errors import PruneError
from .metadata import Metadata
from .model import Model
from .profile_of import profile_of
from .writing.atomic_file import atomic_file
from .writing.container_writer import ContainerWriter

DEFAULT_CODEC = "csr-gzip"
DEFAULT_PRESET = "fast"

#: How the quantized Linears of torch 1.4 and 1.5 compute.
_OLD_PROFILE = "fbgemm-1.5"


def save(
    path: Union[str, "os.PathLike[str]"],
    state: Union[Model, Mapping[str, Any]],
    *,
    metadata: Optional[Metadata] = None,
    codec: str = DEFAULT_CODEC,
    preset: str = DEFAULT_PRESET,
    force: bool = False,
) -> None:
    """Writes a ``.prune`` file of version 2 with one model.

    The file appears under its name only when it is whole and on the disk. Nothing is quantized again: every integer and
    scale is kept. The file is, byte for byte, that of ``prune pack`` and ``prune convert`` with the same codec; only
    what gzip compresses with matches, where that is more than a mebibyte, is compressed to other bytes.

    Args:
        path: The file to write.
        state: A model that ``load`` returned; an elementary state dict (the notebook's, of arrays, tensors, numbers and
            texts); or a quantized one: what ``state_dict`` returns, that of a model of ``quantize_dynamic``, or a dict
            with ``QuantizedLinear`` and ``QuantizedEmbedding``. float16, float32 and other plain tensors pass.
        metadata: What travels with the tensors. By default that of the model, or the ``_metadata`` of a state dict of
            torch. A state dict without ``profile`` gets the one that the versions of its modules say.
        codec: ``csr-gzip``, ``entropy`` (the smallest), ``gzip`` or ``raw``.
        preset: Of ``entropy``: ``fast``, or ``max`` for the smallest matrices.
        force: Replace the file that is there. Otherwise that is ``invalid-argument``.

    Raises:
        PruneError: ``invalid-argument`` for the arguments, ``io`` for the file, and ``unsupported``, ``missing``,
            ``mismatch`` or ``corrupt`` for a state dict that is not one.
    """
    file = os.fspath(path)
    if preset not in PRESETS:
        raise PruneError("invalid-argument", "unknown preset", preset, " or ".join(PRESETS), where=file)
    try:
        codecs = codec_list(codec, preset)
        own = _metadata_of(state) if metadata is None else metadata
        if isinstance(state, Model):
            entries = with_notebook_dtypes(state.tensors)
        else:
            entries = elementary_of(state)
            profile = _OLD_PROFILE if own.profile is None and is_old_layout(state) else profile_of(own)
            own = replace(own, profile=profile)
        with atomic_file(file, force) as out:
            writer = ContainerWriter(out, codecs)
            for name, value in entries.items():
                try:
                    writer.put(name, value)
                except PruneError as error:
                    raise error.located(tensor=name) from error.__cause__
            writer.finish(own)
    except PruneError as error:
        raise error.located(file) from error.__cause__


def _metadata_of(state: Union[Model, Mapping[str, Any]]) -> Metadata:
    if isinstance(state, Model):
        return state.metadata
    modules = getattr(state, "_metadata", None)
    return Metadata(modules={name: dict(entry) for name, entry in modules.items()} if modules else None)
