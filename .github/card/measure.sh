#!/bin/bash
# Every row of the card's table in one go, at most 8 minutes: each line is bounded by itself. In a clone's root:
#   OUT=folder PY=python-with-torch .github/card/measure.sh [line ...]     all lines, or those named
# TINY=1 takes the smallest models and counts, to see without a card that each line still runs.
set -u
OUT=${OUT:-card} PY=${PY:-/usr/bin/python3} TINY=${TINY:-0} T=$(mktemp -d)
mkdir -p "$OUT"
R="deno run -A --check=none --config deno.json"
SMALL=vit_small_patch8_64 BASE=vit_base_patch16_224 MORE="" PEOPLE=300 EPOCHS=12
if [ "$TINY" = 1 ]; then
  SMALL=vit_demo_patch8_32 BASE=vit_demo_patch8_32 MORE="--batch 2" PEOPLE=40 EPOCHS=2
fi
ONCE="--repetitions 1 --seconds 0"
PYTORCH="tasks/bench_pytorch.ts --device webgpu --python $PY $MORE"
declare -A LINES=(
  [selfcheck]="30 $R tasks/selfcheck.ts --device webgpu"
  [half]="25 $R tasks/selfcheck.ts --device webgpu --precision half"
  [small]="35 $R $PYTORCH --preset $SMALL --repetitions 2 --seconds 1"
  [report]="30 $R tasks/bench.ts --device webgpu --preset $SMALL $MORE --parts card"
  [base_meta]="40 $R $PYTORCH --preset $BASE --support 20 $ONCE --steps meta --modes fp32"
  [base_steps]="40 $R $PYTORCH --preset $BASE --support 20 $ONCE --steps training,evaluation --modes fp32"
  [products]="45 $R tasks/bench.ts --device webgpu --preset $BASE $MORE $ONCE --parts kernels"
  [demo_a]="40 $R tasks/demo.ts --device webgpu --out $T/a"
  [demo_b]="40 $R tasks/demo.ts --device webgpu --out $T/b"
  [metaunlearn]="25 $R tasks/demo.ts --device webgpu --method metaunlearn --out $T/c"
  [input]="20 $R tasks/train.ts --data $T/p64 --split $T/s64.json --preset $SMALL --recipe portraits --epochs $EPOCHS --device webgpu --out $T/m64"
  [tests]="95 deno test --no-prompt --no-check --allow-read --allow-write --allow-env --allow-run --parallel tests/tensor tests/model tests/unlearn tests/selfcheck tests/measure tests/bench"
)
ORDER="selfcheck half small report base_meta base_steps products demo_a demo_b metaunlearn input tests"
for line in ${*:-$ORDER}; do
  if [ "$line" = input ]; then
    timeout -k 5 20 $R tasks/portraits.ts --identities $PEOPLE --images-per-identity 6 --size 64 --out $T/p64 --seed 1 &&
      timeout -k 5 15 $R tasks/split.ts --data $T/p64 --dataset celeba --forget 8 --out $T/s64.json --requests $T/r64
  fi > "$OUT/$line.txt" 2>&1
  read -r seconds command <<< "${LINES[$line]}"
  begun=$SECONDS
  if [ "$line" = tests ]; then export LETHE_REQUIRE_GPU=$((1 - TINY)) LETHE_TEST_DEVICES=webgpu; fi
  # What does not end by itself then is ended: the card's time is short.
  timeout -k 5 "$seconds" $command 2>&1 | tail -c 20000 >> "$OUT/$line.txt"
  echo "$line: exit ${PIPESTATUS[0]} after $((SECONDS - begun)) s" | tee -a "$OUT/when.txt"
done
# Two runs give the same bytes, but for what keys decide.
if [ -d $T/a ] && [ -d $T/b ]; then
  (cd $T && diff -rq a b) > "$OUT/same.txt"
  echo "$(find $T/a -type f | wc -l) files, $(wc -l < "$OUT/same.txt") that differ" | tee -a "$OUT/when.txt"
fi
rm -rf "$T"
