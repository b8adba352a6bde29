"""A file that appears under its name only when it is whole."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager
from typing import BinaryIO, Iterator

from ..errors import PruneError


@contextmanager
def atomic_file(path: str, force: bool) -> Iterator[BinaryIO]:
    """Opens a temporary file in the folder of ``path``, which gets its name when the ``with`` block ends without error.

    Before that its bytes, and afterwards its name, are on the disk. A failure leaves the old file as it was. A symbolic
    link stays a link, and a replaced file keeps its mode. Raises ``invalid-argument`` for a file that is there unless
    ``force`` is set, and ``io``.
    """
    target = os.path.realpath(path)
    mode = _mode_of(path, target, force)
    try:
        descriptor, temporary = tempfile.mkstemp(
            prefix=f".{os.path.basename(target)[:50]}.", suffix=".tmp", dir=os.path.dirname(target)
        )
    except OSError as error:
        raise PruneError("io", str(error), where=path) from error
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        _publish(temporary, target, force, path)
        _sync_folder(os.path.dirname(target))
    except OSError as error:
        raise PruneError("io", str(error), where=path) from error
    finally:
        # Gone already if the file has its name.
        if os.path.exists(temporary):
            os.unlink(temporary)


def _mode_of(path: str, target: str, force: bool) -> int:
    try:
        found = os.stat(target)
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
    except OSError as error:
        raise PruneError("io", str(error), where=path) from error
    if not stat.S_ISREG(found.st_mode):
        is_folder = stat.S_ISDIR(found.st_mode)
        raise PruneError("io", "is not a file", "a folder" if is_folder else "a device", "a file", where=path)
    if not force:
        raise _exists(path)
    return found.st_mode & 0o777


def _publish(temporary: str, target: str, force: bool, path: str) -> None:
    if not force:
        try:
            # Unlike a renaming, a second name never takes the place of a file that was made a moment ago.
            os.link(temporary, target)
            return
        except FileExistsError as error:
            raise _exists(path) from error
        except OSError:
            # The file system has no second names. Here a file of the last moment is replaced.
            if os.path.exists(target):
                raise _exists(path) from None
    os.replace(temporary, target)


def _exists(path: str) -> PruneError:
    return PruneError("invalid-argument", "exists", wanted="another name, or force", where=path)


def _sync_folder(folder: str) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        # Some systems cannot sync a folder.
        pass
    finally:
        os.close(descriptor)
