#!/bin/bash
#
# bench_base.sh
#	  What make bench BASE=COMMIT does: time this checkout beside an earlier commit,
#	  each on a server of its own, alternating, over the same rows.
#
# BASE=COMMIT   the commit to compare with
# PAIRS=10      pairs of measurements; the median ratio and its interval are shown
# APPS=100000   apps that are billed from daily figures
# SCALE=1       20,000,000 logins to meter; 0.05 is a try
# ONLY="totals bills bill metering closing"   these alone
# OUT=file      also writes the table there
#
# Answers of both are compared; no time is asserted.
set -euo pipefail
. "$(dirname "$0")/server.sh"
. "$ROOT/test/bench/measure.sh"

MEASURES='totals bills bill metering closing'
PAIRS=${PAIRS:-10}
APPS=${APPS:-100000}
SCALE=${SCALE:-1}
PER_MILLE=$(awk "BEGIN { print int($SCALE * 1000) }")

# side before|now COMMAND...: a subshell with the variables of that server
side() (
	WORK=$WORK/$1
	[ "$1" = now ] || ROOT=$WORK/checkout
	shift
	PGBIN=$WORK$PGLIBDIR/bin
	export PGHOST=$WORK PGUSER=postgres PG_CONFIG=$PGBIN/pg_config PATH=$PGBIN:$PATH
	"$@"
)

make_server() {
	build_extension
	[ "$(id -u)" -ne 0 ] || chown -Rh postgres "$WORK"
	cd "$WORK"
	start_server
	as_user mkdir "$WORK/answers"
	make_data
}

make_data() {
	local database
	for database in apps logins; do
		as_user createdb $database
		as_user psql -X -q -v ON_ERROR_STOP=1 -d $database \
			-c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' >/dev/null
	done
	as_user psql -X -q -v ON_ERROR_STOP=1 -d apps -v apps="$APPS" <"$TOP/test/bench/apps.sql" >/dev/null
	as_user psql -X -q -v ON_ERROR_STOP=1 -d logins -v rows=$((20000 * PER_MILLE)) >/dev/null <<-'SQL'
		SET client_min_messages = warning;
		INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, 200) n;
		INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
		SELECT n, 1, '2023-11-15 10:00+08', 'buy', 'plan', 'pro', 3 FROM generate_series(1, 200) n;
		SELECT setseed(0.5);
		INSERT INTO im_login (app_id, user_id, at)
		SELECT 1 + n % 200, 'user' || (random() * 1000000)::int, '2023-12-01 00:00+08'::timestamptz + n * (interval '30 days' / :rows)
		FROM generate_series(0, :rows - 1) n;
		VACUUM ANALYZE im_login;
	SQL
}

# ---- what is measured: each adds a line to the results of its side ----

measure_totals() {
	BENCH_DATABASE=apps WORK_MEM=32MB sql totals all all "SELECT count(*), sum(total) FROM im_monthly_totals('2023-12')"
}

measure_bills() {
	BENCH_DATABASE=apps WORK_MEM=32MB sql bills all all "SELECT count(*), sum(amount) FROM im_monthly_bills('2023-12')"
}

measure_bill() {
	rm -rf "$WORK/latency"
	as_user mkdir "$WORK/latency"
	echo '\set app random(1, :apps)
SELECT * FROM im_monthly_bill(:app, '"'2023-12'"');' >"$WORK/one_bill.sql"
	as_user pgbench -n -M prepared -c 1 -T 4 --random-seed=1 -D apps="$APPS" -f "$WORK/one_bill.sql" \
		-l --log-prefix="$WORK/latency/log" apps >"$WORK/pgbench.log" 2>&1 ||
		{ cat "$WORK/pgbench.log" >&2; die 'pgbench failed'; }
	record bill one 1 "$(cut -d ' ' -f 3 "$WORK/latency"/log* | sort -n | awk '{ at[NR] = $1 } END { print at[int((NR + 1) / 2)] / 1000 }')" 0
}

measure_metering() {
	as_user psql -X -q -v ON_ERROR_STOP=1 -d logins -c 'SELECT im_forget_metering()' -c 'DELETE FROM im_usage_daily' \
		-c 'VACUUM im_usage_daily' -c CHECKPOINT >/dev/null
	BENCH_DATABASE=logins sql metering all all 'SELECT im_meter()'
}

# A month is closed once, so each time the database is copied.
measure_closing() {
	as_user createdb -T apps closing
	as_user psql -X -q -d closing -c CHECKPOINT
	BENCH_DATABASE=closing WORK_MEM=32MB sql closing all all "CALL im_close_month('2023-12')"
	as_user dropdb closing
}

measure_pair() {
	local what=$1 pair=$2 sides='before now' side
	[ $((pair % 2)) -eq 0 ] || sides='now before'
	for side in $sides; do
		side $side "measure_$what"
	done
	diff -r "$WORK/before/answers" "$WORK/now/answers" >&2 || die "$what: the answers differ"
}

# The interval is that of the ranks that hold the median in 19 of 20 cases.
report() {
	printf '| %s | before, ms | now, ms | now / before | interval | memory |\n' "$PAIRS pairs, before is $(git -C "$ROOT" rev-parse --short "$BASE")"
	echo '|---|---:|---:|---:|---:|---:|'
	paste "$WORK/before/results" "$WORK/now/results" | awk -F '\t' -v order="$MEASURES" '
		function middle(list, n) { return n % 2 ? list[(n + 1) / 2] : (list[n / 2] + list[n / 2 + 1]) / 2 }
		function sorted(list, n,   i, j, v) {
			for (i = 2; i <= n; i++) {
				v = list[i]
				for (j = i - 1; j > 0 && list[j] > v; j--)
					list[j + 1] = list[j]
				list[j + 1] = v
			}
		}
		{ n[$1]++; before[$1, n[$1]] = $4; now[$1, n[$1]] = $9; kb[$1, n[$1]] = $5 > 0 ? $10 / $5 : 0 }
		END {
			parts = split(order, what, " ")
			for (p = 1; p <= parts; p++) {
				w = what[p]; m = n[w]
				if (!m) continue
				for (i = 1; i <= m; i++) { b[i] = before[w, i]; a[i] = now[w, i]; r[i] = a[i] / b[i]; k[i] = kb[w, i] }
				sorted(b, m); sorted(a, m); sorted(r, m); sorted(k, m)
				rank = int((m - 1.96 * sqrt(m)) / 2) + 1
				if (rank < 1) rank = 1
				printf "| %s | %.1f | %.1f | %.3f | %.3f - %.3f | %s |\n", w, middle(b, m), middle(a, m), middle(r, m),
					r[rank], r[m + 1 - rank], (k[m] > 0 ? sprintf("%.2f", middle(k, m)) : "")
			}
		}'
}

main() {
	local what pair
	git -C "$ROOT" rev-parse --verify --quiet "$BASE^{commit}" >/dev/null || die "BASE=$BASE is no commit of this checkout"
	make_work_folder
	choose_major
	install_packages $(missing_for_server)
	TOP=$ROOT PGBIN=$PGLIBDIR/bin
	export PGOPTIONS='-c client_min_messages=warning'
	mkdir -p "$WORK/before/checkout" "$WORK/now"
	git -C "$ROOT" archive "$BASE" | tar -x -C "$WORK/before/checkout"
	[ "$(id -u)" -ne 0 ] || chown -R postgres "$WORK"
	side before make_server
	side now make_server
	for ((pair = 0; pair < PAIRS; pair++)); do
		for what in ${ONLY:-$MEASURES}; do
			say "pair $((pair + 1)) of $PAIRS: $what"
			measure_pair "$what" $pair
		done
	done
	report | tee "$WORK/report.md"
	[ -z "${OUT:-}" ] || cp "$WORK/report.md" "$OUT"
}

main
