#!/usr/bin/env bash
# Compares this tree's program with that of another revision, on this machine: weights, optimiser, metrics, outputs and
# files must be equal byte for byte. Run it before submitting a refactoring.
#
#   scripts/same_bits.sh REVISION             builds REVISION in a folder of /tmp; build the dev preset here first
#   scripts/same_bits.sh --program PATH       compares with an existing program
#   scripts/same_bits.sh REVISION char-gpt    only the cases named, and those that come before them
#
# RAPT is this tree's program (build/dev/rapt); SAME_BITS_WORK is a folder in which to keep both outputs.
# Not compared: the wall clock in metrics.jsonl, messages on standard error, and settings that only one
# of the two programs has. Every length is given in updates, so nothing depends on the clock.
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
usage() { echo "usage: scripts/same_bits.sh REVISION | --program PATH [CASE...]" >&2; exit 64; }

# Builds a revision's program as the dev preset does here, once; prints its path.
build_revision() {
  local commit tree
  commit=$(git -C "$root" rev-parse --verify --short=12 "$1^{commit}")
  tree=${TMPDIR:-/tmp}/rapt-same-bits-$commit
  if [ ! -x "$tree/build/dev/rapt" ]; then
    echo "building $commit in $tree" >&2
    mkdir -p "$tree"
    git -C "$root" archive "$commit" | tar -x -C "$tree"
    local launcher=${CMAKE_CXX_COMPILER_LAUNCHER:-$(command -v ccache || true)}
    (cd "$tree" && cmake --preset dev ${launcher:+-DCMAKE_CXX_COMPILER_LAUNCHER="$launcher"} >/dev/null &&
      cmake --build --preset dev --target rapt) >&2
  fi
  echo "$tree/build/dev/rapt"
}

case ${1-} in
  --program) [ $# -ge 2 ] || usage; other=$(realpath -e "$2"); shift 2 ;;
  "" | -*) usage ;;
  *) other=$(build_revision "$1"); shift ;;
esac
this=$(realpath -e "${RAPT:-$root/build/dev/rapt}")
if [ -n "${SAME_BITS_WORK-}" ]; then
  work=$(realpath -m "$SAME_BITS_WORK")
  rm -rf "$work/other" "$work/this" "$work/resumed"
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work/other" "$work/this"
# Copies, because a build may replace the programs meanwhile.
cp "$other" "$work/program-other"
cp "$this" "$work/program-this"
other=$work/program-other
this=$work/program-this

# ---- What both programs read ------------------------------------------------------------------------------------

# Sentences by rule: words that say what the label is, numbers, capitals, and letters of two and three bytes.
write_data() {
  mkdir data
  awk -v folder=data '
    function random(n) { seed = (seed * 16807) % 2147483647; return int(seed / 65536) % n }
    function pick(list,   words) { return words[random(split(list, words, "|")) + 1] }
    function sentence() {
      return pick("the cat|a dog|The bird|one fish|Zoë|the old king|a small child") " " \
        pick("sat on|ran to|looked at|slept under|walked over|didn\x27t see") " " \
        pick("the mat|a tree|the café|one river|house no. " random(100) "|東京|the snow-white hill") " ."
    }
    BEGIN {
      seed = 11
      for (i = 1; i <= 900; i++) print sentence() (i % 5 ? "" : "\n") > (folder "/text.txt")
      for (i = 1; i <= 60; i++) print sentence() > (folder "/other.txt")
      for (part = 1; part <= 2; part++) {
        name = part == 1 ? "train" : "valid"; rows = part == 1 ? 96 : 40
        print "text\tlabel" > (folder "/classes-" name ".tsv")
        print "first\tsecond\tscore" > (folder "/numbers-" name ".tsv")
        print "text\tlabel" > (folder "/sets-" name ".tsv")
        comma = ""; printf "{\"version\": \"1.1\", \"data\": [{\"title\": \"t\", \"paragraphs\": [" > (folder "/questions-" name ".json")
        for (i = 1; i <= rows; i++) {
          who = pick("the cat|a dog|one fish"); how = pick("sat on|ran to|slept under"); where = pick("the mat|a tree|one river")
          s = who " " how " " where
          print s " .\t" (who == "the cat" ? "cat" : who == "a dog" ? "dog" : "fish") > (folder "/classes-" name ".tsv")
          print s "\t" sentence() "\t" (length(s) / 7) > (folder "/numbers-" name ".tsv")
          print s " .\t" (how == "sat on" ? "still" : "moves") (where == "the mat" ? ",home" : "") > (folder "/sets-" name ".tsv")
          n = split(s, word, " ")
          for (w = 1; w <= n; w++)
            print word[w] "\t" (w == 2 ? "B-WHO" : w == n ? "B-WHERE" : w == n - 1 ? "I-WHERE" : "O") > (folder "/tags-" name ".conll")
          print "" > (folder "/tags-" name ".conll")
          printf "%s{\"context\": \"%s and slept .\", \"qas\": [{\"id\": \"%s%d\", \"question\": \"where ?\", \"answers\": [{\"text\": \"%s\", \"answer_start\": %d}]}]}", \
            comma, s, name, i, where, index(s, where) - 1 > (folder "/questions-" name ".json")
          comma = ",\n"
          printf "{\"context\": \"%s\", \"choices\": [\"%s\", \"%s\"], \"label\": %d}\n", who " " how, \
            i % 2 ? where : "the moon", i % 2 ? "the moon" : where, i % 2 ? 0 : 1 > (folder "/choices-" name ".jsonl")
        }
        print "]}]}" > (folder "/questions-" name ".json")
      }
    }'
}

# ---- The cases: each runs in its program's folder and writes into a folder of its own name ----------------------

# run NAME ARGUMENTS: the program under test; its standard output becomes NAME.out in the case's folder.
run() {
  local name=$1
  shift
  if ! "$program" "$@" --threads 1 >"$case/$name.out" 2>"$case/$name.err"; then
    echo "$name: $(grep -m1 '^error' "$case/$name.err" || tail -n 1 "$case/$name.err")" >>"$case/failed"
    return 1
  fi
}
train() { run train train "$@" --out "$case/run"; }
small=(--layers 2 --heads 2 --width 32 --context 48 --batch 8 --eval-every 20 --save-every 20 --log-every 5)

case_char_gpt() {
  train data/text.txt --tokenizer char "${small[@]}" --steps 60 --sample-every 30
  run greedy generate "$case/run" --prompt "the cat" --greedy -n 40 --json
  run sampled generate "$case/run" --prompt-file data/other.txt --samples 2 --temperature 0.8 --top-k 20 --top-p 0.95 \
    --min-p 0.01 --repetition-penalty 1.1 --seed 7 -n 30
  run beam generate "$case/run" --prompt "a dog" --beam 4 --length-penalty 0.7 --stop " ." -n 30 --json
  run score score "$case/run" --data data/other.txt
  run eval eval "$case/run" --data data/other.txt --json
}
case_bpe_gpt() {
  train data/text.txt --tokenizer byte-bpe --vocab 320 "${small[@]}" --position rope --dropout 0.1 --accumulate 2 \
    --clip 0.5 --label-smoothing 0.1 --warmup 10 --steps 40 --seed 5
  run beam generate "$case/run" --prompt "The bird" --beam 3 -n 20
}
case_gpt1() {
  train data/text.txt --model gpt1 --tokenizer bpe --vocab 300 "${small[@]}" --sampling-order epoch --recompute \
    --optimizer sgd --momentum 0.9 --nesterov --schedule wsd --steps 30
  run greedy generate "$case/run" --prompt "the" --greedy -n 20
}
case_defaults() {
  train data/text.txt --steps 4
  local preset
  for preset in shakespeare-char-cpu shakespeare-char gpt1 gpt2 bert-tiny bert-mini; do
    run $preset-settings train data/text.txt --preset $preset --steps 20000 --print-config
  done
  run classify-settings train data/classes-train.tsv --task classify --steps 200 --print-config
  run sst2-settings finetune --preset glue/sst2 --init bert/run --train data/classes-train.tsv --text-column text \
    --label-column label --print-config
}
case_bert() {  # masked words and next sentences
  train data/text.txt --model bert --task mlm-nsp --vocab 160 "${small[@]}" --context 128 --document-lines 1 \
    --dupe-factor 2 --dropout 0.1 --whole-word --attention-start neighbours --steps 60
  run fill fill-mask "$case/run" "the cat sat [MASK] the mat ." --json
  run embed embed "$case/run" --data data/other.txt --normalize
  run eval eval "$case/run" --data data/other.txt --json
}
case_masked_words() {
  train data/text.txt --model bert --task mlm --vocab 160 "${small[@]}" --masking static --accumulate 2 --steps 20
}
# labelled TASK DATA END ARGUMENTS: fine-tunes, judges and predicts.
labelled() {
  local task=$1 data=data/$2 end=$3
  shift 3
  run train "${verb[@]}" --task "$task" --data "$data-train.$end" --validation-data "$data-valid.$end" --eval-every 10 \
    --log-every 5 --steps 20 "$@" --out "$case/run"
  run eval eval "$case/run" --data "$data-valid.$end" --json
  run predict predict "$case/run" "$data-valid.$end"
}
from_bert=(finetune --init bert/run --batch 8 --learning-rate 1e-3)
case_classify() { verb=("${from_bert[@]}"); labelled classify classes tsv --layer-rate-decay 0.9 --freeze embeddings; }
case_classify_gpt() { verb=(finetune --init bpe-gpt/run); labelled classify classes tsv --language-model-weight 0.5; }
case_classify_nothing() { verb=(train --batch 8); labelled classify classes tsv --layers 2 --heads 2 --width 32; }
case_regress() { verb=("${from_bert[@]}"); labelled regress numbers tsv --text-column first --pair-column second --label-column score; }
case_multilabel() { verb=("${from_bert[@]}"); labelled multilabel sets tsv --batch-tokens 100 --accumulate 2; }
case_tag() { verb=("${from_bert[@]}"); labelled tag tags conll --reset-layers 1; }
case_qa() { verb=("${from_bert[@]}"); labelled qa questions json --stride 8; }
case_choice() { verb=("${from_bert[@]}"); labelled choice choices jsonl; }
case_lora() {
  verb=("${from_bert[@]}")
  labelled classify classes tsv --lora-rank 4 --lora-alpha 8 --lora-dropout 0.1 --lora-targets query --lora-targets value
  run export checkpoint export "$case/run" --format hf --out "$case/hf"
  run words finetune --task lm --init char-gpt/run --train data/other.txt --lora-rank 2 --steps 10 --out "$case/words"
}
case_tokenizers() {
  local type
  for type in byte-bpe bpe wordpiece char byte; do
    run "$type" tokenizer train data/text.txt --type "$type" --vocab 300 --out "$case/$type.json"
    run "$type-ids" tokenizer encode "$case/$type.json" <data/other.txt
  done
  run lower tokenizer train data/text.txt --type wordpiece --lowercase --vocab 200 --out "$case/lower.json"
  run store data build data/text.txt --tokenizer "$case/bpe.json" --documents paragraph --out "$case/store.h5"
  run pairs data build data/text.txt --tokenizer "$case/lower.json" --task mlm-nsp --context 48 --out "$case/pairs.h5"
}
case_export() {
  local from
  for from in char-gpt bpe-gpt gpt1 bert classify tag; do
    run "$from" checkpoint export "$from/run" --format hf --out "$case/$from"
  done
  run import checkpoint import "$case/bpe-gpt" --out "$case/imported.h5"
  run loaded generate "$case/bpe-gpt" --prompt "the cat" --greedy -n 20
}
# The first half of a run as a kill leaves it: all checkpoints after update 20 are taken away.
case_killed() {
  run gpt train data/text.txt --tokenizer char "${small[@]}" --dropout 0.1 --accumulate 2 --steps 60 --keep-last 9 --out "$case/gpt"
  run bert train data/text.txt --model bert --vocab 160 "${small[@]}" --dropout 0.1 --steps 60 --keep-last 9 --out "$case/bert"
  run classes finetune --init bert/run --task classify --data data/classes-train.tsv --batch 8 --dropout 0.1 --steps 60 \
    --eval-every 20 --save-every 20 --keep-last 9 --out "$case/classes"
  run resumed train data/text.txt --tokenizer char "${small[@]}" --steps 20 --out "$case/longer"
  run longer train --resume "$case/longer" --steps 40
}
all_cases=(char-gpt bpe-gpt gpt1 bert defaults masked-words classify classify-gpt classify-nothing regress multilabel tag
  qa choice lora tokenizers export killed)

# ---- Comparing --------------------------------------------------------------------------------------------------

without_clock() { sed -E 's/,"wall_clock":\{[^}]*\}//' "$1"; }
settings() { sed -nE 's/ +# [a-z ]*$//; s/^([a-z0-9-]+) = /\1\t/p' "$1" | LC_ALL=C sort; }  # name TAB value
same_settings() {  # of the names that both have
  LC_ALL=C join -t $'\t' <(settings "$1") <(settings "$2") | awk -F '\t' '$2 != $3 {exit 1}'
}
same_checkpoint() {  # an attribute of the state that one of the two programs does not know is none of its business
  local differences
  differences=$("$this" checkpoint diff "$1" "$2" 2>&1) && return 0
  ! grep -qvE '^not counted:|^state [a-z_]+ +( and .*|.* and )$|^[0-9]+ differences?$' <<<"$differences"
}
same_file() {
  case $1 in
    *.jsonl) cmp -s <(without_clock "$1") <(without_clock "$2") ;;
    */config.toml | *-settings.out) same_settings "$1" "$2" ;;
    *) cmp -s "$1" "$2" || { cmp -s -n 8 <(printf RAPTCKPT) "$1" && same_checkpoint "$1" "$2"; } ;;
  esac
}

differing=()
# compare NAME FOLDER FOLDER: one line, and into `differing` what is not the same.
compare() {
  local name=$1 a=$2 b=$3 file folder files=0 found=()
  for folder in "$a" "$b"; do
    [ ! -e "$folder/failed" ] || found+=("${folder#"$work/"}: $(head -n 1 "$folder/failed")")
  done
  if [ ${#found[@]} -eq 0 ]; then  # else the command that failed explains what is missing
    while read -r file; do
      files=$((files + 1))
      if [ ! -e "$a/$file" ]; then
        found+=("$file only in ${b#"$work/"}")
      elif [ ! -e "$b/$file" ]; then
        found+=("$file only in ${a#"$work/"}")
      elif ! same_file "$a/$file" "$b/$file"; then
        found+=("$file")
      fi
    done < <({ cd "$a" && find . -type f; cd "$b" && find . -type f; } | sed 's,^\./,,' |
      grep -vE '\.err$|^failed$|(^|/)lock$' | sort -u)
    [ $files -gt 0 ] || found+=("no files")
  fi
  if [ ${#found[@]} -eq 0 ]; then
    printf 'same     %-18s %3d files\n' "$name" $files
  else
    printf 'DIFFERS  %-18s %s\n' "$name" "$(printf '%s; ' "${found[@]}")"
    differing+=("$name")
  fi
}

# resume_with PROGRAM FROM: what `case_killed` wrote in folder FROM, cut at update 20 and ended by PROGRAM.
resume_with() {
  local program=$1 from=$2 case=killed kind file
  mkdir -p killed
  ln -s "$from/data" "$from/bert" .
  for kind in gpt bert classes; do
    cp -r "$from/killed/$kind" killed/
    for file in killed/"$kind"/{step-*,last,best}.h5; do
      cmp -s "$file" "killed/$kind/step-00000020.h5" || rm -f "$file"
    done
    run "$kind" train --resume "killed/$kind" || true
    cp "$from/killed/$kind.out" killed/  # what a resumed run prints is another matter
  done
  cp -r "$from"/killed/{longer,resumed.out,longer.out} killed/
}

cases=("${all_cases[@]}")
if [ $# -gt 0 ]; then
  last=0
  for name in "$@"; do
    at=$(printf '%s\n' "${all_cases[@]}" | grep -nxF -- "$name" | cut -d: -f1) ||
      { echo "same_bits: no case $name; the cases are ${all_cases[*]}" >&2; exit 64; }
    [ "$at" -le $last ] || last=$at
  done
  cases=("${all_cases[@]:0:last}")
fi

# Everything that one program computes, in its folder.
run_cases() {
  local program=$1 case
  cd "$2"
  write_data
  for case in "${cases[@]}"; do
    mkdir -p "$case"
    "case_${case//-/_}" || true  # what failed stands in the case's folder
  done
}
run_cases "$other" "$work/other" &
run_cases "$this" "$work/this"
wait $!
for name in "${cases[@]}"; do compare "$name" "$work/other/$name" "$work/this/$name"; done
if [ "${cases[-1]}" = killed ] && [ ! -e "$work/other/killed/failed" ] && [ ! -e "$work/this/killed/failed" ]; then
  mkdir -p "$work"/resumed/by-{this,other}
  (cd "$work/resumed/by-this" && resume_with "$this" "$work/other") &
  (cd "$work/resumed/by-other" && resume_with "$other" "$work/this")
  wait $!
  compare resumed-by-this "$work/other/killed" "$work/resumed/by-this/killed"
  # A program refuses checkpoints with settings that it does not know.
  new=$(LC_ALL=C join -t $'\t' -v 1 <(settings "$work/this/killed/gpt/config.toml") \
    <(settings "$work/other/killed/gpt/config.toml") | cut -f 1 | tr '\n' ' ')
  if [ -z "$new" ]; then
    compare resumed-by-other "$work/this/killed" "$work/resumed/by-other/killed"
  else
    printf 'skipped  %-18s the other program has no setting %s\n' resumed-by-other "$new"
  fi
fi
[ ${#differing[@]} -eq 0 ] || { echo "differing: ${differing[*]}" >&2; exit 1; }
