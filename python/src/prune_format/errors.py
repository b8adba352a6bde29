"""The one error class of this package, and how outside text is made safe to print."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn, Optional, Union

# The characters that control a terminal: C0, DEL and C1, lone surrogates, the line and the paragraph separator, and the
# marks, overrides and isolates that change the direction of the text around them.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}

Shown = Union[str, int, float]


def escape_controls(text: str) -> str:
    """Returns ``text`` with each character that controls a terminal written as JSON escapes it, ``\\u001b`` for ESC."""

    def escaped(match: "re.Match[str]") -> str:
        control = match.group()
        return _SHORT.get(control) or f"\\u{ord(control):04x}"

    return _CONTROLS.sub(escaped, text)


class PruneError(Exception):
    """What this package raises for every file, argument or system call that is at fault.

    ``str(error)`` reads ``where: what, got G, wanted W (tensor "T")``, with control characters escaped, because files
    choose some of these words. The attributes keep them as they are.

    Attributes:
        code: What kind of thing went wrong: ``truncated`` (the data ends early), ``corrupt`` (it contradicts itself),
            ``unsupported``, ``mismatch`` (parts that do not fit each other), ``limit`` (more than a limit allows,
            raised before memory is taken), ``missing``, ``invalid-argument`` or ``io``.
        what: What is wrong, in a few words.
        where: The file, or the part of this package that noticed.
        tensor: The tensor or module at fault.
        got: What was found.
        wanted: What was wanted instead.
    """

    def __init__(
        self,
        code: str,
        what: str,
        got: Optional[Shown] = None,
        wanted: Optional[Shown] = None,
        *,
        where: Optional[str] = None,
        tensor: Optional[str] = None,
    ) -> None:
        self.code = code
        self.what = what
        self.got = got
        self.wanted = wanted
        self.where = where
        self.tensor = tensor
        message = what if where is None else f"{where}: {what}"
        if got is not None:
            message += f", got {_number_text(got)}"
        if wanted is not None:
            message += f", wanted {_number_text(wanted)}"
        if tensor is not None:
            message += f' (tensor "{tensor}")'
        super().__init__(escape_controls(message))

    def __reduce__(self) -> Any:
        return _rebuilt, (self.code, self.what, self.got, self.wanted, self.where, self.tensor)

    def located(self, where: Optional[str] = None, tensor: Optional[str] = None) -> "PruneError":
        """Returns the same error with the place filled in where it was not known yet."""
        where = where if self.where is None else self.where
        tensor = tensor if self.tensor is None else self.tensor
        if where == self.where and tensor == self.tensor:
            return self
        error = PruneError(self.code, self.what, self.got, self.wanted, where=where, tensor=tensor)
        error.__cause__ = self.__cause__ or self
        return error

    def without_place(self, place: str) -> "PruneError":
        """Returns the same error without ``where`` if that is ``place``, so that a caller can name the file instead."""
        if self.where != place:
            return self
        error = PruneError(self.code, self.what, self.got, self.wanted, tensor=self.tensor)
        error.__cause__ = self
        return error


def _rebuilt(code: str, what: str, got: Any, wanted: Any, where: Any, tensor: Any) -> PruneError:
    return PruneError(code, what, got, wanted, where=where, tensor=tensor)


def corrupt(what: str, got: Optional[Shown] = None, wanted: Optional[Shown] = None) -> NoReturn:
    """Raises the error of every coded stream that does not decode."""
    raise PruneError("corrupt", what, got, wanted, where=CODING)


#: Where errors of coded streams say that they happened.
CODING = "sparse-codec"


def shown(value: Any) -> str:
    """Returns a value of outside data for a message: as JSON, cut short, control characters escaped."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        text = _number_text(value)
    elif value is UNDEFINED:
        text = "undefined"
    else:
        text = json.dumps(_jsonable(value), separators=(",", ":"), ensure_ascii=False, allow_nan=True)
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) > 160:
        text = units[:160].decode("utf-16-le", "surrogatepass") + "..."
    return escape_controls(text)


class _Undefined:
    """A member that is not there, which is not the same as one that is null."""


UNDEFINED = _Undefined()


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return {"type": "Buffer", "data": list(value[:80])}
    if isinstance(value, dict):
        return {key: _jsonable(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_jsonable(member) for member in value]
    return value


def _number_text(value: Shown) -> str:
    """A number as JavaScript writes it, so that messages are those of the TypeScript readers."""
    if isinstance(value, float):
        if value != value:
            return "NaN"
        if value in (float("inf"), float("-inf")):
            return "Infinity" if value > 0 else "-Infinity"
        if value.is_integer() and abs(value) < 1e21:
            return str(int(value))
        return _javascript_float(value)
    return str(value)


def _javascript_float(value: float) -> str:
    text = repr(value)
    if "e" not in text:
        return text
    mantissa, exponent = text.split("e")
    power = int(exponent)
    if -7 < power < 0:
        sign = "-" if mantissa.startswith("-") else ""
        digits = mantissa.lstrip("-").replace(".", "")
        return f"{sign}0.{'0' * (-power - 1)}{digits}"
    return f"{mantissa}e{'+' if power > 0 else '-'}{abs(power)}"
