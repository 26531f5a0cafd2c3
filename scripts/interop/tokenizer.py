"""Tokenizers of rapt, loaded by Hugging Face's tokenizers and transformers: usage: tokenizer.py PROGRAM

Trains one of each kind, exports it, and compares the ids and texts of many lines; then imports tokenizers that Hugging
Face wrote. Finally compares BERT's tokenizer and Unigram on random characters.
"""
import gzip
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

import tokenizers
import transformers

KINDS = {"byte-bpe": ["--vocab", "600"], "bpe": ["--vocab", "400", "--lowercase"], "char": [], "byte": [],
         "wordpiece": ["--vocab", "500", "--lowercase"], "wordpiece-cased": ["--vocab", "500"]}
SPECIAL = "<|endoftext|>"
ENGLISH = ("The keeper of the lamp climbed the stairs before dawn, because the fog had come in from the sea. "
           "\"Who's there?\" asked the boy; he didn't like it. In 1874 the harbour froze, and 312 ships lay in the ice. "
           "naïve café — ÅNGSTRÖM, straße, Ελλάδα, Россия, 東京, 12½ €").split(" ")


def lines(count: int) -> list[str]:
    """Sentences, and runs of difficult characters; only characters that have long been in Unicode."""
    chance = random.Random(4)
    odd = list("  \t'\"!?.,-_#<|>/&@ 0123456789½²ⅷ٣abcABCsStTmMdDlLvVrReE\u00a0\u3000éÉßſıŁŒ中日語ひカ한́ñ🙂🚀")
    out = ["", " ", "   ", "trail  ", "  lead", "it's 'tis we'LL they'll''s", SPECIAL, f"a{SPECIAL} b <|endof"]
    for _ in range(count):
        words = chance.choices(ENGLISH, k=chance.randrange(1, 12))
        if chance.random() < 0.7:
            words.insert(chance.randrange(len(words) + 1), "".join(chance.choices(odd, k=chance.randrange(1, 20))))
        if chance.random() < 0.1:
            words.insert(chance.randrange(len(words) + 1), SPECIAL)
        out.append(chance.choice(["", " ", "  "]).join(words))
    return out


def rapt(program: str, *arguments: str, text: str = "") -> str:
    done = subprocess.run([program, "tokenizer", *arguments], input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, f"rapt tokenizer {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode()


def encode(program: str, path: pathlib.Path, texts: list[str]) -> list[list[int]]:
    out = rapt(program, "encode", "--tokenizer", str(path), text="".join(text + "\n" for text in texts))
    return [[int(id) for id in line.split()] for line in out.split("\n")[:-1]]


def compare(name: str, ours: list[list[int]], theirs: list[list[int]], texts: list[str]) -> None:
    assert len(ours) == len(theirs) == len(texts), (name, len(ours), len(texts))
    for mine, other, text in zip(ours, theirs, texts):
        assert mine == other, f"{name}: {text!r}: rapt {mine}, Hugging Face {other}"


def check_kind(program: str, kind: str, texts: list[str], folder: pathlib.Path) -> None:
    corpus, path, exported = folder / "text.txt", folder / f"{kind}.json", folder / kind
    corpus.write_text("\n".join(texts), encoding="utf-8")
    learnt = kind.removesuffix("-cased")
    rapt(program, "train", str(corpus), "--type", learnt, "--special", SPECIAL, "--out", str(path), *KINDS[kind])
    rapt(program, "export", str(path), "--format", "hf", "--out", str(exported))
    ours = encode(program, path, texts)

    theirs = tokenizers.Tokenizer.from_file(str(path))
    compare(kind, ours, [theirs.encode(text, add_special_tokens=False).ids for text in texts], texts)
    auto = transformers.AutoTokenizer.from_pretrained(exported)
    compare(kind + " (AutoTokenizer)", ours, [auto(text, add_special_tokens=False)["input_ids"] for text in texts],
            texts)
    assert auto.eos_token == SPECIAL, auto.eos_token

    ids = "".join(" ".join(map(str, line)) + "\n" for line in ours)
    decoded = rapt(program, "decode", "--tokenizer", str(path), text=ids).split("\n")[:-1]
    assert decoded == [theirs.decode(line, skip_special_tokens=False) for line in ours], kind
    if learnt in ("byte-bpe", "char", "byte"):
        assert decoded == texts, kind
    if learnt == "wordpiece":
        assert auto("a b", "c")["token_type_ids"] == theirs.encode("a b", "c").type_ids, kind
        check_vocabulary_text(program, path, folder / f"{kind}-text", texts, ours)

    again = folder / f"{kind}-again.json"
    theirs.save(str(again))
    compare(kind + " (written by tokenizers)", encode(program, again, texts), ours, texts)
    print(f"  {kind}: {theirs.get_vocab_size()} tokens, {len(texts)} lines")


def check_vocabulary_text(program: str, path: pathlib.Path, exported: pathlib.Path, texts: list[str],
                          ours: list[list[int]]) -> None:
    """BERT's file, vocab.txt, has no added tokens except BERT's own."""
    rapt(program, "export", str(path), "--format", "bert", "--out", str(exported))
    plain = [(ids, text) for ids, text in zip(ours, texts) if SPECIAL not in text]
    auto = transformers.AutoTokenizer.from_pretrained(exported)
    compare("vocab.txt", [ids for ids, _ in plain],
            [auto(text, add_special_tokens=False)["input_ids"] for _, text in plain], [text for _, text in plain])
    compare("vocab.txt (rapt)", [ids for ids, _ in plain], encode(program, exported, [text for _, text in plain]),
            [text for _, text in plain])


# Hugging Face's tables of categories are those of Unicode 8, ours those of Unicode 15, in which these characters have
# changed categories: U+166D a symbol instead of punctuation, U+1734 a spacing mark instead of one without width, U+1885,
# U+1886 and U+A9BD marks without width instead of letters and a spacing mark, U+111C9 a mark instead of punctuation.
# U+1CF2 and U+1CF3 letters instead of marks.
OTHER_SINCE_UNICODE_8 = "\u166d\u1734\u1885\u1886\u1cf2\u1cf3\ua9bd\U000111c9"


def characters_of_unicode_8() -> list[str]:
    """Characters assigned by then, without surrogates; Perl knows the version in which each was assigned."""
    find = r'no warnings; for (0..0x10FFFF) { print "$_ " if chr =~ /\p{Present_In: 8.0}/ and chr !~ /\p{Cs}/ }'
    done = subprocess.run(["perl", "-e", find], capture_output=True, check=True)
    return [chr(int(code)) for code in done.stdout.split()]


def check_bert(program: str, lowercase: bool, count: int, folder: pathlib.Path) -> None:
    """Ids of random strings, with a vocabulary in which each character has an entry at a word's start and inside."""
    known = [c for c in characters_of_unicode_8() if c not in "\r\n" + OTHER_SINCE_UNICODE_8]
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [form for c in known for form in (c, "##" + c)]
    folder.mkdir()
    (folder / "vocab.txt").write_bytes("".join(token + "\n" for token in tokens).encode())
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lowercase}))

    chance = random.Random(8)
    early = [c for c in known if c < "\u3000"]
    marks = [c for c in known if unicodedata.category(c)[0] == "M"]
    kinds = [known, early, marks, list("abcXYZ .,-'\t")]
    texts = ["".join(chance.choice(chance.choices(kinds, [3, 3, 2, 2])[0]) for _ in range(chance.randrange(1, 24)))
             for _ in range(count)]
    theirs = tokenizers.BertWordPieceTokenizer({token: i for i, token in enumerate(tokens)}, lowercase=lowercase)
    compare(f"bert, lowercase={lowercase}", encode(program, folder, texts),
            [encoding.ids for encoding in theirs.encode_batch(texts, add_special_tokens=False)], texts)
    print(f"  bert, {'lower case' if lowercase else 'cased'}: {count} random strings of {len(known)} characters")


def replace(pattern: dict[str, str], content: str) -> dict:
    return {"type": "Replace", "pattern": pattern, "content": content}


def unigram_files() -> dict[str, dict]:
    """A tokenizer.json for each combination of normaliser, pre-tokenizer and decoder in such files."""
    chance = random.Random(3)
    pieces = {"<unk>": 0.0, "</s>": 0.0, "\u2581": -2.0}
    pieces |= {c: chance.uniform(-12, -6) for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ.,'-\u00e9\u0301\u4eac"}
    for word in ENGLISH:
        for begin in range(len(word)):
            part = word[begin:begin + chance.randrange(2, 6)]
            pieces.setdefault(part if begin else "\u2581" + part, round(chance.uniform(-14, -5), chance.randrange(0, 17)))
    pieces |= {"--": 2 * pieces["-"], "---": 3 * pieces["-"]}  # ways of equal sums
    space, runs = "\u2581", {"Regex": " {2,}"}
    metaspace = {"type": "Metaspace", "replacement": space, "prepend_scheme": "always", "split": True}
    strip = {"type": "Strip", "strip_left": False, "strip_right": True}
    joined = {"type": "Sequence", "decoders": [
        replace({"String": "<unk>"}, " ? "), replace({"String": space}, " "), {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    parts = {  # normalisers, words, decoder, bytes for what is unknown
        "trained": ([{"type": "Nmt"}, {"type": "NFKC"}, replace(runs, " ")], metaspace, metaspace, False),
        "albert": ([replace({"String": "''"}, '"'), {"type": "NFKD"}, {"type": "StripAccents"}, {"type": "Lowercase"}],
                   {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, metaspace]}, metaspace, False),
        "llama": ([{"type": "Prepend", "prepend": space}, replace({"String": " "}, space)], None, joined, True),
        "first": ([strip, replace(runs, space)], metaspace | {"prepend_scheme": "first"}, joined, True),
        "whole": ([strip | {"strip_left": True}], metaspace | {"split": False}, metaspace, False),
        "words": ([replace({"Regex": r"\s+"}, " ")], {"type": "Sequence", "pretokenizers": [
            {"type": "Whitespace"}, metaspace | {"prepend_scheme": "never"}]}, metaspace, False)}
    t5 = pathlib.Path(__file__).resolve().parents[3] / "shared/data/tokenizers/t5/t5-small-tokenizer.json.gz"
    files = {}
    if t5.exists():
        files["t5"] = json.loads(gzip.decompress(t5.read_bytes()))
        table = files["t5"]["normalizer"]
        parts["xlm-r"] = ([table, strip, replace(runs, space)], metaspace, metaspace, False)
    for name, (normalizers, words, decoder, as_bytes) in parts.items():
        vocabulary = list(pieces.items()) + ([[f"<0x{byte:02X}>", -20.0] for byte in range(256)] if as_bytes else [])
        special = [{"id": i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
                    "normalized": False, "special": True} for i, text in enumerate(["<unk>", "</s>"])]
        files[name] = {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": special,
            "normalizer": {"type": "Sequence", "normalizers": normalizers}, "pre_tokenizer": words,
            "post_processor": None, "decoder": decoder,
            "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": as_bytes, "vocab": vocabulary}}
    return files


def check_unigram(program: str, name: str, parts: dict, folder: pathlib.Path, count: int) -> None:
    path, again = folder / f"{name}.json", folder / f"{name}-again.json"
    path.write_text(json.dumps(parts), encoding="utf-8")
    theirs = tokenizers.Tokenizer.from_file(str(path))
    chance = random.Random(9)
    known = [c for c in characters_of_unicode_8() if c not in "\r\n" + OTHER_SINCE_UNICODE_8]
    kinds = [known, [c for c in known if unicodedata.category(c)[0] == "M"], list("  abcst\u2581\u3000\t'.-"), ENGLISH,
             ["</s>", "-" * 60]]
    texts = ["".join(chance.choice(chance.choices(kinds, [3, 1, 6, 9, 1])[0]) for _ in range(chance.randrange(1, 24)))
             for _ in range(count)]
    ours = encode(program, path, texts)
    compare(name, ours, [encoding.ids for encoding in theirs.encode_batch(texts, add_special_tokens=False)], texts)
    ids = "".join(" ".join(map(str, line)) + "\n" for line in ours)
    decoded = rapt(program, "decode", "--tokenizer", str(path), text=ids).split("\n")[:-1]
    for text, line, mine in zip(texts, ours, decoded):
        assert mine == theirs.decode(line, skip_special_tokens=False), (name, text, mine)
    rapt(program, "import", str(path), "--out", str(again))
    compare(name + " (written by rapt)", ours, [encoding.ids for encoding in tokenizers.Tokenizer.from_file(
        str(again)).encode_batch(texts, add_special_tokens=False)], texts)
    print(f"  unigram, {name}: {count} random strings")


def main() -> None:
    assert len(sys.argv) == 2, __doc__
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            check_kind(sys.argv[1], kind, lines(2000), pathlib.Path(folder))
        check_bert(sys.argv[1], True, 100_000, pathlib.Path(folder) / "uncased")
        check_bert(sys.argv[1], False, 100_000, pathlib.Path(folder) / "cased")
        for name, parts in unigram_files().items():
            check_unigram(sys.argv[1], name, parts, pathlib.Path(folder), 3000)


main()
