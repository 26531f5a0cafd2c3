#!/usr/bin/env python3
"""Makes the golden cases beside it: a tiny GPT-2 and a tiny BERT, and what PyTorch computes with them.

    pip install torch==2.13.0 transformers==5.23.0 numpy && python3 tests/golden/make.py

Weights are a formula, so that the files can be made again; numbers are computed in double precision from weights rounded
to single, and kept in single. tests/train/files/golden_test.cpp compares rapt with them. A case is a folder:

    model/                a Hugging Face directory
    expected.json         loss, losses and gradient norms of three AdamW updates, texts generated
    expected.safetensors  tokens and labels, sequences end to end (offsets); logits, hidden.<layer>, grad.<parameter>,
                          after3.<parameter>: the parameters after three updates
"""

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import torch
import transformers
from safetensors.torch import save_file
from transformers import BertConfig, BertForPreTraining, GPT2Config, GPT2LMHeadModel

HERE = Path(__file__).parent
# A large epsilon: with a tiny one an entry whose gradient is rounding noise moves a whole step in a random direction.
ADAMW = {"learning_rate": 1e-3, "beta1": 0.9, "beta2": 0.999, "epsilon": 1e-4, "weight_decay": 0.01, "clip": 1.0}


def uniform(count, stream):
    """`count` numbers from -1 to 1, by an integer hash of their index."""
    x = (np.arange(1, count + 1, dtype=np.uint64) * 2654435761 + stream * 40503) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = ((x ^ (x >> np.uint64(shift))) * factor) & 0xFFFFFFFF
    return x.astype(np.float64) / 2**31 - 1


def set_weights(model):
    for stream, (name, parameter) in enumerate(model.named_parameters()):
        values = torch.from_numpy(uniform(parameter.numel(), stream)).reshape(parameter.shape)
        norm_gain = parameter.dim() == 1 and name.endswith("weight")
        parameter.data = (1 + 0.3 * values if norm_gain else 0.6 * values if parameter.dim() == 2 else 0.2 * values).float()
    model.tie_weights()


def packed(sequences):
    return torch.tensor(sum(sequences, []), dtype=torch.int32)


def offsets(sequences):
    return torch.tensor(np.cumsum([0] + [len(s) for s in sequences]), dtype=torch.int32)


def cross_entropy(logits, labels):
    """Mean over the labels that are not -100."""
    return torch.nn.functional.cross_entropy(logits, torch.tensor(labels), ignore_index=-100)


def train(model, loss_of, expected, tensors):
    """The loss, every gradient, and three updates."""
    decayed = [name for name, p in model.named_parameters() if p.dim() == 2]
    groups = [{"params": [p for p in model.parameters() if p.dim() == 2], "weight_decay": ADAMW["weight_decay"]},
              {"params": [p for p in model.parameters() if p.dim() != 2], "weight_decay": 0}]
    optimizer = torch.optim.AdamW(groups, lr=ADAMW["learning_rate"], betas=(ADAMW["beta1"], ADAMW["beta2"]),
                                  eps=ADAMW["epsilon"])
    losses, norms = [], []
    for step in range(3):
        optimizer.zero_grad()
        loss = loss_of()
        loss.backward()
        if step == 0:
            for name, p in model.named_parameters():
                tensors["grad." + name] = p.grad.clone()
        losses.append(loss.item())
        norms.append(torch.nn.utils.clip_grad_norm_(model.parameters(), ADAMW["clip"]).item())
        optimizer.step()
    for name, p in model.named_parameters():
        tensors["after3." + name] = p.detach()
    expected |= {"loss": losses[0], "losses": losses, "grad_norm": norms, "adamw": ADAMW, "decayed": decayed}


def start(name, kind, model):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    set_weights(model)
    model.save_pretrained(folder / "model")
    return folder, {"kind": kind, "torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}


def finish(folder, expected, tensors):
    for key, tensor in tensors.items():
        tensors[key] = tensor.detach().to(torch.int32 if not tensor.is_floating_point() else torch.float32).contiguous()
    save_file(tensors, folder / "expected.safetensors")
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


def generated(model, prompt, settings):
    """What follows the prompt; the same in single precision and a little beside it, or rounding would decide the test."""
    near = copy.deepcopy(model)
    for parameter in near.parameters():
        parameter.data *= 1 + 1e-5 * torch.randn_like(parameter)
    texts = [m.generate(torch.tensor([prompt]), max_new_tokens=10, do_sample=False, pad_token_id=22, **settings)[0]
             .tolist()[len(prompt):] for m in (model, copy.deepcopy(model).float(), near)]
    assert texts[0] == texts[1] == texts[2], f"rounding decides what follows {prompt}: {texts}"
    return texts[0]


def make_gpt():
    config = GPT2Config(vocab_size=23, n_positions=16, n_embd=8, n_layer=2, n_head=2, resid_pdrop=0, embd_pdrop=0,
                        attn_pdrop=0, bos_token_id=22, eos_token_id=22, attn_implementation="eager")
    model = GPT2LMHeadModel(config)
    folder, expected = start("tiny-gpt", "causal-lm", model)
    model.double().eval()
    sequences = [[3, 17, 5, 9, 5], [8], [1, 2, 20, 2, 13, 6, 21, 4, 4, 11, 15, 22, 10, 7, 19, 12], [14, 0, 18]]
    labels = [s[1:] + [-100] for s in sequences]
    outputs = [model(torch.tensor([s]), output_hidden_states=True) for s in sequences]
    tensors = {"tokens": packed(sequences), "offsets": offsets(sequences), "labels": packed(labels),
               "logits": torch.cat([o.logits[0] for o in outputs])}
    for layer in range(config.n_layer + 1):
        tensors[f"hidden.{layer}"] = torch.cat([o.hidden_states[layer][0] for o in outputs])
    expected["generation"] = []
    for prompt, settings in [([3, 17, 5], {}), ([8], {}), ([3, 17, 5], {"num_beams": 3, "length_penalty": 0.5}),
                             ([8], {"num_beams": 4, "length_penalty": 2.0}), ([14, 0], {"repetition_penalty": 1.3})]:
        expected["generation"].append({"prompt": prompt, "max_new_tokens": 10, **settings,
                                       "tokens": generated(model, prompt, settings)})
    train(model, lambda: cross_entropy(torch.cat([model(torch.tensor([s])).logits[0] for s in sequences]),
                                       sum(labels, [])), expected, tensors)
    finish(folder, expected, tensors)


def make_bert():
    config = BertConfig(vocab_size=29, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=12,
                        max_position_embeddings=16, hidden_dropout_prob=0, attention_probs_dropout_prob=0,
                        attn_implementation="eager")
    model = BertForPreTraining(config)
    folder, expected = start("tiny-bert", "bert-pretraining", model)
    model.double().eval()
    sequences = [[2, 7, 4, 9, 3, 11, 4, 3], [2, 28, 3, 5, 3], [2, 4, 12, 13, 14, 3, 15, 16, 4, 17, 18, 19, 20, 21, 4, 3]]
    segments = [[0, 0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0] + [1] * 10]
    labels = [[-100] * len(s) for s in sequences]
    for sequence, at, word in [(0, 2, 8), (0, 6, 25), (2, 1, 10), (2, 7, 16), (2, 8, 23), (2, 14, 0)]:
        labels[sequence][at] = word
    next_sentence = [0, 1, 1]

    def outputs():
        return [model(torch.tensor([s]), token_type_ids=torch.tensor([g]), output_hidden_states=True)
                for s, g in zip(sequences, segments)]

    def loss():
        found = outputs()
        return (cross_entropy(torch.cat([o.prediction_logits[0] for o in found]), sum(labels, [])) +
                cross_entropy(torch.cat([o.seq_relationship_logits for o in found]), next_sentence))

    found = outputs()
    tensors = {"tokens": packed(sequences), "offsets": offsets(sequences), "segments": packed(segments),
               "labels": packed(labels), "next_sentence_labels": torch.tensor(next_sentence, dtype=torch.int32),
               "logits": torch.cat([o.prediction_logits[0] for o in found]),
               "next_sentence_logits": torch.cat([o.seq_relationship_logits for o in found])}
    for layer in range(config.num_hidden_layers + 1):
        tensors[f"hidden.{layer}"] = torch.cat([o.hidden_states[layer][0] for o in found])
    train(model, loss, expected, tensors)
    finish(folder, expected, tensors)


make_gpt()
make_bert()
