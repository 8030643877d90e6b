#!/usr/bin/env bash
# What mpirun takes for ssh: rsh.sh [-OPTION...] HOST COMMAND... runs the command on a simulated host of cluster.sh.
set -euo pipefail
while [[ $1 == -* ]]; do shift; done
host=$1
shift
exec "$(dirname "${BASH_SOURCE[0]}")/cluster.sh" in "$host" env -C "$PWD" bash -c "$*"
