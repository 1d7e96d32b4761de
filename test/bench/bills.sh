# bills.sh (sourced)
#	  What is measured of bills: those of all apps, and that of one.
#
# Each number of apps has a database of its own, so that the bills of the few
# do not walk past the rows of the many.

apps_database() {
	echo "bench_apps_$1"
}

apps_sql() {
	local apps=$1
	shift
	as_user psql -X -q -v ON_ERROR_STOP=1 -d "$(apps_database "$apps")" "$@"
}

prepare_apps() {
	local apps
	for apps in $APPS; do
		as_user createdb "$(apps_database "$apps")"
		apps_sql "$apps" -c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' >/dev/null
		apps_sql "$apps" -v apps="$apps" <"$ROOT/test/bench/apps.sql"
	done
}

# ---- all bills of a month from daily figures ----

section_bills() {
	local apps
	for apps in $APPS; do
		bills_of "$apps" "bills_$apps"
	done
}

# bills_of APPS SECTION.  As little work_mem as servers have: memory must not
# grow with the apps.
bills_of() {
	local WORK_MEM=32MB BENCH_DATABASE on
	BENCH_DATABASE=$(apps_database "$1")
	warm im_usage_daily
	for on in 1 all; do
		sql "$2" '~floor: SELECT max, sum ... GROUP BY app_id' $on "
			SELECT count(*), sum(t), sum(d), sum(g)
			FROM (SELECT app_id, max(dau) AS d, max(peak_groups) AS g, sum(text_checks) AS t
				FROM im_usage_daily WHERE day >= '2023-12-01' AND day < '2024-01-01' GROUP BY app_id) u"
		sql "$2" 'im_monthly_totals' $on "SELECT count(*), sum(total) FROM im_monthly_totals('2023-12')"
		sql "$2" 'im_monthly_bills' $on "
			SELECT count(*), sum(total)
			FROM (SELECT app_id, round(sum(amount), 2) AS total FROM im_monthly_bills('2023-12') GROUP BY app_id) b"
	done
}

# ---- the bill of one app ----

most_apps() {
	printf '%s\n' $APPS | sort -n | tail -n 1
}

section_latency() {
	local clients mode apps
	apps=$(most_apps)
	explain_bills "$(apps_database "$apps")" "$apps" "of $apps apps"
	for clients in 1 2 8; do
		for mode in simple prepared; do
			rm -f "$WORK/latency"/*
			as_user pgbench -n -M $mode -c "$clients" -j 2 -T "${LATENCY_SECONDS:-4}" --random-seed=1 \
				-D apps="$apps" -f "$WORK/one_bill.sql" -l --log-prefix="$WORK/latency/log" "$(apps_database "$apps")" \
				>"$WORK/pgbench.log" 2>&1 || { cat "$WORK/pgbench.log" >&2; die "pgbench failed"; }
			log_latencies "$clients" "$mode"
		done
	done
}

# Every transaction's latency in microseconds is the third field of the log.
log_latencies() {
	cat "$WORK/latency"/log* | cut -d ' ' -f 3 | sort -n | awk -v clients="$1" -v mode="$2" '
		{ at[NR] = $1 }
		END { printf "%s\t%s\t%.3f\t%.3f\t%d\n", clients, mode,
			at[int((NR + 1) / 2)] / 1000, at[int(NR * 0.99) + 1] / 1000, NR }' >>"$WORK/latencies"
}

# explain_bills DATABASE APPS WHICH.  What the server itself says of planning
# and executing bills, in one session that has a plan already.
explain_bills() {
	as_user psql -X -q -At -d "$1" -c "
		SELECT format('EXPLAIN (ANALYZE, TIMING OFF) SELECT * FROM im_monthly_bill(%s, ''2023-12'');', n)
		FROM generate_series(1, $2, greatest(1, $2 / 500)) n" >"$WORK/explain.sql"
	as_user psql -X -q -At -d "$1" -f "$WORK/explain.sql" |
		sed -n "s/^\(Planning\|Execution\) Time: \([0-9.]*\) ms/\1 of a bill ($3)\t\2/p" |
		sort -t '	' -k 1,1 -k 2,2n | middle 1 >>"$WORK/explained"
}
