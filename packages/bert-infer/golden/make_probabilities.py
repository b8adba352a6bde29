"""Makes probabilities.json: what softmax, classify, classifyTokens and answer should give.

Everything is computed with 60 decimal digits and rounded to float64 once, at the end. The scores are given here, the
logits are PyTorch's in heads.npz and golden/tiny.
Run: python make_probabilities.py       Needs numpy, to read .npz; made with Python 3.11.
"""
import json, os
from decimal import Decimal, getcontext
import numpy as np

getcontext().prec = 60
here = os.path.dirname(os.path.abspath(__file__))
heads = np.load(os.path.join(here, "heads.npz"))
tiny = np.load(os.path.join(here, "../../../tooling/fixtures/golden/tiny/logits.npz"))


def softmax(scores):
    powers = [Decimal(score).exp() for score in scores]
    return [float(power / sum(powers)) for power in powers]


def sigmoid(score):
    return float(1 / (1 + (-Decimal(score)).exp()))


def floats(row):
    return [float(value) for value in row]


# JSON has no infinity: scores are strings.
SCORES = {
    "nothing": [],
    "one": ["-3.25"],
    "equal": ["7.5", "7.5", "7.5"],
    "small": ["0.5", "-0.25", "1.75", "0"],
    "large": ["1000", "999.5", "998"],
    "large and negative": ["-1000", "-1001.25", "-1000.5"],
    "far apart": ["700", "0", "-5"],
    "with -Infinity": ["0.5", "-Infinity", "-0.5"],
}

# Logits of whole sequences. Softmax is for labels that exclude each other, sigmoid for labels that do not.
SEQUENCES = {
    f"{name} {row}": heads[f"{name}.float.logits"][row]
    for name in ("bert-sequence", "distilbert-sequence")
    for row in range(3)
}
SEQUENCES |= {"equal": [2.5, 2.5, 2.5], "large": [1000, 40, -1000]}

# Each token's best label: row 2 of bert-token has all three.
TOKENS = heads["bert-token.float.logits"][2]


def best_label(logits):
    best = max(range(len(logits)), key=lambda label: logits[label])
    return {"label": "abc"[best], "score": softmax(floats(logits))[best]}


# Two windows of 48 tokens over a context of 63, whose logits are the first two rows of golden/tiny.
WINDOWS = [{"row": 0, "first": 0}, {"row": 1, "first": 20}]
BEGIN, END, CONTEXT, CANDIDATES, LONGEST = 4, 47, 63, 20, 30


def answers():
    scores, none = {}, []
    for window in WINDOWS:
        start, end = (floats(tiny[f"fbgemm.{which}"][window["row"]]) for which in ("start", "end"))
        none.append(start[0] + end[0])
        starts, ends = (sorted(range(48), key=lambda at: -logits[at])[:CANDIDATES] for logits in (start, end))
        for s in starts:
            for e in ends:
                if BEGIN <= s <= e < END and e - s < LONGEST:
                    place = (s - BEGIN + window["first"], e - BEGIN + window["first"])
                    scores[place] = max(scores.get(place, float("-inf")), start[s] + end[e])
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    print(len(ranked), "spans;", "windows' no-answer scores:", none)

    def result(count, no_answer):
        kept = ranked[:count]
        probabilities = softmax([score for _, score in kept] + ([min(none)] if no_answer else []))
        spans = [
            {"first": first, "last": last, "score": score, "probability": probability}
            for ((first, last), score), probability in zip(kept, probabilities)
        ]
        return {"spans": spans, "none": {"score": min(none), "probability": probabilities[-1]} if no_answer else None}

    # The 20 best spans are the candidates; 40 when 40 answers are asked for; "no answer" is one more candidate.
    return {"windows": WINDOWS, "20": result(20, False), "40": result(40, False), "20 and none": result(20, True)}


golden = {
    "softmax": [{"name": name, "scores": scores, "probabilities": softmax(scores)} for name, scores in SCORES.items()],
    "sequences": [
        {
            "name": name,
            "logits": floats(row),
            "softmax": softmax(floats(row)),
            "sigmoid": [sigmoid(value) for value in floats(row)],
        }
        for name, row in SEQUENCES.items()
    ],
    "tokens": {"logits": [floats(row) for row in TOKENS], "best": [best_label(row) for row in TOKENS]},
    "answers": answers(),
}
with open(os.path.join(here, "probabilities.json"), "w") as out:
    json.dump(golden, out, indent=1)
    out.write("\n")
