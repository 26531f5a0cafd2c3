"""Tokenizers of rapt, loaded by Hugging Face's tokenizers and transformers: usage: tokenizer.py PROGRAM

Learns one of each kind, exports it, and compares the ids and texts of many lines; then imports what Hugging Face wrote.
"""
import pathlib
import random
import subprocess
import sys
import tempfile

import tokenizers
import transformers

KINDS = {"byte-bpe": ["--vocab", "600"], "bpe": ["--vocab", "400", "--lowercase"], "char": [], "byte": []}
SPECIAL = "<|endoftext|>"
ENGLISH = ("The keeper of the lamp climbed the stairs before dawn, because the fog had come in from the sea. "
           "\"Who's there?\" asked the boy; he didn't like it. In 1874 the harbour froze, and 312 ships lay in the ice. "
           "naïve café — ÅNGSTRÖM, straße, Ελλάδα, Россия, 東京, 12½ €").split(" ")


def lines(count: int) -> list[str]:
    """Sentences, and runs of what tokenizers stumble on; only characters that have long been in Unicode."""
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
    rapt(program, "train", str(corpus), "--type", kind, "--special", SPECIAL, "--out", str(path), *KINDS[kind])
    rapt(program, "export", str(path), "--format", "hf", "--out", str(exported))
    ours = encode(program, path, texts)

    theirs = tokenizers.Tokenizer.from_file(str(path))
    compare(kind, ours, [theirs.encode(text).ids for text in texts], texts)
    auto = transformers.AutoTokenizer.from_pretrained(exported)
    compare(kind + " (AutoTokenizer)", ours, [auto(text)["input_ids"] for text in texts], texts)
    assert auto.eos_token == SPECIAL, auto.eos_token

    ids = "".join(" ".join(map(str, line)) + "\n" for line in ours)
    decoded = rapt(program, "decode", "--tokenizer", str(path), text=ids).split("\n")[:-1]
    assert decoded == [theirs.decode(line, skip_special_tokens=False) for line in ours], kind
    if kind != "bpe":
        assert decoded == texts, kind

    again = folder / f"{kind}-again.json"
    theirs.save(str(again))
    compare(kind + " (written by tokenizers)", encode(program, again, texts), ours, texts)
    print(f"  {kind}: {theirs.get_vocab_size()} tokens, {len(texts)} lines")


def main() -> None:
    assert len(sys.argv) == 2, __doc__
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            check_kind(sys.argv[1], kind, lines(2000), pathlib.Path(folder))


main()
