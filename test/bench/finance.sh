# finance.sh (sourced)
#	  What is measured of the questions of finance, over 10,000 apps: two price
#	  lists compared, and who is near a limit, each in one query.

FINANCE_APPS=10000

prepare_finance() {
	case " $(! wants bills || echo "$APPS") $(! wants latency || echo "$APPS") " in
		*" $FINANCE_APPS "*) ;;
		*) APPS=$FINANCE_APPS prepare_apps ;;
	esac
}

# Each against bills that must come to the same: the first card is the one in
# force, and alerts at share 1 are the overage lines that reach the quota.
section_finance() {
	local WORK_MEM=32MB BENCH_DATABASE
	BENCH_DATABASE=$(apps_database $FINANCE_APPS)
	sql compare 'im_monthly_totals' 1 "SELECT count(*), sum(total) FROM im_monthly_totals('2023-12')"
	sql compare 'im_compare_cards' 1 "SELECT count(*), sum(total_a) FROM $(compared)"
	sql alerts 'im_monthly_bills, overage lines' 1 "
		SELECT count(*), sum(quantity) FROM im_monthly_bills('2023-12')
		WHERE item IN ('dau_overage', 'group_overage') AND quantity >= included"
	sql alerts 'im_alerts' 1 "
		SELECT count(*), sum(used) FROM im_alerts('2023-12', 1) WHERE kind IN ('dau', 'groups')"
}

compared() {
	echo "im_compare_cards('2023-12', im_bundled_card('cn', '2019-12-10'), im_bundled_card('cn', '2024-01-01'))"
}

# Of each table: the scans in the plans of a query and of what runs inside it,
# how often each was run, and the rows of all.
scans_of() {
	printf '\n| table | scans | times each | rows |\n|---|---:|---:|---:|\n'
	apps_sql $FINANCE_APPS -At -c "LOAD 'auto_explain'" -c 'SET auto_explain.log_min_duration = 0' \
		-c 'SET auto_explain.log_nested_statements = on' -c 'SET auto_explain.log_analyze = on' \
		-c 'SET auto_explain.log_timing = off' -c 'SET client_min_messages = log' -c "$1" 2>&1 >/dev/null |
		sed -n '/Bitmap Index\|Function/d; s/.* Scan .*on \(im_[a-z_]*\).*(actual rows=\([0-9]*\)[0-9.]* loops=\([0-9]*\).*/\1 \2 \3/p' |
		awk '{ scans[$1]++; rows[$1] += $2 * $3; if ($3 > times[$1]) times[$1] = $3 }
			END { for (t in scans) print "| `" t "` | " scans[t] " | " times[t] " | " rows[t] " |" }' | sort
}

report_finance() {
	report_section compare "Two price lists over $FINANCE_APPS apps" '^im_monthly'
	scans_of "SELECT count(*) FROM $(compared)"
	report_section alerts "Alerts of $FINANCE_APPS apps" '^im_monthly'
	scans_of "SELECT count(*) FROM im_alerts('2023-12')"
}
