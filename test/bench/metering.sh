# metering.sh (sourced)
#	  Time metering into im_usage_daily, and what marking costs a load.
#
# A database of its own has the tables as shipped, with the logins of
# logins.sql and their apps.  Its figures are all "~": there is no peer.

metering_sql() {
	as_user psql -X -q -v ON_ERROR_STOP=1 -d bench_metering "$@"
}

prepare_metering() {
	as_user createdb bench_metering
	metering_sql -c 'ALTER DATABASE bench_metering SET client_min_messages = warning' \
		-c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' >/dev/null
	metering_sql -c "INSERT INTO im_app (app_id, name) SELECT n, 'app ' || n FROM generate_series(1, 200) n" \
		-c "INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
			SELECT n, 1, '2023-11-15 10:00+08', 'buy', 'plan', 'pro', 3 FROM generate_series(1, 200) n"
	bench_sql -c "COPY (SELECT * FROM login) TO '$WORK/login.copy'"
}

# Marking is nothing but triggers: without them a load is what it was.  They
# have to be dropped, since a disabled one has its rows collected all the same.
# Nothing is marked before anything is metered, so a day is.
section_copy() {
	metering_sql -At -c "SELECT format('DROP TRIGGER %I ON %s;', tgname, tgrelid::regclass)
		FROM pg_trigger WHERE tgrelid = 'im_login'::regclass AND NOT tgisinternal" >"$WORK/drop.sql"
	metering_sql -f "$WORK/drop.sql"
	copy_logins 'COPY into im_login, unmarked'
	metering_sql -c 'SELECT im_create_tables()' -c "SELECT im_meter('2023-12-01', '2023-12-01')" >/dev/null
	copy_logins 'COPY into im_login, marked'
}

copy_logins() {
	metering_sql -c 'TRUNCATE im_login, im_usage_mark' -c CHECKPOINT
	# as servers have it: rows collected in more memory than that cost more
	WORK_MEM=4MB BENCH_DATABASE=bench_metering sql copy "~$1" 1 "COPY im_login (app_id, user_id, at) FROM '$WORK/login.copy'"
}

# What section_copy loaded, or the same if it did not run.
fill_metering() {
	if ! wants copy; then
		metering_sql -c 'TRUNCATE im_login, im_usage_mark' -c "COPY im_login (app_id, user_id, at) FROM '$WORK/login.copy'"
	fi
	metering_sql -c 'VACUUM ANALYZE im_login' -c 'TRUNCATE im_usage_daily, im_metered_day, im_metered_partition' >/dev/null
}

section_metering() {
	local BENCH_DATABASE=bench_metering
	fill_metering
	warm im_login
	sql metering '~scan alone, count(*)' all "SELECT count(*) FROM im_login"
	sql metering '~bills of all apps from events' all "SELECT count(*), sum(total) FROM im_monthly_totals('2023-12')"
	sql metering '~im_meter(), 30 days' all "SELECT im_meter()"
	metering_sql -c "INSERT INTO im_login (app_id, user_id, at) VALUES (7, 'late', '2023-12-09 20:00+08')"
	sql metering '~im_meter() after one late login' all "SELECT im_meter()"
	sql metering '~im_meter() with nothing to do' all "SELECT im_meter()"
	metering_sql -c 'VACUUM ANALYZE im_usage_daily'
	sql metering '~bills of all apps, metered' all "SELECT count(*), sum(total) FROM im_monthly_totals('2023-12')"
	explain_bills bench_metering 200 'metered, of 200 apps'
}

report_metering() {
	! wants copy || report_section copy "COPY of $((20000 * PER_MILLE)) logins into im_login as shipped, with its indexes" 'unmarked$'
	! wants metering || report_section metering "Metering $((20000 * PER_MILLE)) logins" '^~im_meter\(\), 30'
}
