# report.sh (sourced)
#	  The results as Markdown tables, and those into doc/benchmarks.md.

# report_section SECTION TITLE LABELS
# One row per label in the order of the first round; medians of the rounds.  A
# ratio is the time over the least of those LABELS (a regular expression) in
# the same column.
report_section() {
	printf '\n**%s**\n\n' "$2"
	awk -F '\t' -v section="$1" -v base="$3" -v cores="$(nproc)" '
		function median(list, n, i, j, v, t) {
			n = split(list, v, " ")
			for (i = 2; i <= n; i++)
				for (j = i; j > 1 && v[j - 1] + 0 > v[j] + 0; j--) {
					t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
				}
			return n ? v[int((n + 1) / 2)] : ""
		}
		function cell(label, column, ms, ratio) {
			ms = median(times[label, column])
			if (ms == "")
				return "| | "
			ratio = best[column] && label !~ /^~scan/ ? sprintf("%.2f", ms / best[column]) : ""
			return sprintf("| %.0f | %s ", ms, ratio)
		}
		$1 == section {
			if (!($2 in seen)) { seen[$2] = 1; label[++labels] = $2 }
			columns[$3] = 1
			times[$2, $3] = times[$2, $3] " " $4
			if ($3 == "1" && $5 > kb[$2]) kb[$2] = $5
		}
		END {
			for (i = 1; i <= labels; i++)
				for (c in columns)
					if (label[i] ~ base && (ms = median(times[label[i], c])) != "" && (!best[c] || ms < best[c]))
						best[c] = ms
			two = "all" in columns
			print "| | 1 process, ms | ratio |" (two ? " " cores " cores, ms | ratio |" : "") " peak MB |"
			print "|---|---:|---:|" (two ? "---:|---:|" : "") "---:|"
			for (i = 1; i <= labels; i++) {
				name = label[i]
				sub(/^~hll/, "hll (approximate)", name)
				sub(/^~/, "", name)
				sub(/^duckdb/, "DuckDB", name)
				sub(/^clickhouse/, "ClickHouse", name)
				print "| " name " " cell(label[i], "1") (two ? cell(label[i], "all") : "") \
					"| " (kb[label[i]] ? sprintf("%.0f", kb[label[i]] / 1024) : "") " |"
			}
		}' "$WORK/results"
}

report_machine() {
	local peer

	printf '%s cores (%s), %s GB%s; %s; %s' "$(nproc)" \
		"$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" \
		"$(awk '/^MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo)" "${NOTE:+; $NOTE}" \
		"PostgreSQL $(bench_sql -At -c 'SHOW server_version')" "$("${CC:-cc}" --version | head -n 1)"
	for peer in hll duckdb clickhouse; do
		printf '; %s' "${PEERS[$peer]:-without $peer}"
	done
	printf '.\nScale %s, medians of %s rounds, shared_buffers %s, work_mem %s (32MB for bills, 4MB for COPY), JIT off. ' \
		"$SCALE" "$ROUNDS" "$SHARED_BUFFERS" "${WORK_MEM:-1GB}"
	echo 'A ratio is the time over that of the row with 1.00. Peak memory is what one process'
	echo 'has for itself; for DuckDB and ClickHouse all of it, programs included. All exact answers were equal.'
}

report_sets() {
	printf '\n**Bytes a user in an im_userset**\n\n| ids | users | bytes a user |\n|---|---:|---:|\n'
	bench_sql -At -F ' | ' -c "
		SELECT '| ' || kind, im_count(users), round(length(im_internal.im_userset_send(users))::numeric / im_count(users), 2) || ' |'
		FROM kind_set ORDER BY kind"
}

# The middle one of the lines of each group, which have that many
# leading fields in common and come in their order
middle() {
	awk -F '\t' -v fields="$1" '
		function flush() { if (n) print line[int((n + 1) / 2)]; n = 0 }
		{
			group = $1
			for (i = 2; i <= fields; i++) group = group FS $i
			if (group != last) flush()
			last = group
			line[++n] = $0
		}
		END { flush() }'
}

report_bills() {
	echo
	grep "^bills_$1	im_" "$WORK/results" | sort -t '	' -k 2,3 -k 4,4n | middle 3 |
		awk -F '\t' -v apps="$1" -v cores="$(nproc)" '{
			printf "- `%s`, %s: %.0f bills a minute\n", $2, $3 == "1" ? "1 process" : cores " cores", apps * 60000 / $4 }'
}

report_latency() {
	printf '\n**Bill of one app of %s, by pgbench over its socket**\n\n' "$(most_apps)"
	echo '| clients | protocol | p50, ms | p99, ms | bills |'
	echo '|---:|---|---:|---:|---:|'
	sort -t '	' -k 1,1n -k 2,2 -k 3,3n "$WORK/latencies" | middle 2 | sed 's/\t/ | /g; s/^/| /; s/$/ |/'
}

report_explained() {
	[ -e "$WORK/explained" ] || return 0
	printf '\nAs EXPLAIN ANALYZE tells (medians, in a session that has a plan):\n\n'
	sort -t '	' -k 1,1 -k 2,2n "$WORK/explained" | middle 1 | awk -F '\t' '{ printf "- %s: %.3f ms\n", $1, $2 }'
}

report() {
	local logins checks apps
	logins=$((20000 * PER_MILLE)) checks=$((10000 * PER_MILLE))
	report_machine
	! wants dau || report_section dau "Exact daily DAU per app of $logins logins, ids of 13 bytes" ^im_
	! wants dau_36 || report_section dau_36 "The same, ids of 36 bytes" ^im_
	! wants growth || report_growth
	! wants deductions || report_section deductions "Deductions per app and day of $checks moderation checks" ^im_
	! wants events || report_section events "Sums of $logins events by app, meter and day" '^sum.whole'
	! wants instructions || report_instructions
	if wants union; then
		report_section union "Union of 31 daily sets of about $((PER_MILLE < 1000 ? PER_MILLE * 1000 : 1000000)) users" ^plain
		report_sets
	fi
	for apps in $(! wants bills || echo "$APPS"); do
		report_section "bills_$apps" "Bills of $apps apps from $((31 * apps)) daily rows" ^~floor
		report_bills "$apps"
	done
	report_metering
	! wants latency || report_latency
	report_explained
	! wants finance || report_finance
	! wants limits || report_limits
	! wants closing || report_closing
	! wants orders || report_orders
	! wants front || report_front
}

# Replaces what stands between the two comments.
update_document() {
	local document=$ROOT/doc/benchmarks.md
	awk -v report="$1" '
		/^<!-- end of bench -->$/ { skip = 0 }
		!skip { print }
		/^<!-- bench -->$/ {
			while ((getline line < report) > 0)
				print line
			skip = 1
		}' "$document" >"$WORK/benchmarks.md"
	cat "$WORK/benchmarks.md" >"$document"
}
