#!/bin/bash
# Every row of the card's table in one go, in under 14 minutes: each line is bounded by itself, and none
# begins when the time is up. In a clone's root, on the machine with the card:
#   OUT=folder PY=python-with-torch .github/card/measure.sh [line ...]     all lines, or those named
# It needs deno on the PATH and the packages in DENO_DIR (`deno install` once, where there is a network); a
# Python with PyTorch and CUDA for the rows against PyTorch, which are left out without. It ends with a
# table, OUT/card_rows.json, in the form of fixtures/results/: copy it there and run `deno task tables`.
# TINY=1 takes the smallest models and counts and six times the time, to see without a card that each line
# still runs. What each line printed is in OUT/LINE.txt.
set -u
OUT=${OUT:-card} PY=${PY:-/usr/bin/python3} TINY=${TINY:-0} T=$(mktemp -d)
OUT=$(mkdir -p "$OUT" && cd "$OUT" && pwd)
END=$((SECONDS + 820)) LONGER=1
R="deno run -A --check=none --config deno.json"
SMALL=vit_small_patch8_64 BASE=vit_base_patch16_224 MORE="" MANY="--batch 256" PEOPLE=300 EPOCHS=12
export LETHE_REQUIRE_GPU=1
TESTS="deno task test"
if [ "$TINY" = 1 ]; then
  SMALL=vit_demo_patch8_32 BASE=vit_demo_patch8_32 MORE="--batch 2" MANY="--batch 4" PEOPLE=40 EPOCHS=2
  TESTS="deno test --no-prompt --no-check -A tests/tensor/recording tests/e2e/device_lost_test.ts"
  END=$((SECONDS + 6 * 820)) LONGER=6
fi
ONCE="--repetitions 1 --seconds 0"
TORCH="tasks/bench_pytorch.ts --device webgpu --json --python $PY"
BENCH="tasks/bench.ts --device webgpu --json"
declare -A LINES=(
  [selfcheck]="30 $R tasks/selfcheck.ts --device webgpu --json"
  [half]="25 $R tasks/selfcheck.ts --device webgpu --precision half --json"
  [small]="35 $R $TORCH $MORE --preset $SMALL --repetitions 2 --seconds 1"
  [many]="25 $R $TORCH $MANY --preset $SMALL $ONCE --steps evaluation --modes fp32"
  [report]="30 $R $BENCH --preset $SMALL $MORE --parts card"
  [base_meta]="40 $R $TORCH $MORE --preset $BASE --support 20 $ONCE --steps meta --modes fp32"
  [base_steps]="40 $R $TORCH $MORE --preset $BASE --support 20 $ONCE --steps training --modes fp32"
  [products]="45 $R $BENCH --preset $BASE $MORE $ONCE --parts kernels"
  [kernels]="20 $R --location https://measure.invalid .github/card/measure_kernels.ts $BASE"
  [demo_a]="40 $R tasks/demo.ts --device webgpu --out $T/a"
  [demo_b]="40 $R tasks/demo.ts --device webgpu --out $T/b"
  [metaunlearn]="25 $R tasks/demo.ts --device webgpu --method metaunlearn --out $T/c"
  [input]="20 $R tasks/train.ts --data $T/p64 --split $T/s64.json --preset $SMALL --recipe portraits --epochs $EPOCHS --device webgpu --out $T/m64"
  [tests]="300 $TESTS"
)
# The most wanted first: what has no time left is said to be so.
ORDER="demo_a base_meta selfcheck small report many base_steps products kernels half demo_b metaunlearn input tests"
for line in ${*:-$ORDER}; do
  read -r seconds command <<< "${LINES[$line]}"
  seconds=$((seconds * LONGER)) left=$((END - SECONDS))
  if [ "$left" -lt 5 ]; then
    echo "$line: no time left" | tee -a "$OUT/when.txt"
    continue
  fi
  if [ "$seconds" -gt "$left" ]; then seconds=$left; fi
  if [ "$line" = input ]; then
    timeout -k 5 $((20 * LONGER)) $R tasks/portraits.ts --identities $PEOPLE --images-per-identity 6 --size 64 --out "$T/p64" --seed 1 &&
      timeout -k 5 $((15 * LONGER)) $R tasks/split.ts --data "$T/p64" --dataset celeba --forget 8 --out "$T/s64.json" --requests "$T/r64"
  fi > "$OUT/made_$line.log" 2>&1
  begun=$SECONDS
  # What does not end by itself then is ended: the card's time is short.
  timeout -k 5 "$seconds" $command > "$T/out" 2> "$T/err"
  code=$?
  { tail -c 20000 "$T/err"; tail -c 400000 "$T/out"; } > "$OUT/$line.txt"
  echo "$line: exit $code after $((SECONDS - begun)) s" | tee -a "$OUT/when.txt"
done
# Two runs give the same bytes, but for what keys decide.
if [ -d "$T/a" ] && [ -d "$T/b" ]; then
  { echo "$(find "$T/a" -type f | wc -l) files"; (cd "$T" && diff -rq a b); } > "$OUT/same.txt"
fi
rm -rf "$T"
commit=$(git rev-parse HEAD 2>/dev/null || echo 0000000)
machine="$(nproc) cores, $(uname -m)"
deno run --allow-read --allow-write .github/card/rows.ts "$OUT" "$commit" "$machine"
