"""Reading: equal to the goldens in every integer, scale and float, whatever the codec."""

import shutil
import unittest

import numpy as np
from support import CODECS, FIXTURES, GOLDEN, LONG, MINI_QA, PACKED, VERSION_ONE, TemporaryFolderCase, packed, prune

from prune_format import CsrMatrix, PruneError, load

def assert_same(case, one, other):
    case.assertEqual(list(one), list(other))
    for name in one:
        a, b = one[name], other[name]
        if isinstance(a, str):
            case.assertEqual(a, b, name)
        else:
            case.assertEqual((a.dtype, a.shape, a.tobytes()), (b.dtype, b.shape, b.tobytes()), name)


def assert_golden(case, model, npz):
    """Compares with a golden of PyTorch and scipy: names, and every value."""
    golden = np.load(npz, allow_pickle=False)
    case.assertEqual(sorted(model), sorted(golden.files))
    for name in golden.files:
        want, got = golden[name], model[name]
        if isinstance(got, str):
            case.assertEqual(got, str(want).replace("torch.", ""), name)
        else:
            case.assertEqual(got.shape, want.shape, name)
            case.assertTrue(np.array_equal(got, want, equal_nan=got.dtype.kind == "f"), name)


class Read(TemporaryFolderCase):
    def test_goldens_by_every_codec(self):
        for name, codec, preset in PACKED:
            with self.subTest(model=name, codec=codec, preset=preset):
                assert_golden(self, load(packed(name, codec, preset)), GOLDEN / name / "elementary.npz")

    def test_version_one(self):
        models = [load(path) for path in sorted(VERSION_ONE.glob("*.prune"))]
        self.assertEqual({model.version for model in models}, {1})
        self.assertIsNone(models[0].integrity)
        for model in models[1:]:
            assert_same(self, models[0], model)
            self.assertEqual(model.metadata, models[0].metadata)

    def test_the_tokenizer_and_metadata_of_mini_qa(self):
        path = self.folder / "mini-qa.prune"
        prune("pack", MINI_QA, "-o", path, "--codec", "raw")
        model = load(path)
        for name in ("vocab.txt", "tokenizer.json"):
            self.assertEqual(model.metadata.files[name], (MINI_QA / name).read_bytes())
        self.assertEqual(model.metadata.profile, "fbgemm")
        self.assertEqual(model.metadata.config["architectures"], ["BertForQuestionAnswering"])

    @unittest.skipUnless(LONG, "a long form, which .ci/full runs")
    def test_mini_qa_by_every_codec(self):
        plain = self.folder / "plain.prune"
        prune("pack", MINI_QA, "-o", plain, "--codec", "raw")
        for codec, preset in CODECS[1:]:
            path = self.folder / "coded.prune"
            flags = ["--preset", preset] if codec == "entropy" else []
            prune("convert", plain, path, "--force", "--codec", codec, *flags)
            assert_same(self, load(plain), load(path))

    @unittest.skipUnless(LONG, "a long form, which .ci/full runs")
    def test_matrices_of_the_size_of_bert_base(self):
        import h5py

        path = self.folder / "base.prune"
        prune("convert", GOLDEN / "base" / "squad_sparse.h5", path, "--codec", "entropy")
        model = load(path)
        seen = 0
        with h5py.File(GOLDEN / "base" / "squad_sparse.h5") as golden:
            for name in model:
                if name.endswith(("int_repr.data", "int_repr.indices", "int_repr.indptr")):
                    self.assertTrue(np.array_equal(model[name], golden[name][()]), name)
                    seen += 1
        self.assertGreater(seen, 200)

    def test_a_bundle_with_a_base(self):
        names = ("tiny", "narrow")
        both = self.folder / "both.prune"
        for name in names:
            shutil.copy(packed(name, "entropy"), self.folder / f"{name}.prune")
        base = self.folder / "tiny.prune"
        prune("bundle", *(self.folder / f"{name}.prune" for name in names), "-o", both, "--base", base)
        with self.assertRaises(PruneError) as caught:
            load(both)
        self.assertEqual(caught.exception.code, "invalid-argument")
        self.assertEqual(str(caught.exception), f"{both}: the file holds 2 models, wanted one of tiny, narrow")
        for name in names:
            model = load(f"{both}#{name}")
            self.assertEqual((model.name, model.models), (name, names))
            assert_same(self, model, load(self.folder / f"{name}.prune"))
        self.assertEqual(load(both, model="narrow").name, "narrow")
        integrity = load(both, model="tiny").integrity
        load(both, model="tiny", integrity=integrity)
        with self.assertRaises(PruneError) as caught:
            load(both, model="tiny", integrity="sha256-" + "A" * 43 + "=")
        self.assertEqual(caught.exception.code, "mismatch")
        alone = self.folder / "elsewhere"
        alone.mkdir()
        shutil.copy(both, alone / "both.prune")
        with self.assertRaises(PruneError) as caught:
            load(alone / "both.prune", model="tiny")
        self.assertEqual(caught.exception.code, "missing")
        self.assertIn("is missing", str(caught.exception))
        load(alone / "both.prune", model="tiny", find_base=lambda _: base)

    def test_quantized_modules(self):
        model = load(packed("tiny"))
        modules = model.quantized()
        linear = modules["bert.encoder.layer.0.attention.self.query"]
        part = "bert.encoder.layer.0.attention.self.query._packed_params.weight."
        dense = linear.weight.toarray()
        self.assertEqual(int((dense != 0).sum()), model[f"{part}int_repr.data"].size)
        self.assertTrue(np.array_equal(dense[dense != 0], model[f"{part}int_repr.data"]))
        self.assertEqual(linear.scales.tolist(), [float(model[f"{part}scale"])])
        weight = model.matrices()["bert.encoder.layer.0.attention.self.query"]
        self.assertTrue(np.array_equal(weight.toarray(), dense))
        self.assertTrue(isinstance(weight, CsrMatrix) or type(weight).__module__.startswith("scipy"))

    def test_what_is_not_there(self):
        with self.assertRaises(PruneError) as caught:
            load(self.folder / "none.prune")
        self.assertEqual(caught.exception.code, "missing")
        with self.assertRaises(PruneError) as caught:
            load(FIXTURES)
        self.assertEqual((caught.exception.code, caught.exception.what), ("io", "not a regular file"))


if __name__ == "__main__":
    unittest.main()
