"""Exchanges models with transformers in both directions: usage: export_hf.py PROGRAM

Trains small models with rapt, including the default of `rapt train my.txt`, exports them, loads them with
AutoModelForCausalLM and AutoTokenizer, and compares ids, logits, log-probabilities and greedy text. Then makes models in
transformers, reads them with rapt, and compares logits and the bytes of the weights after a round trip. BERT and the
task heads are compared with random weights, with the class that config.json names.
"""
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import numpy
import safetensors.numpy
import torch
import transformers

TOLERANCE = 1e-4
WORDS = "the a cat dog mat house sat ran on under and it isn't 12 345 naïve — 東京 ! , . ; : to of red old".split()
LINES = ["the cat sat on the mat, and it isn't old.", "a", "it isn't 345 or 12; it's naïve — 東京!",
         "  two  spaces  and  three   "]
PROMPT = "the old cat"
TASKS = ("classify", "regress", "multilabel", "tag", "qa", "choice")


def corpus() -> str:
    """Random sentences, so that a few updates already change every weight; LINES first, for their characters."""
    draw = random.Random(7)
    return "\n".join(LINES + [" ".join(draw.choices(WORDS, k=draw.randint(3, 12))) + "." for _ in range(3000)]) + "\n"


class Rapt:
    def __init__(self, program: str):
        self.program = program
        tools = pathlib.Path(program).parent / "tests"
        self.logits_program, self.hugging_face_program = str(tools / "rapt_logits"), str(tools / "rapt_hugging_face")

    def run(self, *arguments, text: str = "", program: str = "", folder: pathlib.Path | None = None) -> bytes:
        command = [program or self.program, *map(str, arguments)]
        done = subprocess.run(command, input=text.encode(), capture_output=True, check=False, cwd=folder)
        assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stderr.decode()}"
        return done.stdout

    def ids(self, tokenizer: pathlib.Path, lines: list[str]) -> list[list[int]]:
        out = self.run("tokenizer", "encode", "--tokenizer", tokenizer, text="".join(line + "\n" for line in lines))
        return [[int(id) for id in line.split()] for line in out.decode().splitlines()]

    def outputs(self, model: pathlib.Path, lines: list[str]) -> numpy.ndarray:
        """The output of rapt_logits for these lines."""
        return numpy.frombuffer(self.run(model, text="".join(line + "\n" for line in lines),
                                         program=self.logits_program), numpy.float32)

    def logits(self, model: pathlib.Path, ids: list[list[int]], vocabulary: int) -> list[numpy.ndarray]:
        rows = self.outputs(model, [" ".join(map(str, line)) for line in ids]).reshape(-1, vocabulary)
        return numpy.split(rows, numpy.cumsum([len(line) for line in ids])[:-1])


def logits_of(model, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0]


def compare_logits(rapt: Rapt, name: str, source: pathlib.Path, model, ids: list[list[int]]) -> None:
    worst = 0.0
    for ours, line in zip(rapt.logits(source, ids, model.config.vocab_size), ids, strict=True):
        worst = max(worst, float(numpy.abs(ours - logits_of(model, line).numpy()).max()))
    assert worst <= TOLERANCE, f"{name}: logits differ by {worst}"
    print(f"  {name}: logits within {worst:.1e}")


def compare_scores(rapt: Rapt, name: str, run: pathlib.Path, model, tokenizer) -> None:
    for line in LINES:
        row = json.loads(rapt.run("score", run, "--data", "-", "--per-token", text=line))
        ours = row.get("token_log_probabilities", [])
        ids = tokenizer(line, add_special_tokens=False)["input_ids"]
        if tokenizer.eos_token_id is not None and len(ours) == len(ids):
            ids = [tokenizer.eos_token_id, *ids]  # the first token is predicted too, from the end of a text
        assert len(ours) == len(ids) - 1, f"{name}: {len(ours)} scores for {len(ids)} tokens of {line!r}"
        theirs = logits_of(model, ids).log_softmax(-1)
        for i, log_probability in enumerate(ours):
            difference = abs(log_probability - theirs[i, ids[i + 1]].item())
            assert difference <= TOLERANCE, f"{name}: token {i} of {line!r} differs by {difference}"


def compare_greedy(rapt: Rapt, name: str, run: pathlib.Path, model, tokenizer) -> None:
    inputs = tokenizer(PROMPT, add_special_tokens=False, return_tensors="pt")
    theirs = model.generate(inputs["input_ids"], max_new_tokens=12, do_sample=False, eos_token_id=None, pad_token_id=0)
    wanted = ["generate", run, "--prompt", PROMPT, "--greedy", "--max-tokens", 12, "--ignore-end"]
    tokens = json.loads(rapt.run(*wanted, "--json"))["tokens"]
    assert tokens == theirs[0, inputs["input_ids"].shape[1]:].tolist(), f"{name}: greedy tokens {tokens}"
    text = rapt.run(*wanted).decode()
    expected = tokenizer.decode(theirs[0], skip_special_tokens=True) + "\n"
    assert text == expected, f"{name}: greedy text {text!r}, transformers {expected!r}"


def check_export(rapt: Rapt, folder: pathlib.Path, name: str, *settings) -> None:
    """Trained by rapt, read by transformers."""
    run = folder / name
    rapt.run("train", folder / "text.txt", "--out", run, "--layers", 2, "--heads", 2, "--width", 32, "--context", 48,
             "--batch", 4, "--steps", 40, "--learning-rate", "1e-2", "--seed", 1, "--quiet", *settings)
    check_run(rapt, folder, name, run)


def check_without_flags(rapt: Rapt, folder: pathlib.Path) -> None:
    """The model of the README's first command, whatever it chooses on this machine."""
    (folder / "my.txt").write_text(corpus(), encoding="utf-8")
    rapt.run("train", "my.txt", "--minutes", "0.2", folder=folder)
    check_run(rapt, folder, "without flags", folder / "runs" / "my")


def check_run(rapt: Rapt, folder: pathlib.Path, name: str, run: pathlib.Path) -> None:
    """A run of a language model, exported."""
    directory = folder / f"{name}-hf"
    rapt.run("checkpoint", "export", run, "--format", "hf", "--out", directory)
    # In double precision: after a norm that amplifies, transformers' single precision has errors above the tolerance.
    model = transformers.AutoModelForCausalLM.from_pretrained(directory).eval().double()
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    ids = rapt.ids(directory / "tokenizer.json", LINES)
    theirs = [tokenizer(line, add_special_tokens=False)["input_ids"] for line in LINES]
    assert ids == theirs, f"{name}: ids {ids}, transformers {theirs}"
    compare_logits(rapt, name, run, model, ids)
    compare_logits(rapt, f"{name}, read back", directory, model, ids)
    compare_scores(rapt, name, run, model, tokenizer)
    compare_greedy(rapt, name, run, model, tokenizer)


def check_import(rapt: Rapt, folder: pathlib.Path, name: str, config) -> None:
    """Made by transformers, read by rapt, and written again: the same bytes."""
    torch.manual_seed(1)
    folder = folder / name
    model = transformers.AutoModelForCausalLM.from_config(config).eval()
    model.save_pretrained(folder / "theirs")
    ids = [[(7 * i + 3) % config.vocab_size for i in range(length)] for length in (1, 5, 30)]
    compare_logits(rapt, name, folder / "theirs", model, ids)

    rapt.run("checkpoint", "import", folder / "theirs", "--out", folder / "model.h5")
    rapt.run("checkpoint", "export", folder / "model.h5", "--format", "hf", "--out", folder / "ours")
    compare_weights(name, folder / "theirs", folder / "ours")


def compare_weights(name: str, one: pathlib.Path, other: pathlib.Path) -> None:
    a, b = (safetensors.numpy.load_file(side / "model.safetensors") for side in (one, other))
    assert a.keys() == b.keys(), (name, a.keys() ^ b.keys())
    for key, tensor in a.items():
        assert tensor.shape == b[key].shape and tensor.tobytes() == b[key].tobytes(), (name, key)


def heads_of(model, ids: list[int], segments: list[int]) -> list[torch.Tensor]:
    """The outputs of a model of any class for one sequence, in the order of rapt_logits. For an encoder-decoder, the
    numbers in place of segments are the tokens of the source."""
    inputs = {"input_ids": torch.tensor([ids])}
    if model.config.model_type == "bert":
        inputs["token_type_ids"] = torch.tensor([segments])
    kind = type(model).__name__
    if model.config.is_encoder_decoder:
        inputs = {"input_ids": torch.tensor([segments]), "decoder_input_ids": torch.tensor([ids])}
    if kind == "BertForMultipleChoice":
        inputs = {key: value[None] for key, value in inputs.items()}  # one choice
    with torch.no_grad():
        out = model(**inputs)
    if kind == "BertModel":
        return [out.last_hidden_state]
    if kind == "BertForPreTraining":
        return [out.prediction_logits, out.seq_relationship_logits]
    if kind.endswith("ForQuestionAnswering"):
        return [torch.stack([out.start_logits, out.end_logits], -1)]
    return [out.mc_logits if kind.endswith("DoubleHeadsModel") else out.logits]


def check_heads(rapt: Rapt, folder: pathlib.Path, kind: str) -> None:
    """Made by rapt with random weights, read by transformers, saved by it and read by rapt again."""
    name = kind.replace(" ", "-")
    ours, theirs, again = (folder / f"{name}-{side}" for side in ("ours", "theirs", "again"))
    rapt.run("random", kind, ours, program=rapt.hugging_face_program)
    architecture = json.loads((ours / "config.json").read_text())["architectures"][0]
    model, report = getattr(transformers, architecture).from_pretrained(ours, output_loading_info=True)
    assert not any(report.values()), f"{name}: {report}"
    model.save_pretrained(theirs)
    rapt.run("copy", theirs, again, program=rapt.hugging_face_program)
    compare_weights(name, ours, again)

    model = model.eval().double()
    lines = [[(7 * i + 3) % model.config.vocab_size for i in range(length)] for length in (1, 5, 30)]
    segments = [[2 * i // len(line) for i in range(len(line))] for line in lines]
    values = rapt.outputs(ours, [" ".join(map(str, line)) + "|" + " ".join(map(str, part))
                                 for line, part in zip(lines, segments, strict=True)])
    expected = torch.cat([head.flatten() for line, part in zip(lines, segments, strict=True)
                          for head in heads_of(model, line, part)]).numpy()
    assert values.shape == expected.shape, f"{name}: {values.shape} values, transformers {expected.shape}"
    worst = float(numpy.abs(values - expected).max())
    assert worst <= TOLERANCE, f"{name}: differs by {worst}"
    print(f"  {name} ({architecture}): within {worst:.1e}")


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()
    rapt = Rapt(sys.argv[1])
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        (folder / "text.txt").write_text(corpus(), encoding="utf-8")
        check_export(rapt, folder, "gpt2", "--model", "gpt2", "--tokenizer", "byte-bpe", "--vocab", 400)
        check_export(rapt, folder, "untied", "--model", "gpt2", "--tokenizer", "byte-bpe", "--vocab", 300,
                     "--bias", "off", "--tie", "off")
        check_export(rapt, folder, "char", "--model", "gpt2", "--tokenizer", "char", "--activation", "gelu")
        check_export(rapt, folder, "gpt1", "--model", "gpt1", "--tokenizer", "bpe", "--vocab", 200)
        check_export(rapt, folder, "gpt_neox", "--position", "rope", "--tokenizer", "byte-bpe", "--vocab", 400,
                     "--rotary-base", 500, "--rotary-share", "0.5", "--parallel-residual", "on", "--tie", "off")
        check_export(rapt, folder, "rotary without biases", "--position", "rope", "--tokenizer", "char", "--bias", "off")
        check_without_flags(rapt, folder)

        sizes = {"vocab_size": 97, "n_positions": 32, "n_embd": 24, "n_layer": 2, "n_head": 3}
        check_import(rapt, folder, "GPT2Config", transformers.GPT2Config(**sizes))
        check_import(rapt, folder, "GPT2Config with other switches",
                     transformers.GPT2Config(**sizes, n_inner=40, activation_function="relu", tie_word_embeddings=False,
                                             scale_attn_by_inverse_layer_idx=True))
        check_import(rapt, folder, "OpenAIGPTConfig", transformers.OpenAIGPTConfig(**sizes))
        sizes = {"vocab_size": 97, "max_position_embeddings": 32, "hidden_size": 24, "num_hidden_layers": 2,
                 "num_attention_heads": 3, "intermediate_size": 40, "initializer_range": 0.3}
        check_import(rapt, folder, "GPTNeoXConfig", transformers.GPTNeoXConfig(**sizes))
        check_import(rapt, folder, "GPTNeoXConfig with other switches",
                     transformers.GPTNeoXConfig(**sizes, rotary_pct=1.0, rotary_emb_base=500, hidden_act="relu",
                                                use_parallel_residual=False, tie_word_embeddings=True))

        for head in ("encoder", "pretraining", "masked-lm", *TASKS):
            check_heads(rapt, folder, f"bert {head}")
        for head in TASKS:
            check_heads(rapt, folder, f"gpt2 {head}")
        for head in ("classify", "regress", "multilabel", "tag", "qa"):
            check_heads(rapt, folder, f"gpt_neox {head}")
        for head in ("classify", "regress", "multilabel", "choice"):
            check_heads(rapt, folder, f"gpt1 {head}")
        for kind in ("marian", "bart", "mbart", "pegasus"):
            check_heads(rapt, folder, kind)


main()
