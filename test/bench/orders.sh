# orders.sh (sourced)
#	  How the time grows with the orders of one app: 1x, 4x and 16x of them,
#	  asked by every public function.

ORDERS=${ORDERS:-6250 25000 100000}

# What is asked of the app, a question a line: label, then the query.
questions_of_orders() {
	cat <<'SQL'
im_check_orders|SELECT im_check_orders()
im_order_terms|SELECT count(*), sum(amount) FROM im_order_terms()
im_monthly_bill|SELECT count(*), sum(amount) FROM im_monthly_bill(1, '2023-06')
im_monthly_bills|SELECT count(*), sum(amount) FROM im_monthly_bills('2023-06')
im_monthly_total|SELECT im_monthly_total(1, '2023-06')
im_monthly_totals|SELECT * FROM im_monthly_totals('2023-06')
im_preview_bill|SELECT count(*), sum(amount) FROM im_preview_bill(1, '2023-06', im_bundled_card('cn', '2024-01-01'))
im_moderation_statement|SELECT count(*), sum(amount) FROM im_moderation_statement(1, '2023-06')
im_unbilled_usage|SELECT count(*) FROM im_unbilled_usage('2023-06')
im_daily_usage|SELECT count(*) FROM im_daily_usage('2023-06')
im_check|SELECT count(*) FROM im_check('2023-06')
im_app_status|SELECT im_app_status(1, '2023-06-20 12:00+08')
im_standing|SELECT count(*) FROM im_standing('2023-06', '2023-06-20 12:00+08')
im_alerts|SELECT count(*) FROM im_alerts('2023-06', 0, 400)
im_explain|SELECT count(*), sum(amount) FROM im_explain(1, '2023-06', 1)
im_cheapest_plan|SELECT count(*), sum(total) FROM im_cheapest_plan(1, '2023-06')
im_compare_cards|SELECT count(*), sum(total_a) FROM im_compare_cards('2023-06', im_bundled_card('cn', '2019-12-10'), im_bundled_card('cn', '2024-01-01'))
im_running_bill|SELECT count(*), sum(amount) FROM im_running_bill(1, '2023-06-20 12:00+08')
im_forecast|SELECT so_far FROM im_forecast(1, '2023-06-20 12:00+08')
im_app_revenue|SELECT count(*), sum(deferred) FROM im_app_revenue('2023-01', '2023-12')
im_revenue|SELECT count(*), sum(deferred) FROM im_revenue('2023-01', '2023-12')
im_bill_html|SELECT length(im_bill_html(1, '2023-06')) > 0
im_month_html|SELECT length(im_month_html('2023-06')) > 0
im_bi_bill_line|SELECT count(*) FROM im_bi_bill_line WHERE month = '2023-06-01'
im_bi_bill_total|SELECT count(*) FROM im_bi_bill_total WHERE month = '2023-06-01'
im_bi_order|SELECT count(*), sum(amount) FROM im_bi_order
im_bi_revenue|SELECT count(*) FROM im_bi_revenue WHERE month = '2023-06-01'
im_create_billing_view|SELECT im_create_billing_view('bills', '2023-06', '2023-06')
im_audit|SELECT count(*), sum(amount) FROM im_audit(1, '2023-06')
im_close_month|CALL im_close_month('2023-06')
im_audit, closed|SELECT count(*), sum(amount) FROM im_audit(1, '2023-06')
im_explain, closed|SELECT count(*), sum(amount) FROM im_explain(1, '2023-06', 1)
im_drift|SELECT count(*) FROM im_drift('2023-06')
im_invoices|SELECT count(*) FROM im_invoices(1)
im_adjust_month|CALL im_adjust_month('2023-06')
im_verify_invoices|SELECT count(*) FROM im_verify_invoices()
SQL
}

orders_sql() {
	as_user psql -X -q -v ON_ERROR_STOP=1 -d "orders_$1" "${@:2}"
}

# The log comes by COPY, in one transaction, as loaders bring it.
prepare_orders() {
	local orders
	for orders in $ORDERS; do
		as_user createdb "orders_$orders"
		orders_sql "$orders" -c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' >/dev/null
		orders_sql "$orders" -v orders="$orders" -v file="$WORK/orders_$orders.csv" <"$ROOT/test/bench/orders.sql"
	done
}

# A log takes no row away and a month closes once, so each round has a copy.
section_orders() {
	local orders label query BENCH_DATABASE=orders_round
	for orders in $ORDERS; do
		as_user createdb -T "orders_$orders" orders_round
		sql "orders_$orders" '~COPY of the orders' 1 "COPY im_order FROM '$WORK/orders_$orders.csv' (FORMAT csv)"
		orders_sql round -c 'VACUUM ANALYZE'
		while IFS='|' read -r label query; do
			sql "orders_$orders" "~$label" 1 "$query" </dev/null
		done < <(questions_of_orders)
		as_user dropdb orders_round
	done
}

# Times of each question and how much more four times the orders take.
report_orders() {
	printf '\n**Orders of one app, one process, ms**\n\n'
	grep '^orders_' "$WORK/results" | sort -t '	' -k 2,2 -k 1,1 -k 4,4n |
		awk -F '\t' -v orders="$ORDERS" '
		{
			sub(/^orders_/, "", $1); sub(/^~/, "", $2)
			if (!($2 in seen)) { seen[$2] = 1; label[++labels] = $2 }
			times[$2, $1] = times[$2, $1] " " $4
		}
		function middle(list, v) { return v[int((split(list, v, " ") + 1) / 2)] }
		END {
			n = split(orders, size, " ")
			printf "| |"
			for (j = 1; j <= n; j++) printf " %d |%s", size[j], (j > 1 ? " x |" : "")
			printf "\n|---|"
			for (j = 1; j < 2 * n; j++) printf "---:|"
			for (i = 1; i <= labels; i++) {
				printf "\n| %s |", label[i]
				for (j = 1; j <= n; j++) {
					ms = middle(times[label[i], size[j]])
					printf " %.0f |%s", ms, (j > 1 ? sprintf(" %.1f |", ms / last) : "")
					last = ms
				}
			}
			print ""
		}'
}
