"""State dicts of PyTorch: equal to the goldens bit for bit, in both directions. Skipped without torch."""

import unittest
import warnings

import numpy as np
from support import GOLDEN, TemporaryFolderCase, packed, prune

from prune_format import Metadata, PruneError, QuantizedEmbedding, load, save, state_dict

try:
    import torch
except ImportError:
    torch = None

QUANTIZED = GOLDEN / "quantized"


class WithoutTorch(unittest.TestCase):
    @unittest.skipUnless(torch is None, "torch is here")
    def test_says_that_torch_is_missing(self):
        with self.assertRaises(PruneError) as caught:
            state_dict(packed("tiny"))
        self.assertEqual((caught.exception.code, caught.exception.what), ("missing", "torch is not installed"))


@unittest.skipIf(torch is None, "torch is not installed")
class Torch(TemporaryFolderCase):
    def setUp(self):
        warnings.simplefilter("ignore")

    def pack(self, name):
        path = self.folder / f"{name}.prune"
        prune("pack", QUANTIZED / name, "-o", path, "--force", "--codec", "entropy")
        return path

    def assert_same_tensor(self, got, want, name):
        if want is None:
            self.assertIsNone(got, name)
            return
        self.assertEqual((got.dtype, got.shape, got.is_quantized), (want.dtype, want.shape, want.is_quantized), name)
        if not want.is_quantized:
            self.assertTrue(torch.equal(got, want), name)
            return
        self.assertEqual(got.qscheme(), want.qscheme(), name)
        self.assertTrue(torch.equal(got.dequantize(), want.dequantize()), name)
        if want.qscheme() == torch.per_tensor_affine:
            self.assertEqual((got.q_scale(), got.q_zero_point()), (want.q_scale(), want.q_zero_point()), name)
        else:
            self.assertTrue(torch.equal(got.q_per_channel_scales(), want.q_per_channel_scales()), name)
            self.assertTrue(torch.equal(got.q_per_channel_zero_points(), want.q_per_channel_zero_points()), name)
        self.assertTrue(torch.equal(got.int_repr(), want.int_repr()), name)

    def test_quantized_goldens(self):
        for name in ("per_tensor.bin", "per_channel.bin", "embeddings.bin"):
            with self.subTest(name):
                want = torch.load(QUANTIZED / name, weights_only=False)
                got = state_dict(self.pack(name))
                self.assertEqual(sorted(got), sorted(want))
                self.assertEqual(got._metadata, want._metadata)
                for key, value in want.items():
                    if isinstance(value, tuple):
                        for one, other in zip(got[key], value):
                            self.assert_same_tensor(one, other, key)
                    elif isinstance(value, torch.Tensor):
                        self.assert_same_tensor(got[key], value, key)
                    else:
                        self.assertEqual(got[key], value)

    def test_written_again(self):
        names = ("per_tensor.bin", "per_channel.bin", "embeddings.bin", "torch14.bin", "torch15.bin", "elementary.pt")
        for name in names:
            with self.subTest(name):
                theirs, ours = self.pack(name), self.folder / "ours.prune"
                save(ours, torch.load(QUANTIZED / name, weights_only=False), codec="entropy", force=True)
                self.assertEqual(ours.read_bytes(), theirs.read_bytes())
                model = load(theirs)
                save(ours, state_dict(model), metadata=model.metadata, codec="entropy", force=True)
                self.assertEqual(ours.read_bytes(), theirs.read_bytes())

    def test_a_model_takes_the_state_dict(self):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 3))
        quantized = torch.quantization.quantize_dynamic(net, {torch.nn.Linear}, dtype=torch.qint8)
        save(self.folder / "net.prune", quantized.state_dict())
        again = torch.quantization.quantize_dynamic(
            torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 3)), dtype=torch.qint8
        )
        loaded = again.load_state_dict(state_dict(self.folder / "net.prune"))
        self.assertEqual(str(loaded), "<All keys matched successfully>")
        x = torch.randn(5, 20)
        self.assertTrue(torch.equal(again(x), quantized(x)))
        floats = torch.nn.Sequential(torch.nn.Linear(20, 30), torch.nn.ReLU(), torch.nn.Linear(30, 3))
        floats.load_state_dict(state_dict(self.folder / "net.prune", dequantize=True))
        self.assertTrue(torch.equal(floats[0].weight, quantized[0].weight().dequantize()))

    def test_tables_of_four_bits(self):
        for columns in (6, 7):
            codes = np.arange(5 * columns).reshape(5, columns) % 16
            padded = np.pad(codes, ((0, 0), (0, columns % 2)))
            packed_codes = (padded[:, 0::2] | padded[:, 1::2] << 4).astype("u1")
            scales, zeros = np.linspace(0.5, 2, 5).astype("<f4"), np.linspace(0, 3, 5).astype("<f4")
            table = QuantizedEmbedding(4, (5, columns), packed_codes, scales, zeros)
            path = self.folder / f"four-{columns}.prune"
            save(path, {"x": table}, metadata=Metadata())
            state = state_dict(path)
            self.assertEqual(state["x._packed_params.dtype"], torch.quint4x2)
            save(self.folder / "again.prune", state, metadata=Metadata(), force=True)
            self.assertEqual((self.folder / "again.prune").read_bytes(), path.read_bytes())
            if columns % 2 == 0:
                # torch itself reads the codes of an even number of columns only.
                weight = state["x._packed_params._packed_weight"]
                self.assertTrue(np.array_equal(weight.dequantize().numpy(), table.dequantize()))

    def test_bfloat16(self):
        value = torch.randn(90, 3).to(torch.bfloat16)
        save(self.folder / "bfloat16.prune", {"a": value, "b": torch.tensor(True), "c": torch.tensor(2.5)})
        state = state_dict(self.folder / "bfloat16.prune")
        self.assertTrue(torch.equal(state["a"], value))
        self.assertEqual((state["b"].dtype, state["c"].item()), (torch.bool, 2.5))


if __name__ == "__main__":
    unittest.main()
