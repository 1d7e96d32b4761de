#!/bin/bash
#
# bench.sh
#	  What make bench does: time the meters and bills against plain SQL, hll,
#	  DuckDB and embedded ClickHouse over the same rows, on a throwaway server.
#
# SCALE=1     20,000,000 logins and 10,000,000 moderation checks; 0.05 is a try
# ROUNDS=3    rounds, in each of which all run in turn; medians are shown
# ORDERS="6250 25000 100000"   numbers of orders of one app
# APPS="10000 100000 1000000"   numbers of apps that are billed from daily figures
# ONLY="dau deductions"   these sections alone
# SHARED_BUFFERS=6GB      what the server caches; default: a quarter of memory
# PEERS_FOLDER=...        has node_modules with the peers; default: npm install
# OUT=file    also writes the tables there
# NOTE=text   goes beside the machine
# UPDATE_DOC=1            puts the tables into doc/benchmarks.md
# BASE=COMMIT             compares with that commit instead: see bench_base.sh
#
# Answers that ought to be equal are compared; no time is asserted.
set -euo pipefail
[ -z "${BASE:-}" ] || exec "$(dirname "$0")/bench_base.sh"
. "$(dirname "$0")/server.sh"
. "$ROOT/test/bench/measure.sh"
. "$ROOT/test/bench/cases.sh"
. "$ROOT/test/bench/bills.sh"
. "$ROOT/test/bench/closing.sh"
. "$ROOT/test/bench/metering.sh"
. "$ROOT/test/bench/growth.sh"
. "$ROOT/test/bench/instructions.sh"
. "$ROOT/test/bench/finance.sh"
. "$ROOT/test/bench/events.sh"
. "$ROOT/test/bench/orders.sh"
. "$ROOT/test/bench/front.sh"

SECTIONS='dau dau_36 growth deductions events union copy metering bills latency finance limits closing orders front instructions'
SCALE=${SCALE:-1}
ROUNDS=${ROUNDS:-3}
APPS=${APPS:-10000 100000 1000000}
PER_MILLE=$(awk "BEGIN { print int($SCALE * 1000) }")
KEEP_DATABASE=bench
declare -A PEERS=()

wants() {
	[[ " ${ONLY:-$SECTIONS} " == *" $1 "* ]]
}

# hll is wanted, not needed: only where it can be had.
missing_for_bench() {
	if [ -e "$PGSHAREDIR/extension/hll.control" ] || ! can_be_root; then
		return 0
	fi
	refresh_package_lists
	[ -z "$(apt-cache show "postgresql-$PGMAJOR-hll" 2>/dev/null)" ] || echo "postgresql-$PGMAJOR-hll"
}

# As much as the manual advises a server to have, of what this machine or
# this container may use.
quarter_of_memory() {
	local limit
	limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
	awk -v limit="$limit" '/^MemTotal/ {
		mb = $2 / 1024
		if (limit != "max" && limit / 1048576 < mb)
			mb = limit / 1048576
		print int(mb / 4) "MB" }' /proc/meminfo
}

bench_sql() {
	as_user psql -X -q -v ON_ERROR_STOP=1 -d bench "$@"
}

# ---- peers ----

# Where there is no npm, or nothing for this machine, we do without.
find_peers() {
	mkdir -p "$WORK/peers"
	if [ -n "${PEERS_FOLDER:-}" ]; then
		ln -s "$PEERS_FOLDER/node_modules" "$WORK/peers/node_modules"
	elif command -v npm >/dev/null; then
		install_peer @duckdb/node-api
		install_peer chdb
	fi
	try_peer duckdb "SELECT 'DuckDB ' || version()"
	try_peer clickhouse "SELECT 'ClickHouse ' || version()"
	if bench_sql -c 'CREATE EXTENSION hll' 2>/dev/null; then
		PEERS[hll]=$(bench_sql -At -c "SELECT 'hll ' || extversion FROM pg_extension WHERE extname = 'hll'")
	else
		say "without hll: no package for PostgreSQL $PGMAJOR is installed"
	fi
}

install_peer() {
	say "npm install $1"
	(cd "$WORK/peers" && npm install --no-fund --no-audit "$1" >"$WORK/npm.log" 2>&1) || true
}

try_peer() {
	PEERS[$1]=$(peer "$1" 1 <<<"$2" 2>/dev/null) || PEERS[$1]=
	[ -n "${PEERS[$1]}" ] || say "without $1: its npm package is not installed or does not run here"
}

# load_peers TABLE COLUMNS-OF-DUCKDB COLUMNS-OF-CLICKHOUSE
# DuckDB has the instants twice: as PostgreSQL has them, and as wall clocks of
# UTC, whose days it finds faster if one knows the offset.  ClickHouse has the
# rows twice: as they came, and sorted by app, which does part of the work of
# its queries beforehand.
load_peers() {
	local csv=$WORK/$1.csv
	[ -n "${PEERS[duckdb]}${PEERS[clickhouse]}" ] || return 0
	bench_sql -c "COPY (SELECT * FROM $1) TO '$csv' (FORMAT csv)"
	[ -z "${PEERS[duckdb]}" ] || peer duckdb "$(nproc)" >/dev/null <<-SQL
		CREATE TABLE $1 AS SELECT *, "at" AT TIME ZONE 'UTC' AS utc FROM read_csv('$csv', header = false, columns = {$2})
	SQL
	load_clickhouse "$1" "$3" at "$csv"
	load_clickhouse "$1_sorted" "$3" '(app_id, at)' "$csv"
	rm "$csv"
}

# load_clickhouse TABLE COLUMNS ORDER FILE
load_clickhouse() {
	[ -z "${PEERS[clickhouse]}" ] || peer clickhouse "$(nproc)" >/dev/null <<-SQL
		CREATE TABLE $1 ($2) ENGINE = MergeTree ORDER BY $3;
		SET date_time_input_format = 'best_effort';
		INSERT INTO $1 SELECT * FROM file('$4', 'CSV');
		OPTIMIZE TABLE $1 FINAL
	SQL
}

CLICKHOUSE_LOGIN='app_id Int64, user_id String, at DateTime('"'UTC'"')'

load_peer_logins() {
	load_peers "$1" "app_id: 'BIGINT', user_id: 'VARCHAR', \"at\": 'TIMESTAMPTZ'" "$CLICKHOUSE_LOGIN"
}

# ---- data ----

prepare() {
	say "making data at scale $SCALE"
	if wants dau || wants dau_36 || wants copy || wants metering; then
		bench_sql -v rows=$((20000 * PER_MILLE)) -v per_mille="$PER_MILLE" <"$ROOT/test/bench/logins.sql"
		load_peer_logins login
		load_peer_logins login_36_days
	fi
	if wants deductions; then
		bench_sql -v rows=$((10000 * PER_MILLE)) <"$ROOT/test/bench/checks.sql"
		load_peers moderation_check "app_id: 'BIGINT', \"at\": 'TIMESTAMPTZ', kind: 'VARCHAR', seconds: 'INTEGER'" \
			"app_id Int64, at DateTime('UTC'), kind LowCardinality(String), seconds Nullable(Int32)"
	fi
	! wants events || prepare_events
	! wants union || prepare_sets
	! wants growth || prepare_growth
	! { wants copy || wants metering; } || prepare_metering
	! wants instructions || prepare_instructions
	if wants bills || wants latency || wants closing; then
		prepare_apps
	fi
	! wants finance || prepare_finance
	! wants limits || prepare_limits
	! wants orders || prepare_orders
	! { wants front && has_plproxy; } || prepare_front
}

prepare_sets() {
	local day users
	users=$((PER_MILLE < 1000 ? PER_MILLE * 1000 : 1000000))
	bench_sql -v users=$users <"$ROOT/test/bench/sets.sql"
	"${CC:-cc}" -std=c17 -O2 -Wall -Wextra -o "$WORK/merge" "$ROOT/test/bench/merge.c"
	as_user mkdir "$WORK/ids"
	for ((day = 1; day <= 31; day++)); do
		bench_sql -c "COPY (SELECT user_id FROM daily_id WHERE day = $day ORDER BY user_id COLLATE \"C\")
			TO '$WORK/ids/$day'"
	done
}

main() {
	local section round
	: "${SHARED_BUFFERS:=$(quarter_of_memory)}"
	set_up missing_for_server missing_for_bench
	as_user createdb bench
	bench_sql -c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' >/dev/null
	as_user mkdir "$WORK/answers" "$WORK/latency"
	# latencies and closings are kept apart
	: >"$WORK/results"
	echo '\set app random(1, :apps)
SELECT * FROM im_monthly_bill(:app, '"'2023-12'"');' >"$WORK/one_bill.sql"
	find_peers
	prepare
	for ((round = 1; round <= ROUNDS; round++)); do
		say "round $round of $ROUNDS"
		for section in $SECTIONS; do
			! wants "$section" || "section_$section"
		done
	done
	for section in $(awk -F '\t' '$2 !~ /^~/ { print $1 }' "$WORK/results" | sort -u); do
		compare_answers "$section"
	done
	say "done in $SECONDS seconds; all exact answers are equal"
	report | tee "$WORK/report.md"
	[ -z "${OUT:-}" ] || cp "$WORK/report.md" "$OUT"
	[ -z "${UPDATE_DOC:-}" ] || update_document "$WORK/report.md"
}

. "$ROOT/test/bench/report.sh"
main
