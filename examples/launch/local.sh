#!/usr/bin/env bash
# On this host: as many ranks as world_size says.
tradewind run config.yaml "$@"
