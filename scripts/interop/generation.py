"""Texts that transformers generates from the same weights: usage: generation.py PROGRAM

Three random encoder-decoders and 60 sources: tokens and scores of greedy decoding and beam search with every rule.
"""
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import torch
from transformers import (BartConfig, BartForConditionalGeneration, MarianConfig, MarianMTModel, PegasusConfig,
                          PegasusForConditionalGeneration)

VOCABULARY, START, PAD, END, UNKNOWN, LONGEST = 83, 0, 1, 2, 3, 20
SIZES = {"d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4,
         "decoder_attention_heads": 4, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48, "vocab_size": VOCABULARY,
         "max_position_embeddings": 40, "pad_token_id": PAD, "bos_token_id": START, "eos_token_id": END,
         "decoder_start_token_id": START, "forced_eos_token_id": None, "init_std": 0.3, "tie_word_embeddings": True}
MODELS = [(MarianConfig, MarianMTModel), (BartConfig, BartForConditionalGeneration),
          (PegasusConfig, PegasusForConditionalGeneration)]
CASES = [
    ({"num_beams": 1}, ["--greedy"]),
    ({"num_beams": 4, "early_stopping": True}, ["--beam", "4", "--early-stopping", "on"]),
    ({"num_beams": 4, "early_stopping": False, "length_penalty": 0.6}, ["--beam", "4", "--length-penalty", "0.6"]),
    ({"num_beams": 4, "early_stopping": "never", "length_penalty": 2.0},
     ["--beam", "4", "--length-penalty", "2", "--early-stopping", "never"]),
    ({"num_beams": 5, "early_stopping": True, "no_repeat_ngram_size": 2, "min_new_tokens": 6},
     ["--beam", "5", "--early-stopping", "on", "--no-repeat-ngram", "2", "--min-length", "6"]),
    ({"num_beams": 6, "early_stopping": False, "num_return_sequences": 4, "repetition_penalty": 1.3},
     ["--beam", "6", "--n-best", "4", "--repetition-penalty", "1.3"]),
    ({"num_beams": 1, "no_repeat_ngram_size": 1, "repetition_penalty": 1.5},
     ["--greedy", "--no-repeat-ngram", "1", "--repetition-penalty", "1.5"]),
]


def write_tokenizer(folder: pathlib.Path) -> None:
    """Word i is w<i>."""
    vocabulary = {"<s>": START, "<pad>": PAD, "</s>": END, "<unk>": UNKNOWN}
    special = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False,
                "normalized": False, "special": True} for token, i in vocabulary.items()]
    vocabulary.update({f"w{i}": i for i in range(4, VOCABULARY)})
    (folder / "tokenizer.json").write_text(json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": special, "normalizer": None,
        "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "<unk>"}}))


def theirs(model, source: list, options: dict) -> list:
    """Tokens with the end token, and scores, of each text."""
    out = model.generate(torch.tensor([source + [END]]), max_new_tokens=LONGEST, suppress_tokens=[PAD],
                         do_sample=False, output_scores=True, return_dict_in_generate=True, **options)
    texts = []
    for k, sequence in enumerate(out.sequences.tolist()):
        tokens = sequence[1:]
        tokens = tokens[:tokens.index(END) + 1] if END in tokens else [t for t in tokens if t != PAD]
        texts.append((tokens, out.sequences_scores[k].item() if options["num_beams"] > 1 else None))
    return texts


def check(program: str, folder: pathlib.Path, model, sources: list, options: dict, flags: list) -> int:
    text = "".join(" ".join(f"w{token}" for token in source) + "\n" for source in sources)
    run = subprocess.run([program, "translate", folder, "--json", "--max-length", str(LONGEST), *flags], input=text,
                         capture_output=True, text=True, check=True)
    rows = [json.loads(line) for line in run.stdout.splitlines()]
    different = 0
    for i, source in enumerate(sources):
        texts = theirs(model, source, options)
        for k, (tokens, score) in enumerate(texts):
            row = rows[i * len(texts) + k]
            ours = row["tokens"] + ([END] if row["finish"] == "stop" else [])
            close = score is None or abs(row["score"] - score) < 1e-4
            different += ours != tokens or not close
    return different


def main() -> int:
    program, failed = sys.argv[1], 0
    torch.manual_seed(3)
    chance = random.Random(5)
    sources = [[chance.randrange(4, VOCABULARY) for _ in range(chance.randrange(1, 25))] for _ in range(60)]
    for config, kind in MODELS:
        model = kind(config(**SIZES)).eval()
        with tempfile.TemporaryDirectory() as name, torch.no_grad():
            folder = pathlib.Path(name)
            model.save_pretrained(folder)
            write_tokenizer(folder)
            for options, flags in CASES:
                different = check(program, folder, model, sources, options, flags)
                print(f"generation {kind.__name__} {' '.join(flags)}: {different} different", flush=True)
                failed += different > 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
