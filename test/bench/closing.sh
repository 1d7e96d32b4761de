# closing.sh (sourced)
#	  Time the close of a month by one closer, and by two and four at once.
#
# A month is closed once, so each time the apps' database is copied.  The
# share of rating is the time of the same plan without issuing anything.

# 100000 apps, or as many as there are
closing_apps() {
	printf '%s\n' $APPS | sort -n | awk '{ apps = $1 } apps >= 100000 { exit } END { print apps }'
}

# close_month CLOSERS: milliseconds of wall clock
close_month() {
	local closer started
	as_user createdb -T "$(apps_database "$(closing_apps)")" closing
	as_user psql -X -q -d closing -c 'CHECKPOINT'
	started=$(date +%s%N)
	for ((closer = 1; closer <= $1; closer++)); do
		as_user psql -X -q -v ON_ERROR_STOP=1 -d closing >/dev/null 2>"$WORK/closing.$closer" <<-SQL &
			SET work_mem = '32MB';
			CALL im_close_month('2023-12');
		SQL
	done
	wait
	! grep -h ERROR "$WORK"/closing.* || die 'closing failed'
	echo $((($(date +%s%N) - started) / 1000000))
}

# Each invoice is there once and says what the bill says.
check_closing() {
	as_user psql -X -q -At -d closing -c "
		SELECT CASE WHEN (SELECT count(*) FROM im_invoice) <> $(closing_apps)
				OR EXISTS (SELECT FROM im_drift('2023-12')) OR EXISTS (SELECT FROM im_verify_invoices('2023-12'))
			THEN 'wrong' ELSE 'right' END"
}

section_closing() {
	local closers ms
	for closers in 1 2 4; do
		ms=$(close_month $closers)
		printf '%s\t%s\n' "$closers" "$ms" >>"$WORK/closings"
		[ "$(check_closing)" = right ] || die 'the invoices of the close are not those of the bills'
		as_user dropdb closing
	done
	as_user psql -X -q -d "$(apps_database "$(closing_apps)")" <<-SQL | sed -n 's/^Time: \([0-9.]*\) ms.*/rating\t\1/p' >>"$WORK/closings"
		SET work_mem = '32MB';
		\\timing on
		SELECT count(*) FROM im_internal.im_rebill_apps('2023-12', (SELECT array_agg(app_id) FROM im_app), true);
	SQL
}

report_closing() {
	printf '\n**Closing a month of %s apps, 1000 apps a transaction**\n\n' "$(closing_apps)"
	echo '| closers | seconds | invoices a second | share of rating |'
	echo '|---:|---:|---:|---:|'
	sort -t '	' -k 1,1 -k 2,2n "$WORK/closings" | middle 1 | sort -r |
		awk -F '\t' -v apps="$(closing_apps)" '
			$1 == "rating" { rating = $2; next }
			{ row[$1] = sprintf("| %d | %.1f | %.0f | %s |", $1, $2 / 1000, apps * 1000 / $2,
				$1 == 1 ? sprintf("%.0f%%", 100 * rating / $2) : "") }
			END { print row[1]; print row[2]; print row[4] }'
}
