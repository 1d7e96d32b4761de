# events.sh (sourced)
#	  Sums of events by app, meter and day, against the server's own sum() over
#	  a bigint copy of the column; and how long asking for a limit takes.

prepare_events() {
	bench_sql -v rows=$((20000 * PER_MILLE)) <"$ROOT/test/bench/events.sql"
	load_peers event "app_id: 'BIGINT', meter: 'VARCHAR', \"at\": 'TIMESTAMPTZ', quantity: 'DECIMAL(30, 8)', whole: 'BIGINT'" \
		"app_id Int64, meter LowCardinality(String), at DateTime('UTC'), quantity Decimal(30, 8), whole Int64"
}

section_events() {
	local on sorted
	warm event
	for on in 1 all; do
		sql events '~scan alone, count(*)' $on "SELECT count(*) FROM event"
		sql events 'im_meter_sum(quantity)' $on "$(events_by_day 'trim_scale(im_meter_sum(quantity))')"
		sql events 'sum(quantity), numeric' $on "$(events_by_day 'sum(quantity)')"
		sql events 'sum(whole), bigint' $on "$(events_by_day 'sum(whole)')"
		peer_sql events duckdb $on "$(duckdb_events "\"at\" AT TIME ZONE $ZONE")"
		peer_sql events duckdb $on "$(duckdb_events 'utc + INTERVAL 8 HOUR')" "$OFFSET"
		for sorted in '' _sorted; do
			peer_sql events clickhouse $on "
				SELECT app_id, meter, toDate(at, $ZONE), sum(whole) FROM event$sorted GROUP BY 1, 2, 3" "${sorted:+$SORTED}"
		done
	done
}

events_by_day() {
	echo "SELECT app_id, meter, im_day(at, $ZONE), $1 FROM event GROUP BY 1, 2, 3"
}

# duckdb_events WALL-CLOCK
duckdb_events() {
	echo "SELECT app_id, meter, CAST(($1)::DATE AS VARCHAR), CAST(sum(whole) AS VARCHAR) FROM event GROUP BY 1, 2, 3"
}

# ---- a limit, asked inside an app's own transaction ----

prepare_limits() {
	case " $(! wants bills || echo "$APPS") $(! wants latency || echo "$APPS") $(! wants closing || echo "$APPS") $(! wants finance || echo "$FINANCE_APPS") " in
		*" $LIMITS_APPS "*) ;;
		*) APPS=$LIMITS_APPS prepare_apps ;;
	esac
	apps_sql $LIMITS_APPS -c 'CREATE ROLE bench_tenant LOGIN' -c "SELECT im_grant('bench_tenant', 'tenant')" \
		-c "UPDATE im_app SET tenant = 'bench_tenant'" >/dev/null
	limits_script none 'SELECT 1;'
	limits_script ask "SELECT im_limit(:app, 'group_members');"
}

LIMITS_APPS=10000

limits_script() {
	printf '\\set app random(1, :apps)\nBEGIN;\n%s\nCOMMIT;\n' "$2" >"$WORK/limits_$1.sql"
}

# The whole transaction is timed, by one client with prepared statements; the
# same with nothing asked tells what of it is the client's and the server's.
section_limits() {
	limits_latency 'nothing asked' none postgres
	limits_latency 'im_limit, by the owner' ask postgres
	limits_latency 'im_limit, by a tenant' ask bench_tenant
}

# limits_latency LABEL SCRIPT ROLE
limits_latency() {
	rm -f "$WORK/latency"/*
	as_user pgbench -n -M prepared -c 1 -T "${LATENCY_SECONDS:-4}" --random-seed=1 -U "$3" \
		-D apps=$LIMITS_APPS -f "$WORK/limits_$2.sql" -l --log-prefix="$WORK/latency/log" "$(apps_database $LIMITS_APPS)" \
		>"$WORK/pgbench.log" 2>&1 || { cat "$WORK/pgbench.log" >&2; die "pgbench failed"; }
	cat "$WORK/latency"/log* | cut -d ' ' -f 3 | sort -n | awk -v label="$1" '
		{ at[NR] = $1 }
		END { printf "%s\t%.3f\t%.3f\t%d\n", label, at[int((NR + 1) / 2)] / 1000, at[int(NR * 0.99) + 1] / 1000, NR }' >>"$WORK/limits"
}

report_limits() {
	printf '\n**A transaction that asks for a limit of one app of %s, 1 client, prepared**\n\n' "$LIMITS_APPS"
	echo '| | p50, ms | p99, ms | transactions |'
	echo '|---|---:|---:|---:|'
	sort -t '	' -k 1,1 -k 2,2n "$WORK/limits" | middle 1 | sed 's/\t/ | /g; s/^/| /; s/$/ |/'
}
