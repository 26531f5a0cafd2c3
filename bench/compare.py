#!/usr/bin/env python3
"""rapt against PyTorch on the same work, in alternating runs: usage: compare.py [options] [ROW ...]

    build/venv/bin/python bench/compare.py --rounds 3 minilm

Each round runs rapt and every PyTorch variant once, one after the other, so that a machine that gets slower slows all of
them. Prints medians over the rounds, rapt's share of the machine's sgemm peak, peak memory, and ratios to the best
PyTorch variant. The PyTorch programs are the scripts in ../shared/bench. Use an otherwise idle machine.
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
EAGER, COMPILED = [], ["--compile"]

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


def gpt_row(name: str, options: argparse.Namespace) -> None:
    preset, batch, context, steps = GPT_ROWS[name]
    size = ["--preset", preset, "--batch", batch, "--context", context, "--steps", steps]
    script = [sys.executable, options.peer / "bench/gpt_step.py", *size]
    results = alternate(options.rounds, {
        "rapt": [options.program, "bench", "step", *size, "--json"],
        "eager": script + EAGER,
        "compiled": script + COMPILED,
    })
    ours = median(results["rapt"], "median_ms")
    best = min(("eager", "compiled"), key=lambda peer: median(results[peer], "median_ms"))
    theirs = median(results[best], "median_ms")
    memory, their_memory = median(results["rapt"], "peak_mb"), median(results[best], "peak_mb")
    print(f"| {preset}, {batch} x {context} | {ours:.4g} | {100 * median(results['rapt'], 'share_of_peak'):.0f} % of "
          f"{median(results['rapt'], 'peak_gflops'):.0f} | {memory:.0f} MB | {theirs:.4g} ({best}) | "
          f"{their_memory:.0f} MB | {theirs / ours:.1f}x, {memory / their_memory:.2f} of the memory |")


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
        commands = {"rapt": [options.program, "bench", "finetune", "--shape", "minilm", "--batch", BATCH, "--data",
                             sentences, "--tokenizer", vocabulary, "--steps", STEPS, "--json"]}
        for batching in batchings.values():
            commands[f"{batching} eager"] = [*script, "--batching", batching, *EAGER]
            commands[f"{batching} compiled"] = [*script, "--batching", batching, *COMPILED]
        results = alternate(options.rounds, commands)
    ours, memory = median(results["rapt"], "tokens_per_s"), median(results["rapt"], "peak_mb")
    print(f"rapt: {ours:,.0f} real tokens/s, {100 * median(results['rapt'], 'share_of_peak'):.0f} % of "
          f"{median(results['rapt'], 'peak_gflops'):.0f} GFLOP/s, {memory:.0f} MB\n")
    for what, batching in batchings.items():
        peers = [name for name in results if name.startswith(batching)]
        best = max(peers, key=lambda peer: median(results[peer], "tokens_per_s"))
        theirs, their_memory = median(results[best], "tokens_per_s"), median(results[best], "peak_mb")
        print(f"| {what} | {theirs:,.0f} ({best.split()[1]}) | {their_memory:.0f} MB | {ours / theirs:.1f}x, "
              f"{memory / their_memory:.2f} of the memory |")


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
