#!/usr/bin/env python3
"""rapt against PyTorch on the same work, in alternating runs: usage: compare.py [options] [ROW ...]

    build/venv/bin/python bench/compare.py --rounds 3 minilm

Each round runs rapt in f32 and bf16 and PyTorch in both, eager and compiled, one after the other, so that a machine that
gets slower slows all of them. Prints medians over the rounds, and the ratio of the fastest of each; shares of the peak and
peak memory are in the JSON lines on standard error. The PyTorch programs are the scripts in ../shared/bench. Use an
otherwise idle machine.
"""
import argparse
import csv
import gzip
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
BF16 = ["--precision", "bf16"]
PRECISIONS = {"f32": [], "bf16": BF16}
PEERS = {"eager f32": [], "compiled f32": ["--compile"], "eager bf16": BF16, "compiled bf16": ["--compile", *BF16]}

GPT_ROWS = {  # preset, batch, context, updates
    "char-cpu": ("char-cpu", 12, 64, 200),
    "char": ("char", 16, 256, 6),
    "gpt2-64": ("gpt2", 4, 64, 8),
    "gpt2-256": ("gpt2", 4, 256, 4),
}
MINILM = "minilm"
WARMUP, BATCH, STEPS = 2, 32, 30  # of the MiniLM row


def last_json(command: list) -> dict:
    """The last output of a program, which is one JSON object."""
    done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr.decode()}")
    return json.loads(done.stdout.decode().splitlines()[-1])


def alternate(rounds: int, commands: dict[str, list]) -> dict[str, list[dict]]:
    """The results of every command, by name, measured in alternating rounds."""
    results = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            results[name].append(last_json(command))
            print(f"  {name}: {json.dumps(results[name][-1])}", file=sys.stderr, flush=True)
    return results


def median(results: list[dict], key: str) -> float:
    return statistics.median(result[key] for result in results)


def fastest(results: dict[str, list[dict]], names: list[str], key: str, sign: int) -> str:
    return min(names, key=lambda name: sign * median(results[name], key))


def table_row(what: str, results: dict[str, list[dict]], peers: list[str], key: str, sign: int) -> str:
    """`key` is compared; `sign` is 1 if less is better, and -1 if more is."""
    ours, theirs = fastest(results, list(PRECISIONS), key, sign), fastest(results, peers, key, sign)
    ratio = (median(results[theirs], key) / median(results[ours], key)) ** sign
    cells = [f"{median(results[name], key):,.4g}" for name in (*PRECISIONS, *peers)]
    memory = f"{median(results[ours], 'peak_mb'):,.0f}, {median(results[theirs], 'peak_mb'):,.0f} MB"
    return f"| {what} | {' | '.join(cells)} | {ratio:.1f}x ({ours} to {theirs}) | {memory} |"


def gpt_row(name: str, options: argparse.Namespace) -> None:
    preset, batch, context, steps = GPT_ROWS[name]
    size = ["--preset", preset, "--batch", batch, "--context", context, "--steps", steps]
    script = [sys.executable, options.peer / "bench/gpt_step.py", *size]
    commands = {name: [options.program, "bench", "step", *size, "--json", *more] for name, more in PRECISIONS.items()}
    commands |= {name: script + more for name, more in PEERS.items()}
    results = alternate(options.rounds, commands)
    print(table_row(f"{preset}, {batch} x {context}: ms", results, list(PEERS), "median_ms", 1))


def write_sentences(data: pathlib.Path, path: pathlib.Path) -> None:
    """The SST-2 sentences that bert_finetune.py selects with seed 0."""
    with gzip.open(data / "classification/sst2/train.tsv.gz", "rt") as file:
        rows = [(row["label"], row["text_a"]) for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    random.Random(0).shuffle(rows)
    rows = rows[: BATCH * (WARMUP + STEPS)]
    path.write_text("label\ttext_a\n" + "".join(f"{label}\t{text}\n" for label, text in rows))


def minilm_rows(options: argparse.Namespace) -> None:
    vocabulary = options.peer / "data/tokenizers/bert/bert-base-uncased-vocab.txt"
    script = [sys.executable, options.peer / "bench/bert_finetune.py", "--shape", "minilm", "--batch", BATCH,
              "--steps", STEPS]
    batchings = {"padded to 128": "fixed", "padded to the batch's longest": "shuffled", "length pools": "pooled"}
    with tempfile.TemporaryDirectory() as folder:
        sentences = pathlib.Path(folder) / "sentences.tsv"
        write_sentences(options.peer / "data", sentences)
        command = [options.program, "bench", "finetune", "--shape", "minilm", "--batch", BATCH, "--data", sentences,
                   "--tokenizer", vocabulary, "--steps", STEPS, "--json"]
        commands = {name: command + more for name, more in PRECISIONS.items()}
        for batching in batchings.values():
            commands |= {f"{batching} {name}": [*script, "--batching", batching, *more] for name, more in PEERS.items()}
        results = alternate(options.rounds, commands)
    for what, batching in batchings.items():
        peers = [f"{batching} {name}" for name in PEERS]
        print(table_row(f"MiniLM, {what}: tokens/s", results, peers, "tokens_per_s", -1))


def main() -> None:
    rows = [*GPT_ROWS, MINILM]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("row", nargs="*", metavar="ROW", help=f"of {', '.join(rows)}; all if none is given")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/rapt")
    parser.add_argument("--peer", type=pathlib.Path, default=ROOT.parent / "shared",
                        help="folder with the PyTorch scripts (bench/) and their data (data/)")
    options = parser.parse_args()
    for row in options.row or rows:
        if row not in rows:
            parser.error(f"there is no row {row}; there are {', '.join(rows)}")
        if row == MINILM:
            minilm_rows(options)
        else:
            gpt_row(row, options)


main()
