"""Errors: the codes and messages of the TypeScript readers, for damaged and for hostile files."""

import copy
import json
import pickle
import random
import subprocess
import sys
import unittest

from support import (
    HOSTILE,
    LONG,
    ROOT,
    VERSION_ONE,
    TemporaryFolderCase,
    container,
    opened,
    packed,
    python_error,
    sealed,
    typescript_errors,
)

from prune_format import PruneError, load

#: Loads files in a process of its own, and prints what each took, memory beside that of the modules.
CHILD = """
import json, resource, sys, time
sys.path.insert(0, sys.argv[1])
import prune_format
prune_format.load(sys.argv[2])
unit = 1 if sys.platform == "darwin" else 1024
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[3:]:
    start, code = time.monotonic(), None
    try:
        prune_format.load(path)
    except prune_format.PruneError as error:
        code = error.code
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps([code, time.monotonic() - start, peak * unit]))
"""

#: Hostile to a terminal, or small enough to be read.
READABLE = ("prune-terminal-escape.prune", "prune-entropy-rows-4000.prune")


class Errors(TemporaryFolderCase):
    def assert_same_errors(self, paths):
        for path, wanted in zip(paths, typescript_errors(paths)):
            self.assertEqual(python_error(lambda: load(path)), wanted, path)

    def test_hostile_files(self):
        paths = sorted(HOSTILE.glob("*.prune"))
        self.assertGreater(len(paths), 15)
        self.assert_same_errors(paths)

    def test_hostile_files_take_little(self):
        paths = sorted(HOSTILE.glob("*.prune"))
        sources, warm = ROOT / "python" / "src", VERSION_ONE / "entropy.prune"
        child = [sys.executable, "-c", CHILD, *map(str, (sources, warm, *paths))]
        done = subprocess.run(child, capture_output=True, text=True, timeout=120)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), len(paths), done.stderr)
        for path, line in zip(paths, lines):
            with self.subTest(path.name):
                code, seconds, peak = json.loads(line)
                # The bounds of the TypeScript readers' own test.
                self.assertLess(seconds, 5)
                self.assertLess(peak, 64_000_000)
                if path.name not in READABLE:
                    self.assertIsNotNone(code)

    def test_cut_and_extended_files(self):
        whole = (VERSION_ONE / "entropy.prune").read_bytes()
        paths = []
        for i, data in enumerate([b"", whole[:7], whole[:47], whole[:48], whole[:-1], whole + b"\0", b"x" * 60]):
            paths.append(self.folder / f"cut-{i}.prune")
            paths[-1].write_bytes(data)
        for at in (3, 8, 12, 20, 24, 28, 32, 44, 60, len(whole) - 9):
            paths.append(self.folder / f"flipped-{at}.prune")
            paths[-1].write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        self.assert_same_errors(paths)

    def test_manifests_that_say_something_else(self):
        _, manifest, blocks = opened(VERSION_ONE / "raw.prune")
        manifest = {"blocks": manifest.pop("blocks"), "models": [manifest]}
        changes = [
            lambda m: m.pop("models"),
            lambda m: m.update(models=[]),
            lambda m: m.update(models={}),
            lambda m: m.update(bases=[{"name": ""}]),
            lambda m: m.update(bases=[{"name": 3}]),
            lambda m: m["models"][0].update(name="a#b"),
            lambda m: m["models"][0].update(profile="other\x1b[2J"),
            lambda m: m["models"][0].update(config=[1]),
            lambda m: m["models"].append(copy.deepcopy(m["models"][0])),
            lambda m: m["models"][0]["entries"][0].update(dtype="complex64"),
            lambda m: m["models"][0]["entries"][0].update(dtype=None),
            lambda m: m["models"][0]["entries"][0].update(shape=[-1]),
            lambda m: m["models"][0]["entries"][0].update(shape=[1.5]),
            lambda m: m["models"][0]["entries"][0].update(shape=[1] * 9),
            lambda m: m["models"][0]["entries"][0].update(shape=[2**40]),
            lambda m: m["models"][0]["entries"][0].update(block=10**6, inline=b""),
            lambda m: m["models"][0]["entries"][0].update(name="n" * 2000),
            lambda m: m["models"][0]["entries"][1].update(name=m["models"][0]["entries"][0]["name"]),
            lambda m: m["models"][0]["files"][0].update(name="../x"),
            lambda m: m["models"][0]["files"][0].update(vocabulary="vocab.txt"),
            lambda m: m["models"][0]["files"][0].update(length=2**40),
            lambda m: m["models"][0]["files"][0].update(block=0),
            lambda m: m["blocks"][0].update(codec="other"),
            lambda m: m["blocks"][0].update(shares=[10**9]),
            lambda m: m["blocks"][0].update(shares=3),
            lambda m: m["blocks"][0].update(parts=[{"length": 10**9, "crc32": 0, "sha256": bytes(32)}]),
            lambda m: m["blocks"][0].update(parts=[{"length": 1, "crc32": 0, "sha256": b"short"}]),
        ]
        paths = []
        for i, change in enumerate(changes):
            own = copy.deepcopy(manifest)
            change(own)
            listed = [{**block, "data": data} for block, data in zip(own["blocks"], blocks)]
            paths.append(self.folder / f"manifest-{i}.prune")
            paths[-1].write_bytes(container(listed, own.get("models", [])))
        for i, data in enumerate([b"", b"\xc0", b"\x81", b"\x81\x01\x02", b"\x81\xa1a\xc7\x01\x05x", b"\x80\x80"]):
            paths.append(self.folder / f"msgpack-{i}.prune")
            paths[-1].write_bytes(sealed(data))
        self.assert_same_errors(paths)

    def test_damaged_blocks_whose_sums_are_right(self):
        sources = [VERSION_ONE / f"{name}.prune" for name in ("raw", "gzip", "csr-gzip", "entropy")]
        sources += [packed("tiny", "entropy", "max"), packed("narrow", "entropy")]
        paths = []
        for number, source in enumerate(sources):
            chance = random.Random(number)
            for i in range(300 if LONG else 10):
                paths.append(self.folder / f"damaged-{number}-{i}.prune")
                paths[-1].write_bytes(damaged(source, chance))
        self.assert_same_errors(paths)

    def test_control_characters_are_escaped(self):
        error = PruneError("corrupt", "b\n", "c\x9b", "d\u202e", where="a\x1b[2J", tensor="e\x7f")
        self.assertEqual(str(error), 'a\\u001b[2J: b\\n, got c\\u009b, wanted d\\u202e (tensor "e\\u007f")')
        self.assertEqual((error.where, error.tensor), ("a\x1b[2J", "e\x7f"))
        again = pickle.loads(pickle.dumps(error))
        self.assertEqual((str(again), again.code), (str(error), "corrupt"))


def damaged(source, chance):
    """A file with one block changed, cut or extended. Parts are said to be empty, because what they hold moves."""
    version, manifest, blocks = opened(source)
    block = bytearray(chance.choice(blocks))
    number = blocks.index(bytes(block))
    kind = chance.randrange(6)
    if kind < 4:
        near_end = len(block) - 1 - chance.randrange(min(60, len(block)))
        places = [chance.randrange(len(block)), chance.randrange(min(40, len(block))), near_end]
        block[chance.choice(places)] ^= 1 << chance.randrange(8)
    elif kind == 4:
        del block[-chance.randrange(1, min(9, len(block)) + 1) :]
    else:
        block += bytes(chance.randrange(1, 5))
    blocks[number] = bytes(block)
    listed = []
    for own, data in zip(manifest.pop("blocks"), blocks):
        own = {**own, "shares": [0] * len(own["shares"]), "data": data}
        if "parts" in own:
            own["parts"] = [{**part, "length": 0} for part in own["parts"]]
        listed.append(own)
    return container(listed, manifest["models"] if version == 2 else [manifest], version)


if __name__ == "__main__":
    unittest.main()
