"""Exchanges translators with transformers: usage: translation.py PROGRAM

Trains small translators with rapt on made-up sentences, exports them, loads them with AutoModelForSeq2SeqLM and
AutoTokenizer, and compares the ids and the greedy and beam-search translations of 200 sentences.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import torch
import transformers

NOUNS = {"dog": "Hund", "cat": "Katze", "house": "Haus", "tree": "Baum", "river": "Fluss", "child": "Kind"}
VERBS = {"sees": "sieht", "finds": "findet", "draws": "malt", "loves": "liebt", "hides": "versteckt"}
SENTENCES, LONGEST, BEAMS = 200, 40, 4


def pair(draw: random.Random) -> tuple[str, str]:
    """An English and a German sentence of one to four clauses; in every other clause the German verb comes last."""
    english, german = [], []
    for i in range(draw.randint(1, 4)):
        a, b = draw.sample(sorted(NOUNS), 2)
        verb = draw.choice(sorted(VERBS))
        english.append(f"the {a} {verb} the {b}")
        words = [NOUNS[a], VERBS[verb], NOUNS[b]] if i % 2 == 0 else [NOUNS[a], NOUNS[b], VERBS[verb]]
        german.append(" ".join(words))
    return ", while ".join(english) + ".", ", während ".join(german) + "."


def run(program: str, *arguments, text: str = "") -> str:
    command = [program, *map(str, arguments)]
    done = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.decode()}"
    return done.stdout.decode()


def translations(program: str, model: pathlib.Path, lines: list[str], *options) -> list[list[int]]:
    out = run(program, "translate", model, "--json", "--max-length", LONGEST, *options, text="\n".join(lines) + "\n")
    return [json.loads(line)["tokens"] for line in out.splitlines()]


def check(program: str, folder: pathlib.Path, name: str, kind: str, lines: list[str], *settings) -> None:
    trained, directory = folder / name, folder / f"{name}-hf"
    run(program, "train", "--task", "translate", "--source", folder / "en", "--target", folder / "de", "--out", trained,
        "--layers", 2, "--heads", 2, "--width", 32, "--batch", 32, "--steps", 150, "--learning-rate", "3e-3", "--seed", 1,
        "--quiet", *settings)
    run(program, "checkpoint", "export", trained, "--format", "hf", "--out", directory)
    model = transformers.AutoModelForSeq2SeqLM.from_pretrained(directory).eval()
    assert model.config.model_type == kind, f"{name}: {model.config.model_type}"
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    batch = [tokenizer(line)["input_ids"] for line in lines]
    ends = {ids[-1] for ids in batch}
    assert ends == {model.config.eos_token_id}, f"{name}: sources end with {ends}"
    for beams, options in ((1, ["--greedy"]), (BEAMS, ["--beam", BEAMS])):
        ours = translations(program, trained, lines, *options)
        different = 0
        for ids, tokens in zip(batch, ours, strict=True):
            with torch.no_grad():
                theirs = model.generate(torch.tensor([ids]), max_new_tokens=LONGEST, num_beams=beams, do_sample=False,
                                        length_penalty=1.0, early_stopping=False)[0].tolist()
            theirs = [t for t in theirs if t not in (model.config.decoder_start_token_id, model.config.eos_token_id)]
            different += theirs != tokens
        assert different == 0, f"{name}: {different} of {len(lines)} translations with {beams} beams differ"
    texts = run(program, "translate", trained, "--greedy", "--max-length", LONGEST, text="\n".join(lines) + "\n").splitlines()
    expected = [tokenizer.decode(t) for t in translations(program, trained, lines, "--greedy")]
    assert texts == expected, f"{name}: {next(p for p in zip(texts, expected) if p[0] != p[1])}"
    print(f"  {name} ({kind}): {len(lines)} sentences, greedy and {BEAMS} beams identical")


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    program = sys.argv[1]
    draw = random.Random(5)
    pairs = [pair(draw) for _ in range(3000)]
    lines = [pair(draw)[0] for _ in range(SENTENCES)]
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, side in (("en", 0), ("de", 1)):
            (folder / name).write_text("".join(p[side] + "\n" for p in pairs), encoding="utf-8")
        check(program, folder, "pre-norm", "pegasus", lines)
        check(program, folder, "post-norm", "marian", lines, "--norm", "post", "--tokenizer", "unigram", "--vocab", 200)
        check(program, folder, "learned positions", "bart", lines, "--norm", "post", "--position", "learned",
              "--position-offset", 2, "--embedding-norm", "on", "--vocab", 300)


main()
