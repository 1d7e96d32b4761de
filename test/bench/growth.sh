# growth.sh (sourced)
#	  How the time grows: daily DAU of a sixteenth, a quarter and all of the rows.
#
# Only ours, the scan that none can do without, and the fastest peer run here.

GROWTH='16 4 1'

prepare_growth() {
	local part
	for part in $GROWTH; do
		bench_sql -v rows=$((20000 * PER_MILLE / part)) -v per_mille=$((PER_MILLE / part > 0 ? PER_MILLE / part : 1)) \
			-v name="growth_$part" <"$ROOT/test/bench/growth.sql"
		load_growth_peer "growth_$part"
	done
}

load_growth_peer() {
	local csv=$WORK/$1.csv
	[ -n "${PEERS[clickhouse]}" ] || return 0
	bench_sql -c "COPY (SELECT * FROM $1) TO '$csv' (FORMAT csv)"
	load_clickhouse "$1_sorted" "$CLICKHOUSE_LOGIN" '(app_id, at)' "$csv"
	rm "$csv"
}

# What takes less time is measured more often: starting a worker late is a
# large part of it.
section_growth() {
	local part times
	for part in $GROWTH; do
		warm "growth_$part"
		for ((times = 0; times < (part + 1) / 2; times++)); do
			sql "growth_$part" '~scan alone, count(*)' all "SELECT count(*) FROM growth_$part"
			sql "growth_$part" imbilling all "$(dau_by_slice "growth_$part")"
		done
		peer_sql "growth_$part" clickhouse all "$(clickhouse_dau "growth_${part}_sorted")" "$SORTED"
	done
}

# label, rows, median milliseconds, peak kilobytes
growth_figures() {
	grep '^growth_' "$WORK/results" | sort -t '	' -k 2,2 -k 1,1 -k 4,4n |
		awk -F '\t' -v OFS='\t' -v rows=$((20000 * PER_MILLE)) '{
			sub(/^growth_/, "", $1)
			print $2, rows / $1, $4, $5 }' |
		sort -t '	' -s -k 1,1 -k 2,2n -k 3,3n | middle 2
}

report_growth() {
	printf '\n**Time against rows, %s cores**\n\n' "$(nproc)"
	growth_figures | awk -F '\t' '
		function name(label) {
			sub(/^~/, "", label); sub(/^clickhouse/, "ClickHouse", label)
			return label
		}
		{
			if (!($1 in first)) { first[$1] = $3; least[$1] = $2; label[++labels] = $1 }
			if (!($2 in seen)) { seen[$2] = 1; rows[++sizes] = $2 }
			ms[$1, $2] = $3; kb[$1, $2] = $4
		}
		END {
			printf "| |"
			for (j = 1; j <= sizes; j++) printf " %d rows, ms | peak MB |", rows[j]
			printf " ms x |\n|---|"
			for (j = 1; j <= sizes; j++) printf "---:|---:|"
			print "---:|"
			for (i = 1; i <= labels; i++) {
				printf "| %s |", name(label[i])
				for (j = 1; j <= sizes; j++)
					printf " %.0f | %s |", ms[label[i], rows[j]], kb[label[i], rows[j]] ? sprintf("%.0f", kb[label[i], rows[j]] / 1024) : ""
				printf " %.1f |\n", ms[label[i], rows[sizes]] / first[label[i]]
			}
		}'
	[ -z "${UPDATE_DOC:-}" ] || growth_figures | awk -f "$ROOT/test/bench/plot.awk" >"$ROOT/test/bench/growth.svg"
	[ ! -e "$ROOT/test/bench/growth.svg" ] || printf '\n![Time against rows](../test/bench/growth.svg)\n'
}
