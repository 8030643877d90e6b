#!/usr/bin/env bash
# Checks what `tradewind inspect` says about a case's checkpoint against case.json: parameters, nodes and edges.
#   inspect_case.sh CASE_DIR
#   TRADEWIND_BIN   folder of the executables under test (default: build/release/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=${TRADEWIND_BIN:-$here/../../build/release/bin}
"$bin/tradewind" inspect "${1:?usage: inspect_case.sh CASE_DIR}/inference-last.ckpt" --json |
  python3 "$here/inspect_case.py" "$1/case.json"
