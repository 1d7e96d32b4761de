# measure.sh (sourced)
#	  Measure one query of one engine; record time, memory and answer.
#
# $WORK/results gets a line of fields parted by tabs for each measurement:
# section, label, column, milliseconds, peak kilobytes.  The column is the
# number of processes or threads, "all" for as many as the engine likes.  The
# answer goes to $WORK/answers/SECTION/LABEL; a label that begins with "~" is
# of an approximate or partial answer, which is not compared.

record() {
	printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "${5:-}" >>"$WORK/results"
}

# answer_file SECTION LABEL COLUMN
answer_file() {
	local folder=$WORK/answers/$1
	as_user mkdir -p "$folder"
	printf '%s/%s' "$folder" "$(printf '%s' "$2 $3" | tr -c 'a-zA-Z0-9~(),\n' _)"
}

# warm TABLE.  Loads a table of the database BENCH_DATABASE with its partitions
# and indexes into the server's cache, if all of it fits, or what is measured
# first would pay for what comes after it.
warm() {
	as_user psql -X -q -v ON_ERROR_STOP=1 -d "${BENCH_DATABASE:-bench}" >/dev/null <<-SQL
		SET client_min_messages = warning;
		CREATE EXTENSION IF NOT EXISTS pg_prewarm;
		WITH part(relid) AS (
			SELECT oid FROM pg_class WHERE oid = '$1'::regclass AND relkind = 'r'
			UNION
			SELECT relid FROM pg_partition_tree('$1') WHERE isleaf),
		kept(relid) AS (
			SELECT relid FROM part
			UNION ALL
			SELECT i.indexrelid FROM pg_index i JOIN part ON part.relid = i.indrelid)
		SELECT sum(pg_prewarm(relid)) FROM kept
		WHERE (SELECT sum(pg_relation_size(relid)) FROM kept) < pg_size_bytes(current_setting('shared_buffers'))
	SQL
}

# sql SECTION LABEL 1|all QUERY
# In a fresh session of the database BENCH_DATABASE.  Memory is that of the session's own process without
# what it shares; its workers' is not in it.
sql() {
	local answer workers=0 output
	answer=$(answer_file "$1" "$2" "$3")
	[ "$3" = 1 ] || workers=$(nproc)
	output=$(as_user psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 -d "${BENCH_DATABASE:-bench}" <<-SQL
		SET work_mem = '${WORK_MEM:-1GB}';
		SET jit = off;
		SET max_parallel_workers_per_gather = $workers;
		SELECT pg_backend_pid() AS pid \\gset
		\\setenv BACKEND :pid
		\\o $answer
		\\timing on
		$4;
		\\timing off
		\\o
		\\! awk '/^VmHWM/ { all = \$2 } /^RssShmem/ { print all - \$2 }' /proc/\$BACKEND/status
	SQL
	)
	record "$1" "$2" "$3" $(printf '%s\n' "$output" | sed -n 's/^Time: \([0-9.]*\) ms.*/\1/p; /^[0-9]*$/p')
}

# peer ENGINE THREADS < statements: the rows of the last one; see peers.js
peer() {
	NODE_PATH=$WORK/peers/node_modules node "$ROOT/test/bench/peers.js" "$1" "$WORK/peers/data" "$2"
}

# peer_sql SECTION ENGINE 1|all QUERY [VARIANT]; an absent peer is passed over
peer_sql() {
	local answer label=$2${5:-} threads=1
	[ -n "${PEERS[$2]:-}" ] || return 0
	answer=$(answer_file "$1" "$label" "$3")
	[ "$3" = 1 ] || threads=$(nproc)
	peer "$2" "$threads" <<<"$4" >"$WORK/peer.out" 2>"$WORK/peer.err" ||
		{ cat "$WORK/peer.err" >&2; die "$2 failed"; }
	as_user tee "$answer" <"$WORK/peer.out" >/dev/null
	record "$1" "$label" "$3" $(tail -n 1 "$WORK/peer.err")
}

# All answers of a section hold the same rows, in any order.
compare_answers() {
	local answer reference=
	for answer in "$WORK/answers/$1"/*; do
		[[ ${answer##*/} != ~* ]] || continue
		LC_ALL=C sort "$answer" >"$WORK/sorted"
		if [ -z "$reference" ]; then
			reference=$answer
			mv "$WORK/sorted" "$WORK/reference"
		elif ! cmp -s "$WORK/sorted" "$WORK/reference"; then
			diff "$WORK/reference" "$WORK/sorted" >"$WORK/diff" || head -n 10 "$WORK/diff" >&2
			die "$1: ${answer##*/} answers otherwise than ${reference##*/}"
		fi
	done
	[ -s "$WORK/reference" ] || die "$1: no answer"
}
