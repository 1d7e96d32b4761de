# front.sh (sourced)
#	  What a front costs: the same apps on one node, and on 1, 2 and 4 partitions
#	  behind a front on this server, in one run.
#
# Each partition answers in one process, so that four of them and one node
# differ by the front and by the cores that side by side can use.

FRONTS='1 2 4'

front_apps() {
	printf '%s\n' $APPS | sort -n | head -n 1
}

has_plproxy() {
	[ -e "$PGSHAREDIR/extension/plproxy.control" ]
}

in_database() {
	local database=$1
	shift
	as_user psql -X -q -At -v ON_ERROR_STOP=1 -d "$database" "$@"
}

# make_partition DATABASE PARTITIONS PLACE: the apps that belong there
make_partition() {
	local table mine="(((hashint8extended(app_id, 8816678312871386365) & 65535) + 43235) & ($2 - 1)) = $3"
	as_user createdb "$1"
	in_database "$1" -c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' \
		-c "ALTER DATABASE $1 SET max_parallel_workers_per_gather = 0" -c "ALTER DATABASE $1 SET work_mem = '32MB'" \
		-c "ALTER DATABASE $1 SET jit = off" >/dev/null
	for table in im_app im_order im_usage_daily im_login; do
		in_database front_one -c "COPY (SELECT * FROM $table WHERE $mine) TO STDOUT" |
			in_database "$1" -c "COPY $table FROM STDIN" -c "VACUUM ANALYZE $table"
	done
}

# Logins of November: days that the daily figures do not have
prepare_front() {
	local n i list
	as_user createdb front_one
	in_database front_one -c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' \
		-c 'ALTER DATABASE front_one SET client_min_messages = warning' >/dev/null
	in_database front_one -v apps="$(front_apps)" <"$ROOT/test/bench/apps.sql"
	in_database front_one -c "
		INSERT INTO im_login SELECT a, 'user ' || n % 13, timestamptz '2023-11-16 00:00+08' + n * interval '5 hours'
		FROM generate_series(1, $(front_apps)) a, generate_series(0, 39) n" -c 'VACUUM ANALYZE im_login'
	for n in $FRONTS; do
		list=
		for ((i = 0; i < n; i++)); do
			make_partition "front_${n}_$i" "$n" "$i"
			list+="${list:+,}\"host=$PGHOST port=${PGPORT:-5432} dbname=front_${n}_$i\""
		done
		as_user createdb "front_$n"
		in_database "front_$n" -c 'SET client_min_messages = warning' -c 'CREATE EXTENSION imbilling' -c 'CREATE EXTENSION plproxy' \
			-c 'CREATE EXTENSION postgres_fdw' -c 'CREATE EXTENSION dblink' -c "SELECT im_create_front('{$list}')" \
			-c "ALTER DATABASE front_$n SET search_path = im_front, public" \
			-c "ALTER DATABASE front_$n SET client_min_messages = warning" >/dev/null
	done
}

# front_sql SECTION QUERY [STATEMENT BEFORE]
front_sql() {
	local n WORK_MEM=32MB BENCH_DATABASE
	for n in one $FRONTS; do
		BENCH_DATABASE=front_$n
		[ -z "${3:-}" ] || in_database "$BENCH_DATABASE" -c 'SET client_min_messages = warning' -c "$3" >/dev/null
		sql "front_$1" "$(front_label "$n")" 1 "$2"
	done
}

front_label() {
	[ "$1" = one ] && echo 'one node' || echo "front of $1"
}

section_front() {
	local n
	has_plproxy || return 0
	front_sql totals "SELECT count(*), sum(total) FROM im_monthly_totals('2023-12'::im_month)"
	front_sql bills "SELECT count(*), sum(total)
		FROM (SELECT app_id, round(sum(amount), 2) AS total FROM im_monthly_bills('2023-12'::im_month) GROUP BY app_id) b"
	front_sql metering "SELECT im_meter('2023-11-01', '2023-11-30')" "SELECT im_forget_metering('2023-11-01', '2023-11-30')"
	for n in one $FRONTS; do
		close_front "$n"
	done
	for n in front_1_0 front_1; do
		front_latency "$n"
	done
}

# A month is closed once, so each time the databases are copied.
close_front() {
	local i started label
	label=$(front_label "$1")
	as_user createdb -T "front_$1" closing
	for ((i = 0; i < ${1/one/0}; i++)); do
		as_user createdb -T "front_${1}_$i" "closing_$i"
		in_database closing -c "ALTER SERVER im_partition_$i OPTIONS (SET dbname 'closing_$i')"
	done
	[ "$1" = one ] || in_database closing -c "ALTER DATABASE closing SET search_path = im_front, public"
	in_database postgres -c CHECKPOINT
	started=$(date +%s%N)
	in_database closing -c 'SET client_min_messages = warning' -c "CALL im_close_month('2023-12')"
	record front_closing "$label" 1 $((($(date +%s%N) - started) / 1000000))
	in_database closing -c 'SELECT count(*), sum(total) FROM im_invoice' | as_user tee "$(answer_file front_closing "$label" 1)" >/dev/null
	as_user dropdb closing
	for ((i = 0; i < ${1/one/0}; i++)); do
		as_user dropdb "closing_$i"
	done
}

# One bill of a random app, straight from the one partition and through its front
front_latency() {
	rm -f "$WORK/latency"/*
	as_user pgbench -n -M prepared -c 1 -T "${LATENCY_SECONDS:-4}" --random-seed=1 -D apps="$(front_apps)" -f "$WORK/one_bill.sql" \
		-l --log-prefix="$WORK/latency/log" "$1" >"$WORK/pgbench.log" 2>&1 || { cat "$WORK/pgbench.log" >&2; die 'pgbench failed'; }
	cat "$WORK/latency"/log* | cut -d ' ' -f 3 | sort -n |
		awk -v which="$1" '{ at[NR] = $1 } END { printf "%s\t%.3f\n", which, at[int((NR + 1) / 2)] / 1000 }' >>"$WORK/front_latencies"
}

report_front() {
	if ! has_plproxy; then
		printf '\n**Behind a front**: skipped, there is no plproxy here\n'
		return 0
	fi
	report_section front_totals "Totals of $(front_apps) apps, on one node and behind a front" '^one node'
	report_section front_bills "The same, bills with lines" '^one node'
	report_section front_metering "The same, metering $((40 * $(front_apps))) logins" '^one node'
	report_section front_closing "The same, closing a month" '^one node'
	printf '\n**One bill, one client**\n\n| | p50, ms |\n|---|---:|\n'
	sort -t '	' -k 1,1 -k 2,2n "$WORK/front_latencies" | middle 1 |
		sed 's/^front_1_0\t/| its partition | /; s/^front_1\t/| through a front of 1 | /; s/$/ |/'
}
