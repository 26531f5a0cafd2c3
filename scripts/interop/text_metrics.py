"""Scores of texts, as sacreBLEU and rouge_score compute them: usage: text_metrics.py PROGRAM

2,000 generated pairs with three references, difficult characters and empty lines: corpus scores with every option, and
the scores of each line.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import rouge_score.rouge_scorer
import sacrebleu
import sacrebleu.significance

WORDS = ("The keeper of the lamp climbed 312 stairs before dawn because fog had come from the sea . ships lay in ice , "
         "it's relational conditionally hopping generalizations skies dying flies happily controlling news geology "
         "U.S. 3.14 1,000,000 e.g. -5 10-12 well-known \"quoted\" (aside) 'tis AT&T &quot;x&quot; &amp;lt; <skipped> a/b "
         "naïve café ÅNGSTRÖM straße İstanbul Ελλάδα ΟΔΟΣ ΣΑΣ. ΑΣ'Σ Россия 東京に行く。 「はい」 （全角）！ ½ ٣ € ™ © ≠ « » "
         "“so” — … ¿qué? 𝒳 🙂🚀 K ª Ⅷ").split(" ")
ODD = list(" \t\u00a0\u3000\u200b\u2028\x0b\x1c\x85.,-'\"&;:!?/\\()[]{}<>#$%^*_+=`|~@0123456789aZßΣςσéе́中カ·\u0301\u2019²")
OPTIONS = [  # of rapt, of sacreBLEU's metric
    ("bleu", [], {}), ("bleu", ["--lowercase"], {"lowercase": True}), ("bleu", ["--tokenize", "intl"], {"tokenize": "intl"}),
    ("bleu", ["--tokenize", "char"], {"tokenize": "char"}), ("bleu", ["--tokenize", "none"], {"tokenize": "none"}),
    ("bleu", ["--smooth", "floor"], {"smooth_method": "floor"}), ("bleu", ["--smooth", "none"], {"smooth_method": "none"}),
    ("bleu", ["--smooth", "floor", "--smooth-value", "0.25"], {"smooth_method": "floor", "smooth_value": 0.25}),
    ("bleu", ["--smooth", "add-k"], {"smooth_method": "add-k"}),
    ("bleu", ["--smooth", "add-k", "--smooth-value", "2"], {"smooth_method": "add-k", "smooth_value": 2}),
    ("chrf", [], {}), ("chrf", ["--lowercase"], {"lowercase": True}),
    ("chrf++", [], {"word_order": 2}), ("chrf++", ["--lowercase"], {"word_order": 2, "lowercase": True}),
    ("ter", [], {}), ("ter", ["--ter-case-sensitive"], {"case_sensitive": True}),
    ("ter", ["--ter-normalize"], {"normalized": True}), ("ter", ["--no-ter-punctuation"], {"no_punct": True}),
    ("ter", ["--ter-normalize", "--ter-asian"], {"normalized": True, "asian_support": True}),
    ("ter", ["--no-ter-punctuation", "--ter-asian"], {"no_punct": True, "asian_support": True}),
]
METRICS = {"bleu": sacrebleu.BLEU, "chrf": sacrebleu.CHRF, "chrf++": sacrebleu.CHRF, "ter": sacrebleu.TER}
ROUGE = {"rouge-1": "rouge1", "rouge-2": "rouge2", "rouge-l": "rougeL", "rouge-lsum": "rougeLsum"}


def sentence(chance: random.Random) -> str:
    words = [chance.choice(WORDS) for _ in range(chance.choice([0, 1, 2, 3, 5, 8, 12, 16]))]
    if chance.random() < 0.01:
        words += chance.choices(WORDS, k=60)
    if chance.random() < 0.5:
        words.insert(chance.randrange(len(words) + 1), "".join(chance.choices(ODD, k=chance.randrange(1, 12))))
    return " ".join(words)


def changed(text: str, chance: random.Random) -> str:
    """Words left out, doubled, replaced, and phrases moved."""
    if chance.random() < 0.05:
        return sentence(chance)
    words = text.split(" ")
    for _ in range(chance.randrange(0, 6)):
        at, length = chance.randrange(len(words) + 1), chance.randrange(1, 5)
        phrase = words[at:at + length]
        del words[at:at + length]
        kind = chance.random()
        if kind < 0.5:
            to = chance.randrange(len(words) + 1)
            words[to:to] = phrase
        elif kind < 0.8:
            words[at:at] = phrase + [chance.choice(WORDS)]
        elif kind < 0.9:
            words[at:at] = [word.upper() for word in phrase]
    return " ".join(words)


def rapt(program: str, folder: pathlib.Path, references: int, *options: str) -> str:
    command = [program, "eval", "--hypotheses", folder / "said"]
    for r in range(references):
        command += ["--target", folder / f"wanted{r}"]
    done = subprocess.run([*command, *options], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def same(name: str, ours: float, theirs: float) -> None:
    assert abs(ours - theirs) < 1e-9, f"{name}: {ours}, expected {theirs}"


def check_sacrebleu(program: str, folder: pathlib.Path, said: list[str], wanted: list[list[str]]) -> None:
    scores = 0
    for references in (1, len(wanted)):
        for name, options, theirs in OPTIONS:
            if name == "ter" and options and references > 1:
                continue  # sacreBLEU takes a minute for these
            metric = METRICS[name](**theirs)
            expected = metric.corpus_score(said, wanted[:references])
            told = json.loads(rapt(program, folder, references, "--json", "--resamples", "0", "--metrics", name, *options))
            same(f"{name} {options}, {references} references", told[name], expected.score)
            signature = str(metric.get_signature()).replace(f"version:{sacrebleu.__version__}", "version:rapt-")
            assert told["signatures"][name].startswith(signature), (told["signatures"][name], signature)
            scores += 1
            if name == "bleu":
                assert told["details"]["bleu"] == expected._verbose, (told["details"], expected._verbose)
    print(f"  sacreBLEU {sacrebleu.__version__}: {scores} scores of {len(said)} lines")


def check_lines(program: str, folder: pathlib.Path, said: list[str], wanted: list[list[str]]) -> None:
    sacre = {"bleu": sacrebleu.BLEU(effective_order=True), "chrf": sacrebleu.CHRF(), "chrf++": sacrebleu.CHRF(word_order=2),
             "ter": sacrebleu.TER()}
    for references in (1, len(wanted)):
        rows = rapt(program, folder, references, "--per-line", "--metrics", ",".join([*sacre])).splitlines()[1:]
        assert len(rows) == len(said), len(rows)
        for i, row in enumerate(rows[::10]):
            for value, (name, metric) in zip(row.split("\t"), sacre.items()):
                expected = metric.sentence_score(said[10 * i], [lines[10 * i] for lines in wanted[:references]]).score
                assert abs(float(value) - expected) < 5.1e-5, (name, said[10 * i], value, expected)
    print(f"  {len(rows[::10])} lines by themselves")


def check_rouge(program: str, folder: pathlib.Path, said: list[str], wanted: list[list[str]]) -> None:
    for stem in (False, True):
        scorer = rouge_score.rouge_scorer.RougeScorer([*ROUGE.values()], use_stemmer=stem)
        for references in (1, len(wanted)):
            scores = [scorer.score_multi([lines[i] for lines in wanted[:references]], text)
                      for i, text in enumerate(said)]
            told = json.loads(rapt(program, folder, references, "--json", "--resamples", "0", "--metrics",
                                   ",".join(ROUGE), *(["--stem"] if stem else [])))
            for name, theirs in ROUGE.items():
                expected = 100 * sum(score[theirs].fmeasure for score in scores) / len(scores)
                same(f"{name}, stem={stem}, {references} references", told[name], expected)
    print(f"  rouge_score: {4 * len(ROUGE)} scores")


def check_paired(program: str, folder: pathlib.Path, said: list[str], wanted: list[list[str]]) -> None:
    """Random numbers differ, so p values are close but not equal."""
    chance = random.Random(3)
    for share in (0.003, 0.03):
        other = [wanted[0][i] if chance.random() < share else text for i, text in enumerate(said)]
        (folder / "other").write_text("".join(line + "\n" for line in other), encoding="utf-8")
        told = json.loads(rapt(program, folder, 1, "--json", "--hypotheses", str(folder / "other"), "--metrics",
                               "bleu,chrf"))["compared"][0]
        metrics = {"bleu": sacrebleu.BLEU(), "chrf": sacrebleu.CHRF()}
        _, theirs = sacrebleu.significance.PairedTest([("a", said), ("b", other)], metrics, wanted[:1], "bs")()
        for name, result in (("bleu", theirs["BLEU"]), ("chrf", theirs["chrF2"])):
            same(name, told[name], result[1].score)
            assert abs(told["p_values"][name] - result[1].p_value) < 0.03, (name, told["p_values"], result[1])
            low, high = told["intervals"][name]
            assert abs((high - low) / 2 - result[1].ci) < 0.15 * result[1].ci, (name, low, high, result[1])
    print("  paired bootstrap tests")


def main() -> None:
    assert len(sys.argv) == 2, __doc__
    chance = random.Random(7)
    truth = [sentence(chance) for _ in range(2000)]
    said = [changed(text, chance) for text in truth]
    wanted = [truth] + [[changed(text, chance) for text in truth] for _ in range(2)]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for file, lines in [("said", said)] + [(f"wanted{r}", lines) for r, lines in enumerate(wanted)]:
            (folder / file).write_bytes("".join(line + "\n" for line in lines).encode())
        check_sacrebleu(sys.argv[1], folder, said, wanted)
        check_lines(sys.argv[1], folder, said, wanted)
        check_rouge(sys.argv[1], folder, said, wanted)
        check_paired(sys.argv[1], folder, said, wanted)


main()
