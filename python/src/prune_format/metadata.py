"""What travels with the tensors of a model."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Optional

#: How a quantized Linear computes: the range of its activations and how its last line rounds. The default is the first.
PROFILES = ("fbgemm", "fbgemm-1.5", "qnnpack", "onnxruntime")

#: The files of a tokenizer that travel with a model, as transformers names them.
TOKENIZER_FILES = (
    "vocab.txt",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)


@dataclass
class Metadata:
    """What a file says of a model beside its tensors. Everything is optional.

    Attributes:
        config: The Hugging Face config.json.
        modules: PyTorch's ``state_dict()._metadata``, the notebook's metadata.json: module name -> its version.
        profile: One of ``PROFILES``.
        sentence: The JSON files of a sentence-transformers folder, by their paths.
        files: The files of the tokenizer, byte for byte, by their names in ``TOKENIZER_FILES``.
    """

    config: Optional[Dict[str, Any]] = None
    modules: Optional[Dict[str, Any]] = None
    profile: Optional[str] = None
    sentence: Optional[Dict[str, Any]] = None
    files: Optional[Dict[str, bytes]] = field(default=None, repr=False)
