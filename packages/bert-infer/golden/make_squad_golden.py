"""Makes squad.json.gz: answers normalized and scored by the official evaluation's functions (evaluate-v1.1.py, evaluate-v2.0.py).

The functions below are copied from those scripts (https://rajpurkar.github.io/SQuAD-explorer/, CC BY-SA 4.0).
Run: python make_squad_golden.py       Made with Python 3.11.
"""
import collections, gzip, json, os, random, re, string

here = os.path.dirname(os.path.abspath(__file__))

def normalize_answer(s):
    def remove_articles(text):
        regex = re.compile(r'\b(a|an|the)\b', re.UNICODE)
        return re.sub(regex, ' ', text)
    def white_space_fix(text):
        return ' '.join(text.split())
    def remove_punc(text):
        exclude = set(string.punctuation)
        return ''.join(ch for ch in text if ch not in exclude)
    def lower(text):
        return text.lower()
    return white_space_fix(remove_articles(remove_punc(lower(s))))

def f1_v1(prediction, ground_truth):
    prediction_tokens = normalize_answer(prediction).split()
    ground_truth_tokens = normalize_answer(ground_truth).split()
    common = collections.Counter(prediction_tokens) & collections.Counter(ground_truth_tokens)
    num_same = sum(common.values())
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(prediction_tokens)
    recall = 1.0 * num_same / len(ground_truth_tokens)
    return (2 * precision * recall) / (precision + recall)

def f1_v2(a_gold, a_pred):
    gold_toks = normalize_answer(a_gold).split() if a_gold else []
    pred_toks = normalize_answer(a_pred).split() if a_pred else []
    common = collections.Counter(gold_toks) & collections.Counter(pred_toks)
    num_same = sum(common.values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(pred_toks)
    recall = 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)

rng = random.Random(20261124)
words = ["the", "The", "a", "A", "an", "AN", "thé", "a\u0301", "cat", "Cat's", "dog", "ΑΣ", "İ", "ß", "ﬁ", "1,234", "U.S.A.", "½", "²", "x_a", "a-b", "the.", "「the」",
         "12th", "—", "a\u00a0b", "\u001c", "\u0085", "\ufeff", "\u200b", "\u3000", "the\u2028an", "日本", "ǅ", "'a'", "a1", "_a_", "٣a", "$5", "an/the", "  ", "\t", "Ⅷ", "aͅ", "ⓐ", "a\u20dd"]
texts = [""] + words + [rng.choice(["", " ", "-", ""]).join(rng.choice(words) + rng.choice(["", " "]) for _ in range(rng.randrange(1, 8))) for _ in range(300)]
pairs = []
for _ in range(500):
    gold = [rng.choice(texts) for _ in range(rng.randrange(1, 4))]
    prediction = rng.choice(texts + gold * 100)
    pairs.append({
        "prediction": prediction, "gold": gold,
        "exact": max(int(normalize_answer(g) == normalize_answer(prediction)) for g in gold),
        "f1_v1": max(f1_v1(prediction, g) for g in gold),
        "f1_v2": max(f1_v2(g, prediction) for g in gold),
    })
golden = {"normalized": [[t, normalize_answer(t)] for t in texts], "pairs": pairs}
with open(os.path.join(here, "squad.json.gz"), "wb") as out:
    out.write(gzip.compress(json.dumps(golden, separators=(",", ":")).encode(), 9, mtime=0))
