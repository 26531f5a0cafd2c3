"""What rapt trains, transformers loads: same ids, same log-probabilities, same greedy text."""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

PROGRAM = sys.argv[1]
TOLERANCE = 1e-4
LINES = [
    "The cat sat on the mat, and nobody minded.",
    "It isn't 1,234 or 5; it's naïve — 東京!",
    "  two  spaces\tand a tab  ",
    "a",
]


def rapt(*arguments, text=None):
    result = subprocess.run([PROGRAM, *map(str, arguments)], input=text, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"rapt {' '.join(map(str, arguments))}: exit {result.returncode}\n{result.stderr}")
    return result.stdout


def corpus():
    """Sentences at random, so that a few updates already move every weight."""
    draw = random.Random(7)
    words = "the a cat dog mat house sat ran on under and it isn't 12 345 naïve — 東京 ! , . ; : to of red old".split()
    return "\n".join(" ".join(draw.choices(words, k=draw.randint(3, 12))).capitalize() + "." for _ in range(3000))


def check(folder, name, *settings):
    run, directory = folder / name, folder / f"{name}-hf"
    rapt("train", "--data", folder / "text.txt", "--out", run, "--layers", 2, "--heads", 2, "--width", 32, "--context", 48,
         "--batch", 4, "--steps", 40, "--learning-rate", "1e-2", "--quiet", *settings)
    rapt("checkpoint", "export", run, "--format", "hf", "--out", directory, "--quiet")
    model = AutoModelForCausalLM.from_pretrained(directory).eval()
    tokenizer = AutoTokenizer.from_pretrained(directory)

    worst = 0.0
    for line in LINES:
        if name == "char":
            line = line.encode("ascii", "ignore").decode().replace("\t", " ").replace("z", "a")
            line = "".join(c for c in line if c in set(corpus()))
        ids = [int(i) for i in rapt("tokenizer", "encode", "--tokenizer", directory / "tokenizer.json", text=line).split()]
        theirs = tokenizer(line, add_special_tokens=False)["input_ids"]
        assert ids == theirs, f"{name}: ids of {line!r}: rapt {ids}, transformers {theirs}"
        for source in (run, directory):
            row = json.loads(rapt("score", source, "--data", "-", "--per-token", text=line))
            ours = row.get("token_log_probabilities", [])
            end = tokenizer.eos_token_id
            context = ([end] if end is not None and len(ours) == len(ids) else []) + ids
            if len(context) < 2:
                continue
            with torch.no_grad():
                log_probabilities = model(torch.tensor([context])).logits[0].log_softmax(-1)
            expected = [log_probabilities[i, token].item() for i, token in enumerate(context[1:])]
            assert len(ours) == len(expected), f"{name}: {len(ours)} scores, expected {len(expected)}"
            worst = max([worst] + [abs(a - b) for a, b in zip(ours, expected)])
    assert worst <= TOLERANCE, f"{name}: log-probabilities differ by {worst}"

    prompt = "The" if name != "gpt1" else "the"
    out = json.loads(rapt("generate", run, "--prompt", prompt, "--greedy", "--max-tokens", 12, "--json", "--ignore-end"))
    ids = tokenizer(prompt, add_special_tokens=False, return_tensors="pt")["input_ids"]
    theirs = model.generate(ids, max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0)[0, ids.shape[1]:]
    assert out["tokens"] == theirs.tolist(), f"{name}: greedy tokens {out['tokens']}, transformers {theirs.tolist()}"
    print(f"export_hf: {name}: ids and greedy tokens equal, log-probabilities within {worst:.1e}")


with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary)
    (folder / "text.txt").write_text(corpus())
    check(folder, "gpt2", "--model", "gpt2", "--tokenizer", "byte-bpe", "--vocab", 400)
    check(folder, "no-bias", "--model", "gpt2", "--tokenizer", "byte-bpe", "--vocab", 300, "--bias", "off", "--tie", "off")
    check(folder, "char", "--model", "gpt2", "--tokenizer", "char", "--activation", "gelu")
    check(folder, "gpt1", "--model", "gpt1", "--tokenizer", "bpe", "--vocab", 400)
