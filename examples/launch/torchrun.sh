#!/usr/bin/env bash
# One rank per process of torchrun; the ranks meet in the run folder.
torchrun --standalone --nproc-per-node 2 --no-python tradewind run config.yaml "$@"
