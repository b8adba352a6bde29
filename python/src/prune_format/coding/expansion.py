"""How far a block may expand; see SPEC.md, "Expansion"."""

from __future__ import annotations

from ..errors import corrupt
from ..limits import MAX_EXPANSION


def check_expansion(what: str, decoded: int, stored: int) -> None:
    """Raises ``corrupt`` when ``stored`` bytes may not stand for ``decoded`` ones."""
    if decoded > MAX_EXPANSION * stored:
        wanted = f"at most {MAX_EXPANSION} for each stored byte"
        corrupt(f"{what} expands too far", f"{decoded} bytes from {stored}", wanted)
