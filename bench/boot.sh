#!/bin/bash
# Boot of a private node: RabbitMQ's own script as it comes, against `brokerlab broker start`, in turn.
# Stock: from exec to the answer to an AMQP header. Ours: the whole command, login and process start included.
# usage: bench/boot.sh [path of brokerlab] [rounds]
set -eu
program=$(realpath "${1:-build/brokerlab}")
rounds=${2:-3}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TMPDIR=$scratch XDG_RUNTIME_DIR=$scratch

now() { date +%s%N; }

answers() {  # whether an AMQP broker on port $1 answers the protocol header
  { exec 7<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
  printf 'AMQP\0\0\011\001' >&7
  local first=0
  IFS= read -r -t 2 -n 1 -u 7 && first=1
  exec 7>&-
  [ $first = 1 ]
}

stock() {  # prints nanoseconds
  local port=$((20000 + RANDOM % 2000 * 6)) folder=$scratch/stock beam epmd start
  mkdir -p "$folder"/{home,mnesia,log,etc}
  echo '[rabbitmq_consistent_hash_exchange,rabbitmq_management,rabbitmq_prometheus].' >"$folder/etc/enabled_plugins"
  printf '%s\n' "management.tcp.ip = 127.0.0.1" "management.tcp.port = $((port + 3))" \
    "prometheus.tcp.ip = 127.0.0.1" "prometheus.tcp.port = $((port + 4))" >"$folder/etc/rabbitmq.conf"
  local clean=(env -i PATH="$PATH" HOME="$folder/home" LANG=C.UTF-8 ERL_EPMD_ADDRESS=127.0.0.1
    ERL_EPMD_PORT=$((port + 1)))
  "${clean[@]}" epmd -address 127.0.0.1 -port $((port + 1)) </dev/null >/dev/null 2>&1 &
  epmd=$!
  start=$(now)
  "${clean[@]}" RABBITMQ_NODENAME=stock@localhost RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_NODE_PORT=$port \
    RABBITMQ_DIST_PORT=$((port + 2)) RABBITMQ_MNESIA_BASE="$folder/mnesia" RABBITMQ_LOG_BASE="$folder/log" \
    RABBITMQ_PID_FILE="$folder/pid" RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$folder/etc/rabbitmq" \
    RABBITMQ_ENABLED_PLUGINS_FILE="$folder/etc/enabled_plugins" RUNNING_UNDER_SYSTEMD=true \
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}' \
    /usr/lib/rabbitmq/bin/rabbitmq-server </dev/null >"$folder/output" 2>&1 &
  beam=$!
  until answers $port; do
    kill -0 $beam 2>/dev/null || { tail -3 "$folder/output" >&2; kill $epmd; exit 1; }
    sleep 0.02
  done
  echo $(($(now) - start))
  kill -9 $beam $epmd
  wait $beam $epmd 2>/dev/null || true
  rm -rf "$folder"
}

ours() {
  local start
  start=$(now)
  "$program" broker start >/dev/null 2>&1 || { "$program" broker start >&2; exit 1; }
  echo $(($(now) - start))
  "$program" broker stop >/dev/null
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }
seconds() { printf '%d.%02d s' $(($1 / 1000000000)) $(($1 / 10000000 % 100)); }

stocks=() own=()
for round in $(seq "$rounds"); do
  stocks+=("$(stock 2>/dev/null)")
  own+=("$(ours)")
  echo "round $round: stock $(seconds "${stocks[-1]}"), brokerlab $(seconds "${own[-1]}")"
done
a=$(median "${stocks[@]}") b=$(median "${own[@]}")
echo "median: stock $(seconds "$a"), brokerlab $(seconds "$b"): $((b * 100 / a)) % (the goal: at most 75 %)"
