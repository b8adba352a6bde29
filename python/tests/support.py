"""Paths of the repository, and the TypeScript command, which the tests compare with."""

import atexit
import json
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from functools import lru_cache
from pathlib import Path

import msgpack

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "python" / "src"))

FIXTURES = ROOT / "tooling" / "fixtures"
GOLDEN = FIXTURES / "golden"
HOSTILE = FIXTURES / "hostile"
VERSION_ONE = FIXTURES / "prune-v1"
MINI_QA = ROOT / "models" / "mini-qa"

#: How a file can be packed. Short forms of tests pack `narrow` by one of them alone.
CODECS = [("raw", "fast"), ("gzip", "fast"), ("csr-gzip", "fast"), ("entropy", "fast"), ("entropy", "max")]
PACKED = [("tiny", *codec) for codec in CODECS] + [("narrow", "entropy", "fast")]

#: Set in ``.ci/full``: the long forms, with the large models.
LONG = bool(os.environ.get("PRUNE_PYTHON_LONG"))

_COMMAND = ROOT / "apps" / "cli" / "bin" / "prune.js"


def require_build():
    """Skips a test where the packages are not built; fails it in CI, where they are."""
    if (ROOT / "apps" / "cli" / "dist").exists():
        return
    if os.environ.get("CI"):
        raise AssertionError("the packages are not built (npm run build)")
    raise unittest.SkipTest("the packages are not built (npm run build)")


def prune(*arguments):
    """Runs the command. Raises with what it printed when it fails."""
    require_build()
    done = subprocess.run(["node", str(_COMMAND), *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"prune {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


@lru_cache(maxsize=None)
def packed(name, codec="csr-gzip", preset="fast"):
    """A golden model as the command packs it: a file that every test may read."""
    folder = Path(tempfile.mkdtemp(prefix="prune-packed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    flags = ["--preset", preset] if codec == "entropy" else []
    prune("pack", GOLDEN / name, "-o", folder / f"{name}.prune", "--codec", codec, *flags)
    return folder / f"{name}.prune"


def typescript_errors(paths):
    """What the TypeScript reader throws for each file: code, message and tensor, or ``None``."""
    require_build()
    script = Path(__file__).with_name("typescript-errors.mjs")
    done = subprocess.run(["node", str(script), *map(str, paths)], capture_output=True, text=True)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != len(paths):
        raise AssertionError(done.stderr)
    return [json.loads(line) for line in lines]


def python_error(work):
    """What ``work`` raises, as :func:`typescript_errors` gives it."""
    from prune_format import PruneError

    try:
        work()
    except PruneError as error:
        return {"code": error.code, "message": str(error), "tensor": error.tensor}
    return None


class TemporaryFolderCase(unittest.TestCase):
    """A test with a folder of its own."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="prune-python-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)


def container(blocks, models, version=2):
    """A container of these blocks, dicts with ``data``, and this rest of its manifest. Sums are right."""
    import hashlib

    at, listed, body = 48, [], b""
    for block in blocks:
        data = block["data"]
        own = {name: value for name, value in block.items() if name != "data"}
        own.update(offset=at, length=len(data), crc32=zlib.crc32(data))
        if version == 2:
            own["sha256"] = hashlib.sha256(data).digest()
        listed.append(own)
        body += data
        at += len(data)
    top = {"blocks": listed, **({"models": models} if version == 2 else models[0])}
    return sealed(msgpack.packb(top), body, version)


def sealed(manifest, body=b"", version=2):
    """Prologue, body and the manifest's bytes as a file whose sums are right."""
    packed = gzip_of(manifest)
    at = 48 + len(body)
    head = struct.pack(
        "<8sIQIIIQI", b"\x89PRUNE\r\n", version, at, len(packed), len(manifest), zlib.crc32(packed), at + len(packed), 0
    )
    return head + struct.pack("<I", zlib.crc32(head)) + body + packed


def gzip_of(data):
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = deflater.compress(data) + deflater.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", zlib.crc32(data), len(data) % 2**32)


def opened(path):
    """The version, the manifest and the bytes of the blocks of a file."""
    raw = Path(path).read_bytes()
    _, version, at, length, *_ = struct.unpack("<8sIQIIIQI", raw[:44])
    manifest = msgpack.unpackb(zlib.decompress(raw[at : at + length], 31))
    blocks = [raw[int(block["offset"]) : int(block["offset"]) + block["length"]] for block in manifest["blocks"]]
    return version, manifest, blocks
