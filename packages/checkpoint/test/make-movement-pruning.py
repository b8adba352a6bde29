"""Makes golden/movement-pruning.json: masks and products by torch, as emmental/modules/binarizer.py and bertarize.py compute them."""

import json

import torch

torch.manual_seed(7)


def shortest(x):
    """The shortest decimals that read back as the same float32."""
    return [float(str(value)) for value in x.flatten().numpy()]


def top_k(x, threshold):
    mask = torch.zeros_like(x)
    # stable: what an unstable sort does with ties is not defined.
    order = x.flatten().sort(descending=True, stable=True).indices
    mask.view(-1)[order[: int(threshold * x.numel())]] = 1
    return mask


def above(scores, threshold):
    n = scores.numel()
    least = int(0.005 * n) + 1
    mask = (torch.sigmoid(scores) > threshold).float()
    if mask.sum() < least:
        bar = scores.flatten().kthvalue(max(n - least, 1)).values
        mask = (scores > bar).float()
    return mask


def case(name, scores, weight, method, threshold=None):
    if method == "topK":
        mask = top_k(scores, threshold)
    elif method == "magnitude":
        mask = top_k(weight.abs(), threshold)
    elif method == "sigmoied_threshold":
        mask = above(scores, threshold)
    else:
        mask = (torch.sigmoid(scores) * (1.1 - -0.1) + -0.1).clamp(min=0.0, max=1.0)
    return {
        "name": name,
        "method": method,
        "threshold": threshold,
        "shape": list(weight.shape),
        "scores": shortest(scores),
        "weight": shortest(weight),
        "pruned": shortest(weight * mask),
    }


scores, weight = torch.randn(11, 13) * 4, torch.randn(11, 13)
ties = torch.randint(-2, 3, (11, 13)).float()
ties[0, 0] = -0.0
cases = [
    case("a tenth", scores, weight, "topK", 0.1),
    case("int(0.29 * 143) = 41", scores, weight, "topK", 0.29),
    case("all", scores, weight, "topK", 1.0),
    case("none", scores, weight, "topK", 0.0),
    case("ties", ties, weight, "topK", 0.5),
    case("a tenth", scores, weight, "magnitude", 0.1),
    case("tied weights", scores, ties, "magnitude", 0.3),
    case("a tenth", scores, weight, "sigmoied_threshold", 0.1),
    case("scores at the threshold", torch.zeros(3, 5), weight[:3, :5].contiguous(), "sigmoied_threshold", 0.5),
    case("half a percent at least", torch.randn(10, 30), torch.randn(10, 30), "sigmoied_threshold", 0.999),
    case("half a percent, tied", torch.randint(-2, 3, (10, 30)).float(), torch.randn(10, 30), "sigmoied_threshold", 0.999),
    case("one element", torch.full((1, 1), -9.0), torch.ones(1, 1), "sigmoied_threshold", 0.5),
    case("fractional masks", scores, weight, "l0"),
]
with open("golden/movement-pruning.json", "w") as file:
    json.dump({"torch": torch.__version__, "cases": cases}, file, separators=(",", ":"))
