#!/usr/bin/env bash
# One rank per process of mpirun, of Open MPI or MPICH. On several hosts, MPI's own options name them: --host a:2,b:2
mpirun -n 2 tradewind run config.yaml "$@"
