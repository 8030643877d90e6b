#!/usr/bin/env bash
# Any runner over several ranks: here the one that makes ones instead of a forecast, to try out paths and outputs.
tradewind run config.yaml 'runner={parallel: {base_runner: no-model}}' "$@"
