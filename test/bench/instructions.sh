# instructions.sh (sourced)
#	  Instructions a row of each aggregate, counted by callgrind.
#
# Times depend on the machine and on who else uses it; a count of instructions
# comes out the same everywhere and shows what a change to the code did.  One
# backend of its own runs each query over few rows and over many: the
# difference is what a row costs, scan and executor included.

INSTRUCTION_ROWS='10000 60000'

# A cluster without a server, with one table for each number of rows.
prepare_instructions() {
	local rows
	if ! command -v valgrind >/dev/null; then
		say "without instructions: valgrind is not installed"
		return 0
	fi
	as_user initdb -N -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D "$WORK/single" >"$WORK/initdb.log" 2>&1
	{
		echo "CREATE EXTENSION imbilling"
		for rows in $INSTRUCTION_ROWS; do
			tr '\n' ' ' <<-SQL
				CREATE TABLE row_$rows AS
				SELECT CASE WHEN i % 5 < 2 THEN 1 ELSE 2 + i % 199 END::bigint AS app_id,
					'user_' || lpad((hash % ($rows * 6 / 5))::text, 8, '0') AS user_id,
					md5((hash % ($rows * 6 / 5))::text)::uuid::text AS uuid,
					'2023-12-01 00:00+08'::timestamptz + i * interval '1 day' / $rows AS at,
					'2023-12-01 00:00+08'::timestamptz + i * interval '1 day' / $rows + hash % 99 * interval '1 hour' AS until,
					CASE WHEN hash % 100 < 70 THEN 'text' WHEN hash % 100 < 90 THEN 'image'
						WHEN hash % 100 < 97 THEN 'audio' ELSE 'video' END AS kind,
					CASE WHEN hash % 100 >= 90 THEN 1 + (hash / 100 % 600)::int END AS seconds
				FROM generate_series(0, $rows - 1) i, LATERAL (SELECT hashint8extended(i, 1) & 2147483647) h(hash)
			SQL
			echo
			# without, the planner expects as many groups as rows, and sorts
			echo "CREATE STATISTICS row_${rows}_day ON app_id, (im_day(at, $ZONE)) FROM row_$rows"
			echo "VACUUM (FREEZE, ANALYZE) row_$rows"
		done
	} | single >/dev/null
}

# single [PREFIX...]: a backend that reads a statement from each line
single() {
	as_user "$@" "$PGBIN/postgres" --single -j -D "$WORK/single" -c jit=off -c work_mem=64MB \
		-c max_parallel_workers_per_gather=0 postgres 2>"$WORK/single.err" < <(awk '{ print $0 ";\n" }') ||
		{ cat "$WORK/single.err" >&2; die "postgres --single failed"; }
}

# instructions_of QUERY: all that its executor takes
instructions_of() {
	single valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=standard_ExecutorRun \
		<<<"$1" >"$WORK/single.out"
	! grep -q 'ERROR:' "$WORK/single.err" || { cat "$WORK/single.err" >&2; die "query failed: $1"; }
	sed -n 's/^==.*Collected *: *\([0-9]*\)$/\1/p' "$WORK/single.err"
}

# instructions LABEL SELECT-LIST [GROUP BY]
instructions() {
	local few many
	read -r few many <<<"$INSTRUCTION_ROWS"
	printf '%s\t%d\n' "$1" $((($(instructions_of "SELECT $2 FROM row_$many ${3:-}") -
		$(instructions_of "SELECT $2 FROM row_$few ${3:-}")) / (many - few))) >>"$WORK/instructions"
}

# Counts are the same in every round: one is enough.
section_instructions() {
	local by_app="GROUP BY app_id" by_day="GROUP BY app_id, im_day(at, $ZONE)"
	[ -d "$WORK/single" ] && [ ! -e "$WORK/instructions" ] || return 0
	instructions 'scan alone, `count(user_id)`' 'count(user_id)'
	instructions '`im_day`' "count(im_day(at, $ZONE))"
	instructions '`count(*)` by app and day' 'count(*)' "$by_day"
	instructions '`im_app_dau`' 'im_internal.im_app_dau(app_id, user_id)'
	instructions '`im_app_dau`, ids of 36 bytes' 'im_internal.im_app_dau(app_id, uuid)'
	instructions '`im_dau` by app' 'im_dau(user_id)' "$by_app"
	instructions '`im_dau` by app and day' 'im_dau(user_id)' "$by_day"
	instructions '`im_dau` by app and day, ids of 36 bytes' 'im_dau(uuid)' "$by_day"
	instructions '`count(DISTINCT)` by app' 'count(DISTINCT user_id)' "$by_app"
	instructions '`im_userset_agg` by app' 'im_count(im_userset_agg(user_id))' "$by_app"
	instructions '`im_peak_groups` by app' "im_peak_groups(at, until, '2023-12-01', '2024-01-01')" "$by_app"
	instructions '`im_moderation_deductions` by app' \
		"im_moderation_deductions(im_bundled_card('cn', '2019-12-10'), kind, at, seconds)" "$by_app"
	instructions '`im_moderation_deductions` by app and day' \
		"im_moderation_deductions(im_bundled_card('cn', '2019-12-10'), kind, at, seconds)" "$by_day"
	instructions '`im_check_days` by app' \
		"im_internal.im_check_days(app_id, at, kind, seconds, $ZONE, '2023-12-01', '2023-12-31')" "$by_app"
}

report_instructions() {
	[ -e "$WORK/instructions" ] || return 0
	printf '\n**Instructions a row, executor and scan included**\n\n| | instructions |\n|---|---:|\n'
	sed 's/\t/ | /; s/^/| /; s/$/ |/' "$WORK/instructions"
}
