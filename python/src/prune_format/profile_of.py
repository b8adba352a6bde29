"""How a model's quantized Linears compute, where nobody says it."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .errors import PruneError
from .metadata import PROFILES, Metadata

#: torch 1.6 raised the version of a quantized Linear to 4 and has halved the activation range on x86 since.
_FIRST_REDUCED_RANGE_VERSION = 4
#: A module with packed params and a lower version is a quantized Embedding.
_FIRST_PACKED_LINEAR_VERSION = 2


def profile_of(metadata: Metadata) -> str:
    """Returns ``metadata.profile``, else the one of the root module, else the one of the modules' versions, else the
    default. Raises ``unsupported`` for an unknown profile, ``mismatch`` when versions contradict."""
    if metadata.profile is not None:
        return _checked(metadata.profile)
    modules = metadata.modules or {}
    root = modules.get("")
    if isinstance(root, Mapping) and root.get("profile") is not None:
        return _checked(root["profile"])
    return _by_version(modules) or PROFILES[0]


def _by_version(modules: Mapping[str, Any]) -> Optional[str]:
    first: Optional[str] = None
    first_module = ""
    for module, entry in modules.items():
        if f"{module}._packed_params" not in modules or not isinstance(entry, Mapping):
            continue
        version = entry.get("version")
        if not isinstance(version, (int, float)) or not version >= _FIRST_PACKED_LINEAR_VERSION:
            continue
        profile = "fbgemm" if version >= _FIRST_REDUCED_RANGE_VERSION else "fbgemm-1.5"
        if first is None:
            first, first_module = profile, module
        if profile != first:
            what = "module versions of different torch releases"
            wanted = f'{first} as "{first_module}" has, or an explicit profile'
            raise PruneError("mismatch", what, profile, wanted, where="quant", tensor=module)
    return first


def _checked(profile: Any) -> str:
    if profile not in PROFILES:
        what, wanted = "unknown quantization profile", ", ".join(PROFILES)
        raise PruneError("unsupported", what, str(profile), wanted, where="quant")
    return str(profile)
