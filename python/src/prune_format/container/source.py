"""A file that is read by ranges."""

from __future__ import annotations

import os
import stat
from types import TracebackType
from typing import Optional, Type, Union

from ..errors import PruneError


class Source:
    """An open regular file. Raises ``missing`` or ``io`` with its path; close it, or use it in a ``with``."""

    def __init__(self, path: Union[str, "os.PathLike[str]"], name: Optional[str] = None) -> None:
        self.path = os.fspath(path)
        self.name = name or self.path
        try:
            # What is not a regular file is refused before it is opened, because opening a pipe waits for its writer.
            if not stat.S_ISREG(os.stat(self.path).st_mode):
                raise PruneError("io", "not a regular file", where=self.path)
            self._descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError as error:
            raise PruneError("missing", "no such file", where=self.path) from error
        except (OSError, ValueError) as error:
            raise PruneError("io", str(error), where=self.path) from error
        self.size = os.fstat(self._descriptor).st_size

    def read(self, offset: int, length: int) -> bytes:
        """Exactly the bytes from ``offset`` on. Raises ``truncated`` past the end of the file."""
        if offset + length > self.size:
            got, wanted = f"{self.size} bytes", f"bytes {offset} to {offset + length}"
            raise PruneError("truncated", "read past the end", got, wanted, where=self.name)
        try:
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            data = bytearray()
            while len(data) < length:
                # One read of the operating system gives at most 2 GiB.
                more = os.read(self._descriptor, min(length - len(data), 2**30))
                if not more:
                    break
                if not data and len(more) == length:
                    return more
                data += more
        except OSError as error:
            raise PruneError("io", str(error), where=self.name) from error
        if len(data) != length:
            raise PruneError("truncated", "short read", len(data), length, where=self.name)
        return bytes(data)

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "Source":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()
