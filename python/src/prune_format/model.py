"""A model in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, Optional, Tuple

from .metadata import Metadata
from .quantized import Quantized, QuantizedLinear, recompose
from .tensors import Elementary


@dataclass
class Model:
    """A model of a ``.prune`` file.

    Attributes:
        tensors: The elementary form of the notebook "Saving PruneBERT": names to NumPy arrays, and to texts for the
            ``dtype`` entries. bfloat16 is a structured dtype whose field ``bfloat16`` has the bits.
        metadata: What travels with the tensors.
        where: The file, for messages.
        name: The model's name; ``None`` in a file of one model without a name.
        models: The names of all models of the file.
        version: The version of the format that the file has.
        integrity: The SHA-256 of the manifest, ``sha256-...``; ``None`` for a file of version 1.
    """

    tensors: Dict[str, Elementary] = field(repr=False)
    metadata: Metadata = field(default_factory=Metadata)
    where: Optional[str] = None
    name: Optional[str] = None
    models: Tuple[str, ...] = ()
    version: int = 2
    integrity: Optional[str] = None

    def __getitem__(self, name: str) -> Elementary:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)

    def quantized(self) -> Dict[str, Quantized]:
        """Returns the quantized state dict: Linears, embedding tables, and the tensors that are not quantized.

        Raises ``missing``, ``mismatch``, ``corrupt`` or ``unsupported`` for parts that do not fit each other.
        """
        return recompose(self.tensors)

    def matrices(self) -> Dict[str, Any]:
        """Returns the weight of each quantized Linear by the Linear's name, int8 ``[rows, columns]``.

        A weight is a ``scipy.sparse.csr_matrix`` where scipy is installed, otherwise a ``CsrMatrix``.
        """
        weights = {name: one.weight for name, one in self.quantized().items() if isinstance(one, QuantizedLinear)}
        try:
            return {name: weight.to_scipy() for name, weight in weights.items()}
        except ImportError:
            return dict(weights)
