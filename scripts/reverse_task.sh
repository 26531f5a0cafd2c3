#!/bin/sh
# Writes pairs of the reverse task, on which attention can be seen: the target is the source backwards. 50,000 training
# pairs of 1 to 25 numbers from 0 to 50, and 1,000 each for validation and test, as in JoeyNMT's tutorial.
#
#   scripts/reverse_task.sh reverse
#   rapt train --source reverse/train.src --target reverse/train.tgt --valid-source reverse/valid.src \
#     --valid-target reverse/valid.tgt --tokenizer word --minutes 5
set -eu
if [ $# -ne 1 ]; then
  echo "usage: scripts/reverse_task.sh FOLDER" >&2
  exit 64
fi
mkdir -p "$1"
for part in train:50000:1 valid:1000:2 test:1000:3; do
  name=${part%%:*} rest=${part#*:}
  awk -v pairs="${rest%%:*}" -v state="${rest#*:}" -v out="$1/$name" '
    # Park and Miller 1988: the same numbers in every awk.
    function below(bound) {
      state = (state * 16807) % 2147483647
      return int(state / 2147483647 * bound)
    }
    BEGIN {
      for (i = 0; i < 100; ++i) below(1)
      for (i = 0; i < pairs; ++i) {
        count = 1 + below(25)
        forwards = backwards = ""
        for (k = 0; k < count; ++k) {
          number = below(51)
          forwards = forwards (k > 0 ? " " : "") number
          backwards = number (k > 0 ? " " : "") backwards
        }
        print forwards > (out ".src")
        print backwards > (out ".tgt")
      }
    }'
done
