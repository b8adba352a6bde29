"""Makes tokenizer.json.gz (texts with ids and offsets) and ../src/unicode-classes.ts from the tokenizer that is to be matched.

Run: python make_tokenizer_golden.py ../../../models/mini-qa/vocab.txt
Made with transformers 4.57.6, tokenizers 0.22.2, Python 3.11.
"""
import gzip, hashlib, json, os, random, sys
from tokenizers import normalizers, pre_tokenizers
from transformers import BertTokenizerFast, __version__ as transformers_version
import tokenizers

here = os.path.dirname(os.path.abspath(__file__))
vocab = sys.argv[1]
ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]

# 1. The character classes that the tokenizer uses: its Rust crates carry the tables of Unicode 8, every JavaScript engine newer ones.
def normalizer(**on):
    off = dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    return normalizers.BertNormalizer(**{**off, **on})

clean, strip = normalizer(clean_text=True), normalizer(strip_accents=True)
split = pre_tokenizers.BertPreTokenizer()
between = lambda normal, c: normal.normalize_str(f"a{chr(c)}b")[1:-1]
classes = {
    "CONTROL": ([c for c in ALL if between(clean, c) == ""], "removed by `clean_text`"),
    "MARK": ([c for c in ALL if between(strip, c) == ""], "removed by `strip_accents` (nonspacing marks)"),
    "PUNCTUATION": ([c for c in ALL if len(split.pre_tokenize_str(f"a{chr(c)}b")) == 3], "a token of its own"),
}
lines = [
    "// Made by golden/make_tokenizer_golden.py from tokenizers %s: classes as its Rust crates have them (Unicode 8), so that a text has" % tokenizers.__version__,
    "// the same tokens in every engine and in Python. The engine's own \\p{Mn}, \\p{P} and \\p{C} differ in 672 code points (Unicode 17).",
    "// Ranges ascending, two base-36 numbers each: the gap since the range before, and the length.",
    "",
]
for name, (members, what) in classes.items():
    parts, end, i = [], 0, 0
    while i < len(members):
        j = i
        while j + 1 < len(members) and members[j + 1] == members[j] + 1:
            j += 1
        base36 = lambda n: ("" if n < 36 else base36(n // 36)) + "0123456789abcdefghijklmnopqrstuvwxyz"[n % 36]
        parts += [base36(members[i] - end), base36(members[j] - members[i] + 1)]
        end, i = members[j] + 1, j + 1
    lines += [f"/** Code points {what}. */", f"export const {name} =", f"  '{' '.join(parts)}';", ""]
with open(os.path.join(here, "../src/unicode-classes.ts"), "w") as out:
    out.write("\n".join(lines[:-1]) + "\n")

# 2. Every code point of the planes that have characters, through normalizer and pre-tokenizer, as one hash.
PLANES = [c for c in ALL if c < 0x32000 or 0xE0000 <= c < 0xE1000 or 0xFFF00 <= c < 0x100100]
digest = hashlib.sha256()
whole = normalizer(clean_text=True, handle_chinese_chars=True, strip_accents=True, lowercase=True)
for c in PLANES:
    words = [w for w, _ in split.pre_tokenize_str(whole.normalize_str(f"a{chr(c)}b"))]
    digest.update("\x1f".join(words).encode() + b"\x1e")

# 3. Texts.
texts = [
    "", " ", "\t\n", "a", "Hello, world!", "The quick brown fox jumps over the lazy dog.",
    "Café déjà vu — naïve façade, Ångström, Łódź, Ünïcödé", "Cafe\u0301 de\u0301ja\u0300 vu: combining e\u0301\u0323 o\u0308\u0301 marks\u0301",
    "İstanbul DİYARBAKIR ıI ßẞ ΑΣ ΣΑΣ ς ﬁ ﬂ Ⅷ ½ K Å", "日本語のテキスト中文字符混ぜるABC漢字123", "한국어 텍스트 형태소 각하",
    "𠀀𠀁 CJK extension B 𪛖𫝀 and 豈更 compatibility 丽", "emoji 😀 👨‍👩‍👧‍👦 🇩🇪 👍🏽 ❤️ text😀text",
    "zero\u200bwidth\u200djoin soft\u00adhyphen bom\ufeff nbsp\u00a0here em\u2003space line\u2028sep \u3000wide",
    "control\x00\x01\x1f\x7f\x85 chars \ufffd replacement \ue000private", "tabs\tand\nnewlines\r\nand\x0bvt\x0cff",
    "don't can't it's I'm we've they'll you're 'quoted' \"double\" `back`", "$100.00 €50 £30 ¥20 50% #hash @user a_b a-b a/b a\\b a|b a+b=c ~x^2",
    "https://example.org/path?query=1&x=2#frag mail@example.org", "word" * 30 + " x", "a" * 99 + " " + "a" * 100 + " " + "a" * 101, "é" * 101,
    "[CLS] a [SEP] b [MASK] c [UNK] d [PAD]", "[MASK][MASK] x[MASK]y [mask] [ CLS ]", "##ing ##s # #",
    "मराठी हिन्दी বাংলা தமிழ் ไทย العربية עִבְרִית فارسی", "e\u0300\u0301\u0302\u0303\u0304", "\u0301leading mark", "a\u0301", "\u0301", " \u0301 x",
    "Ǆ ǅ ǆ Ω Ω µ μ ſ ꟹ", "𝐁𝐨𝐥𝐝 𝒮cript 𝔉raktur ①②③ ⁴⁵⁶ ㎏ ㍿", "№ ™ © ® … – — ‘ ’ “ ” • · ‣ ※ † ‡ § ¶", "1,234.56 3.14159 1e-5 0x1F -40°C 76.5 °F",
    "Ā\u0304 ộ ở ữ Việt Nam tiếng Việt", "x\u0489y z\u20e3 \u20dd", "‮right to left‬", "  leading and trailing  ", "a\u0345b \u1e9e", "\U0001f1fa\U0001f1f8USA",
    "supplementary 𐍈 𝕏 🀄 lone", "Spın̈al Tap ͠x", "\u0958\u0929 composed exclusions \ufb2a\ufb1d", "\u1734 \u180f \u0890 \U00013430 \u2e52 \u166d newer Unicode",
]
rng = random.Random(20261124)
pools = [
    lambda: chr(rng.randrange(32, 127)), lambda: chr(rng.randrange(0xA0, 0x250)), lambda: chr(rng.randrange(0x300, 0x370)),
    lambda: chr(rng.randrange(0x370, 0x600)), lambda: chr(rng.randrange(0x2000, 0x2070)), lambda: chr(rng.randrange(0x4E00, 0x4E80)),
    lambda: chr(rng.randrange(0xAC00, 0xAD00)), lambda: chr(rng.randrange(0x1F300, 0x1F600)), lambda: chr(rng.randrange(0x20000, 0x20050)),
    lambda: rng.choice([" ", "\t", "\n", "the", "Paris", "ing", "'", "é", "E\u0301", "[MASK]", "naïve"]),
]
for _ in range(160):
    some = rng.sample(pools, rng.randrange(1, 5)) + [pools[0], pools[9]]
    texts.append("".join(rng.choice(some)() for _ in range(rng.randrange(1, 60))))
questions = ["Where is it?", "Who wrote 『吾輩は猫である』?", "", "Ünder what [MASK] name?"]

def utf16(text):
    at = [0]
    for char in text:
        at.append(at[-1] + (2 if ord(char) > 0xFFFF else 1))
    return at

def encode(tokenizer, *pair):
    encoded = tokenizer(*pair, return_offsets_mapping=True, return_token_type_ids=True)
    maps = [utf16(text) for text in pair]
    offsets = [[0, 0] if s is None else [maps[s][a], maps[s][b]] for s, (a, b) in zip(encoded.sequence_ids(), encoded["offset_mapping"])]
    return {"ids": encoded["input_ids"], "offsets": [n for o in offsets for n in o], "types": encoded["token_type_ids"]}

settings = {
    "uncased": dict(do_lower_case=True),
    "cased": dict(do_lower_case=False),
    "cased-stripped": dict(do_lower_case=False, strip_accents=True),
    "lower-accents-no-cjk": dict(do_lower_case=True, strip_accents=False, tokenize_chinese_chars=False),
}
golden = {"made_by": f"transformers {transformers_version} BertTokenizerFast, tokenizers {tokenizers.__version__}", "every_code_point": digest.hexdigest(), "texts": texts, "settings": {}}
for name, options in settings.items():
    tokenizer = BertTokenizerFast(vocab_file=vocab, **options)
    few = texts if name == "uncased" else texts[:90]
    golden["settings"][name] = {
        "config": options,
        "single": [encode(tokenizer, text) for text in few],
        "pairs": [{"a": a, "b": b, **encode(tokenizer, a, b)} for a in questions for b in (texts[6], texts[9], texts[12])] if name == "uncased" else [],
    }
with open(os.path.join(here, "tokenizer.json.gz"), "wb") as out:
    out.write(gzip.compress(json.dumps(golden, separators=(",", ":")).encode(), 9, mtime=0))
