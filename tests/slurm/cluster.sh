#!/usr/bin/env bash
# A real Slurm with several simulated hosts on this one: each has a network, a name, mounts and processes of its own.
# Needs root, network namespaces and Debian's slurm-wlm, munge and iproute2; touches nothing in /etc.
#   cluster.sh start N          munged, slurmctld and N slurmd: host1 to hostN
#   cluster.sh stop             ends the jobs and everything that start made
#   cluster.sh missing          says what this machine lacks for a start; nothing when it lacks nothing
#   cluster.sh env              prints what a shell needs to talk to this Slurm
#   cluster.sh in HOST CMD...   runs a command on a simulated host
#   cluster.sh pids             processes of jobs, and whatever else runs on the hosts but the hosts' own
#   cluster.sh host PID         the host on which a process runs
#   cluster.sh crash HOST       the host vanishes: daemon, steps and tasks die at once
#   cluster.sh cut HOST         its network goes down; `cluster.sh mend HOST` brings it back
# Environment:
#   CLUSTER_DIR   folder of the cluster, one each; several may run at once (required)
#   CLUSTER_CPUS, CLUSTER_GPUS   what each host claims [16, 4]; the GPUs are not real
#   CLUSTER_LAUNCH_PARAMETERS    Slurm's LaunchParameters
set -euo pipefail
export PATH=$PATH:/usr/sbin:/sbin
dir=${CLUSTER_DIR:?set CLUSTER_DIR to a folder for the cluster}
cpus=${CLUSTER_CPUS:-16} gpus=${CLUSTER_GPUS:-4}
export SLURM_CONF=$dir/etc/slurm.conf
# Ports, names and addresses of each cluster's own, from its folder. The ports lie below the ephemeral range.
sum=$(printf %s "$dir" | cksum | cut -d' ' -f1)
port=$((20000 + sum % 90 * 100))
tag=t$(printf %x $((sum % 65536)))
subnet=10.$((64 + sum % 64)).$((sum / 64 % 250))
fail() { echo "cluster.sh: $*" >&2; exit 1; }

running() {  # running PID: a zombie does not count
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  stat=${stat##*) }
  [[ ${stat%% *} != [ZX] ]]
}
end_of_file() {  # end_of_file PIDFILE GRACE: TERM, KILL after GRACE tenths of a second
  local pid i
  pid=$(cat "$1" 2>/dev/null) || return 0
  rm -f "$1"
  [[ -n $pid ]] && kill "$pid" 2>/dev/null || return 0
  for ((i = 0; i < $2; i++)); do running "$pid" || return 0; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null || true
}
job_pids() {  # what jobs have started: no other process has our SLURM_CONF and a job's id
  local file
  for file in $(grep -lzxF "SLURM_CONF=$SLURM_CONF" /proc/[0-9]*/environ 2>/dev/null); do
    file=${file%/environ}
    if grep -qx slurmstepd "$file/comm" 2>/dev/null || grep -qz '^SLURM_JOB_ID=' "$file/environ" 2>/dev/null; then
      echo "${file#/proc/}"
    fi
  done
  true
}

first_of() {  # first_of SPACEFILE: the first process of that host, as this host knows it
  local space
  space=$(cat "$1") && cut -d' ' -f1 "/proc/$space/task/$space/children" 2>/dev/null
}
host_of() {  # host_of PID
  local file first
  for file in "$dir"/run/*.space; do
    first=$(first_of "$file") || continue
    [[ -n $first && /proc/$1/ns/pid -ef /proc/$first/ns/pid ]] || continue
    file=${file##*/}
    echo "${file%.space}"
  done
}
# Whatever has cleaned its environment is still in the host's process namespace. Not of jobs: the first process, its
# sleep, slurmd, and what a test has marked by CLUSTER_BYSTANDER.
host_pids() {
  local file first process name
  for file in "$dir"/run/*.space; do
    [[ -e $file ]] || continue
    first=$(first_of "$file") || continue
    [[ -n $first ]] || continue
    for process in /proc/[0-9]*; do
      [[ $process/ns/pid -ef /proc/$first/ns/pid && ${process#/proc/} != "$first" ]] || continue
      name=$(cat "$process/comm" 2>/dev/null) || continue
      [[ $name == slurmd ]] && continue
      [[ $name == sleep && " $(cat "/proc/$first/task/$first/children" 2>/dev/null) " == *" ${process#/proc/} "* ]] && continue
      grep -qz '^CLUSTER_BYSTANDER=' "$process/environ" 2>/dev/null && continue
      running "${process#/proc/}" && echo "${process#/proc/}"
    done
  done
  true
}

missing() {
  [[ $(id -u) == 0 ]] || { echo "root"; return; }
  local program
  for program in slurmctld slurmd srun sbatch munged ip unshare nsenter; do
    command -v "$program" >/dev/null || { echo "the program $program"; return; }
  done
  ip netns add "$tag-try" 2>/dev/null || { echo "network namespaces"; return; }
  ip netns del "$tag-try"
  ip link add "$tag-try" type bridge 2>/dev/null || { echo "network bridges"; return; }
  ip link del "$tag-try"
}

configure() {  # configure N
  local i me host
  me=$(id -un) host=$(hostname -s)
  mkdir -p "$dir"/{etc,state,spool,log,run,dev}
  chmod 755 "$dir" "$dir"/*
  head -c 128 /dev/urandom >"$dir/etc/munge.key"
  chmod 600 "$dir/etc/munge.key"
  cat >"$SLURM_CONF" <<CONF
ClusterName=$tag
SlurmctldHost=$host($subnet.254)
SlurmctldPort=$port
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$dir/run/munge.socket
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool/%n
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd.%n.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd.%n.log
SlurmdDebug=info
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,bf_interval=1,sched_interval=1
MpiDefault=none
ReturnToService=2
MailProg=/bin/true
KillWait=5
MinJobAge=600
SlurmdTimeout=15
MessageTimeout=30
PlugStackConfig=$dir/etc/plugstack.conf
${CLUSTER_LAUNCH_PARAMETERS:+LaunchParameters=$CLUSTER_LAUNCH_PARAMETERS}
CONF
  local gres=
  : >"$dir/etc/plugstack.conf"
  : >"$dir/etc/gres.conf"
  echo CgroupPlugin=cgroup/v1 >"$dir/etc/cgroup.conf" # without it slurmd looks for a cgroup file system
  if ((gpus > 0)); then
    for ((i = 0; i < gpus; i++)); do ln -sfn /dev/null "$dir/dev/nvidia$i"; done
    echo "NodeName=host[1-$1] Name=gpu File=$dir/dev/nvidia[0-$((gpus - 1))]" >"$dir/etc/gres.conf"
    echo GresTypes=gpu >>"$SLURM_CONF"
    gres=" Gres=gpu:$gpus"
  fi
  printf '127.0.0.1 localhost\n%s %s\n' "$subnet.254" "$host" >"$dir/etc/hosts"
  printf 'hosts: files\n' >"$dir/etc/nsswitch.conf"
  for ((i = 1; i <= $1; i++)); do
    echo "NodeName=host$i NodeHostname=host$i NodeAddr=$subnet.$i Port=$((port + 1)) CPUs=$cpus RealMemory=100000 State=UNKNOWN$gres" >>"$SLURM_CONF"
    echo "$subnet.$i host$i" >>"$dir/etc/hosts"
  done
  echo "PartitionName=main Nodes=host[1-$1] Default=YES MaxTime=INFINITE State=UP OverSubscribe=YES" >>"$SLURM_CONF"
}

start_host() {  # start_host NUMBER
  local name=host$1 space=$tag-host$1
  mkdir -p "$dir/spool/$name"
  ip netns add "$space"
  ip link add "$tag.$1" type veth peer name eth0 netns "$space"
  ip link set "$tag.$1" master "$tag" up
  ip -n "$space" addr add "$subnet.$1/24" dev eth0
  ip -n "$space" link set eth0 up
  ip -n "$space" link set lo up
  ip -n "$space" route add default via "$subnet.254"
  # Its first process reaps orphans; when it is killed, the whole host is gone.
  # shellcheck disable=SC2016
  setsid ip netns exec "$space" unshare --uts --mount --pid --fork --kill-child --mount-proc bash -c '
    hostname "$1"
    mount --bind "$2/etc/hosts" /etc/hosts
    mount --bind "$2/etc/nsswitch.conf" /etc/nsswitch.conf
    trap "exit 0" TERM
    slurmd -D -N "$1" & while :; do wait; sleep 0.2; done' host "$name" "$dir" </dev/null >>"$dir/log/$name.out" 2>&1 &
  echo $! >"$dir/run/$name.space"
}

crash_host() {  # crash_host NAME
  local pid
  pid=$(cat "$dir/run/$1.space" 2>/dev/null) || return 0
  kill -9 "$pid" 2>/dev/null || true # unshare --kill-child: its first process goes too, and all others with it
  ip link del "$tag.${1#host}" 2>/dev/null || true
  ip netns del "$tag-$1" 2>/dev/null || true
  rm -f "$dir/run/$1.space" "$dir/run/slurmd.$1.pid"
}

await_hosts() {  # await_hosts N
  local i up=0
  for ((i = 0; i < 400; i++)); do
    up=$(timeout 5 sinfo -h -N -o '%N %t' 2>/dev/null | grep -cE ' (idle|mix|alloc)$' || true)
    [[ $up == "$1" ]] && return 0
    sleep 0.1
  done
  tail -n 5 "$dir"/log/* >&2
  fail "only $up of $1 hosts came up"
}

start() {
  local i lack
  lack=$(missing)
  [[ -z $lack ]] || fail "this machine lacks $lack"
  mkdir -p "$dir"
  configure "$1"
  munged --force --key-file="$dir/etc/munge.key" --socket="$dir/run/munge.socket" --pid-file="$dir/run/munged.pid" \
    --log-file="$dir/log/munged.log" --seed-file="$dir/run/munge.seed" --num-threads=4
  ip link add "$tag" type bridge
  ip addr add "$subnet.254/24" dev "$tag"
  ip link set "$tag" up
  setsid slurmctld -c </dev/null >>"$dir/log/slurmctld.out" 2>&1
  for ((i = 1; i <= $1; i++)); do start_host "$i"; done
  await_hosts "$1"
}

# Nothing of the state is kept, and an orderly end of the daemons takes seconds: jobs are killed, daemons shot.
stop() {
  local file pid round
  [[ -d $dir/run ]] || return 0
  if [[ -f $dir/run/slurmctld.pid ]]; then timeout 5 scancel --full -s KILL -u "$(id -un)" 2>/dev/null || true; fi
  for file in "$dir"/run/*.space; do
    [[ -e $file ]] || continue
    file=${file##*/}
    crash_host "${file%.space}"
  done
  for round in 1 2; do
    for pid in $(job_pids); do [[ $pid == "$$" || $pid == "$PPID" ]] || kill -9 "$pid" 2>/dev/null || true; done
  done
  end_of_file "$dir/run/slurmctld.pid" 0
  end_of_file "$dir/run/munged.pid" 10
  ip link del "$tag" 2>/dev/null || true
}

case ${1:-} in
  start) start "${2:?start N}" ;;
  stop) stop ;;
  missing) missing ;;
  env) printf 'export SLURM_CONF=%q\n' "$SLURM_CONF" ;;
  pids) { job_pids; host_pids; } | sort -nu ;;
  host) host_of "${2:?host PID}" ;;
  crash) crash_host "${2:?crash HOST}" ;;
  cut) ip link set "$tag.${2#host}" down ;;
  mend) ip link set "$tag.${2#host}" up ;;
  in)
    first=$(first_of "$dir/run/${2:?in HOST CMD}.space")
    shift 2
    exec nsenter -t "$first" -n -u -m -p -- "$@"
    ;;
  *)
    sed -n '2,15p' "$0" >&2
    exit 2
    ;;
esac
