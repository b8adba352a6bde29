"""Writing: byte for byte what the command writes with the same codec."""

import os
import unittest

import numpy as np
from support import CODECS, GOLDEN, LONG, MINI_QA, PACKED, TemporaryFolderCase, packed, prune

from prune_format import Metadata, Model, PruneError, QuantizedEmbedding, QuantizedLinear, load, save
from prune_format.tensors import BFLOAT16
from prune_format.writing.atomic_file import atomic_file

def floats(values):
    return np.asarray(values, "<f4")


def matrix(name, rows, columns, density, seed):
    """A module's arrays, with rows and columns of different density."""
    chance = np.random.default_rng(seed)
    weight = chance.random((rows, 1)) * chance.random((1, columns)) * 4 * density
    dense = np.where(chance.random((rows, columns)) < weight, chance.normal(0, 30, (rows, columns)).round(), 0)
    dense = np.clip(dense, -128, 127).astype("i1")
    row, column = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=rows))]).astype("<i4")
    part = f"{name}._packed_params.weight.int_repr"
    indices = column.astype("<u2" if columns <= 65_535 else "<i4")
    return {f"{part}.data": dense[row, column], f"{part}.indptr": indptr, f"{part}.indices": indices}


def table(name, codes, scale, zero_point):
    part = f"{name}._packed_params._packed_weight"
    return {
        f"{part}.scale": floats(scale),
        f"{part}.zero_point": floats(zero_point),
        f"{part}.int_repr": codes.astype("u1"),
    }


def quantized(values):
    """Rows of floats as PyTorch quantizes them: codes, scales and zero points."""
    least, most = values.min(axis=1), values.max(axis=1)
    scale = np.where(most - least <= 2.0**-23, np.float32(1), (most - least) / np.float32(255)).astype("<f4")
    zero_point = (-least / scale).astype("<f4")
    codes = np.clip(np.rint(values * (np.float32(1) / scale)[:, None] + zero_point[:, None]), 0, 255)
    return codes, scale, zero_point


def tensors_of_every_form():
    """Tensors that between them reach every codec and every form of it."""
    chance = np.random.default_rng(7)
    grid = floats(chance.integers(-40, 41, (260, 64)) / 64)
    halves = chance.normal(size=(90, 16)).astype(np.float16)
    noise = floats(chance.normal(size=(100, 48)))
    dyadic = floats(chance.integers(0, 200, (110, 150)) / 256)
    mixed = dyadic.copy()
    mixed[::7] = chance.normal(size=mixed[::7].shape)
    four = chance.integers(0, 256, (150, 20))
    special = floats([[np.inf, -np.inf, np.nan, -0.0] * 8] * 70)
    tensors = {
        "grid": grid,
        "grid.negative_zero": np.where(grid == 0, floats(-0.0), grid),
        "grid.small": grid[:65, :3],
        "grid.few_rows": grid[:20],
        "halves": floats(halves),
        "halves.few": floats(halves[:10]),
        "float16": halves,
        "float16.few": halves[:30],
        "bfloat16": (noise.view("<u4") >> 16).astype("<u2").view(BFLOAT16),
        "noise": noise,
        "noise.few": noise[:7],
        "constant": np.ones((400, 30), "<f4"),
        "zeros": np.zeros(900, "<f4"),
        "special": special,
        "special.flat": special[:30].ravel(),
        "vector": noise.ravel()[:333],
        "large_grid": floats(chance.integers(-300, 301, (40, 512)) / 1024),
        "int64": chance.integers(-9, 9, 500),
        "int32": np.arange(200, dtype="<i4"),
        "bool": chance.random(99) < 0.5,
        "uint8": chance.integers(0, 9, 700).astype("u1"),
        "float64": chance.normal(size=77),
        "scalar": np.array(3.5),
        "empty": np.zeros((0, 5), "<f4"),
        "text": "qint8",
        "runs": np.repeat(chance.integers(0, 5, 40).astype("u1"), chance.integers(1, 400, 40)),
        "words": np.frombuffer(b"the cat sat on the mat, and " * 90, "u1"),
    }
    tensors.update(table("on_grid", *quantized(dyadic)))
    tensors.update(table("few_on_grid", *quantized(dyadic[:50])))
    tensors.update(table("mixed", *quantized(mixed)))
    tensors.update(table("few_mixed", *quantized(mixed[:40])))
    tensors.update(table("off_grid", *quantized(noise)))
    tensors.update(table("four_bits", four, chance.integers(1, 30, 150) / 64 / 15, chance.integers(0, 31, 150) / 2))
    tensors.update(table("few_four_bits", four[:30], np.full(30, 1 / 16), np.arange(30) / 2))
    tensors.update(table("not_finite", four[:70], np.full(70, np.nan), np.full(70, np.inf)))
    shapes = [(1, 1, 1), (3, 5, 0.5), (90, 70, 0.06), (300, 200, 0.05), (7, 900, 0.5)]
    for i, (rows, columns, density) in enumerate(shapes):
        tensors.update(matrix(f"matrix{i}", rows, columns, density, i))
    tensors.update(matrix("none", 5, 5, 0, 0))
    tensors.update(matrix("wide", 4, 70_000, 0.001, 1))
    tensors.update(matrix("sparse", 3000, 400, 0.0001, 2))
    tensors["broken.int_repr.data"] = np.array([1, 2], "i1")
    tensors["broken.int_repr.indptr"] = np.array([0, 2], "<i4")
    tensors["broken.int_repr.indices"] = np.array([3, 3], "<u2")
    return tensors


class Write(TemporaryFolderCase):
    def test_every_form_of_every_codec(self):
        tensors = tensors_of_every_form()
        config = {"b": 1.0, "a": [1e-12, -3, 2**40, None, True], "id2label": {"10": "x", "2": "y"}, "é": "\u2028"}
        metadata = Metadata(config=config, profile="qnnpack")
        for codec, preset in CODECS:
            with self.subTest(codec=codec, preset=preset):
                ours, theirs = self.folder / f"{codec}-{preset}.prune", self.folder / f"{codec}-{preset}-ts.prune"
                save(ours, Model(tensors, metadata), codec=codec, preset=preset)
                prune("convert", ours, theirs, "--codec", codec, *(["--preset", preset] if codec == "entropy" else []))
                self.assertEqual(ours.read_bytes(), theirs.read_bytes())
                again = load(theirs)
                for name, value in tensors.items():
                    got = again[name]
                    wanted = value if isinstance(value, str) else value.tobytes()
                    self.assertEqual(got if isinstance(got, str) else got.tobytes(), wanted)

    def test_goldens(self):
        ours = self.folder / "ours.prune"
        for name, codec, preset in PACKED:
            with self.subTest(model=name, codec=codec, preset=preset):
                theirs = packed(name, codec, preset)
                save(ours, load(theirs), codec=codec, preset=preset, force=True)
                self.assertEqual(ours.read_bytes(), theirs.read_bytes())

    def test_quantized_modules_of_a_golden(self):
        model = load(packed("tiny"))
        save(self.folder / "quantized.prune", model.quantized(), metadata=model.metadata)
        self.assertEqual((self.folder / "quantized.prune").read_bytes(), packed("tiny").read_bytes())

    @unittest.skipUnless(LONG, "a long form, which .ci/full runs")
    def test_mini_qa_and_a_model_of_the_size_of_bert_base(self):
        for codec, preset in CODECS[2:]:
            theirs, ours = self.folder / "theirs.prune", self.folder / "ours.prune"
            flags = ["--preset", preset] if codec == "entropy" else []
            prune("pack", MINI_QA, "-o", theirs, "--force", "--codec", codec, *flags)
            save(ours, load(theirs), codec=codec, preset=preset, force=True)
            self.assertEqual(ours.read_bytes(), theirs.read_bytes())
            prune("convert", GOLDEN / "base" / "squad_sparse.h5", theirs, "--force", "--codec", codec, *flags)
            save(ours, load(theirs), codec=codec, preset=preset, force=True)
            self.assertEqual(ours.read_bytes(), theirs.read_bytes())

    def test_an_elementary_dict_of_the_notebook(self):
        theirs, ours = packed("tiny"), self.folder / "notebook.prune"
        model = load(theirs)
        state = dict(model.tensors)
        for name in list(state):
            # As the notebook has them: numbers, tuples, and scipy's int32.
            if name.endswith("weight.scale"):
                state[name] = float(state[name])
            elif name.endswith("weight.zero_point"):
                state[name] = int(state[name])
            elif name.endswith(".shape"):
                state[name] = tuple(state[name].tolist())
            elif name.endswith(".indices"):
                state[name] = state[name].astype("<i4")
            elif name.endswith(".dtype"):
                state[name] = "torch.qint8"
        save(ours, state, metadata=model.metadata)
        self.assertEqual(ours.read_bytes(), theirs.read_bytes())

    def test_a_file_that_is_there(self):
        path = self.folder / "there.prune"
        save(path, {"a": np.zeros(3)})
        os.chmod(path, 0o640)
        with self.assertRaises(PruneError) as caught:
            save(path, {"a": np.ones(3)})
        self.assertEqual(str(caught.exception), f"{path}: exists, wanted another name, or force")
        save(path, {"a": np.ones(3)}, force=True)
        self.assertEqual(load(path)["a"].tolist(), [1, 1, 1])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)

    def test_a_failure_leaves_nothing(self):
        path = self.folder / "failed" / "x.prune"
        path.parent.mkdir()
        with self.assertRaises(PruneError) as caught:
            save(path, {"a": np.zeros(3), "b": np.zeros(3, "c16")})
        self.assertEqual((caught.exception.code, caught.exception.tensor), ("unsupported", "b"))
        with self.assertRaises(RuntimeError), atomic_file(str(path), False) as file:
            file.write(b"half")
            raise RuntimeError
        self.assertEqual(list(path.parent.iterdir()), [])

    def test_arguments(self):
        path = self.folder / "arguments.prune"
        for arguments in ({"codec": "zip"}, {"preset": "slow"}, {"metadata": Metadata(files={"x": b""})}):
            with self.assertRaises(PruneError) as caught:
                save(path, {"a": np.zeros(3)}, **arguments)
            self.assertEqual(caught.exception.code, "invalid-argument")
        for state in ({"a": object()}, {"X._packed_params.other": np.zeros(1)}):
            with self.assertRaises(PruneError) as caught:
                save(path, state)
            self.assertEqual(caught.exception.code, "unsupported")
        with self.assertRaises(PruneError) as caught:
            save(path, {"X._packed_params.weight.int_repr.data": np.zeros(1, "i1")})
        self.assertEqual(caught.exception.code, "missing")

    def test_modules(self):
        tensors = matrix("x", 6, 5, 0.5, 3)
        part = "x._packed_params.weight.int_repr"
        save(
            self.folder / "modules.prune",
            {
                **tensors,
                f"{part}.shape": (6, 5),
                "x._packed_params.weight.scale": np.full(6, 0.5),
                "x._packed_params.weight.zero_point": np.zeros(6, "<i8"),
                "y": QuantizedEmbedding(
                    4, (2, 3), np.array([[0x21, 3], [0x54, 6]], "u1"), floats([1, 2]), floats([0, 1])
                ),
            },
        )
        modules = load(self.folder / "modules.prune").quantized()
        self.assertIsInstance(modules["x"], QuantizedLinear)
        self.assertTrue(modules["x"].per_channel)
        self.assertEqual(modules["x"].dequantize().dtype, np.float32)
        self.assertEqual(modules["y"].codes().tolist(), [[1, 2, 3], [4, 5, 6]])
        self.assertEqual(modules["y"].dequantize().tolist(), [[1, 2, 3], [6, 8, 10]])



if __name__ == "__main__":
    unittest.main()
