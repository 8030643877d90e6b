#!/usr/bin/env bash
# The surroundings can be overruled: where ranks meet, through which interface, with how many threads. Variables for the
# ranks can also stand under `env:` in the configuration.
export MASTER_ADDR=localhost
export GLOO_SOCKET_IFNAME=lo
export OMP_NUM_THREADS=1
tradewind run config.yaml env.ANEMOI_INFERENCE_NUM_CHUNKS=2 "$@"
