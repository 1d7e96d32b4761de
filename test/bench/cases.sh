# cases.sh (sourced)
#	  What is measured.  Each section_... is a function that measures
#	  everything of the section once; bench.sh calls it in every round, so that
#	  ours and the peers run in turn.

ZONE="'Asia/Shanghai'"
# The zone has no transitions in the data, which only we know.
OFFSET=', 8 hours added by hand'
SORTED=', sorted by app and time'

# ---- exact daily DAU per app ----

# by_day TABLE AGGREGATE.  One query of each local day under UNION ALL, as
# metering day by day is: no group spans two of them, so parallel workers take
# whole days and nothing is merged.
by_day() {
	local day union=
	for ((day = 1; day <= 30; day++)); do
		printf "%s SELECT app_id, date '2023-12-%02d', %s FROM %s
			WHERE at >= '2023-12-%02d 00:00+08' AND at < '2023-12-%02d 00:00+08' GROUP BY app_id\n" \
			"$union" $day "$2" "$1" $day $((day + 1))
		union='UNION ALL'
	done
}

# by_slice TABLE AGGREGATE.  The same without GROUP BY: one state holds all apps
# of the day.  This is how im_meter() reads the raw tables.
by_slice() {
	local day union=
	for ((day = 1; day <= 30; day++)); do
		printf "%s SELECT date '2023-12-%02d' AS day, %s AS slice FROM %s
			WHERE at >= '2023-12-%02d 00:00+08' AND at < '2023-12-%02d 00:00+08'\n" \
			"$union" $day "$2" "$1" $day $((day + 1))
		union='UNION ALL'
	done
}

dau_by_slice() {
	echo "SELECT r.app_id, s.day, r.dau
		FROM ($(by_slice "$1" 'im_internal.im_app_dau(app_id, user_id)')) s, im_internal.im_app_dau_rows(s.slice) r"
}

section_dau() {
	local on
	warm login
	warm login_days
	for on in 1 all; do
		sql dau '~scan alone, count(*)' $on "SELECT count(*) FROM login"
		sql dau 'im_dau, GROUP BY app_id, im_day' $on "
			SELECT app_id, im_day(at, $ZONE), im_dau(user_id) FROM login GROUP BY 1, 2"
		sql dau 'im_dau, one query a day, one heap (BRIN)' $on "$(by_day login 'im_dau(user_id)')"
		sql dau 'im_dau, one query a day, day partitions' $on "$(by_day login_days 'im_dau(user_id)')"
		sql dau 'im_app_dau, one query a day, one heap (BRIN)' $on "$(dau_by_slice login)"
		sql dau 'im_app_dau, one query a day, day partitions' $on "$(dau_by_slice login_days)"
		sql dau 'count(DISTINCT)' $on "
			SELECT app_id, (at AT TIME ZONE $ZONE)::date, count(DISTINCT user_id) FROM login GROUP BY 1, 2"
		sql dau 'SELECT DISTINCT subquery' $on "
			SELECT app_id, day, count(*)
			FROM (SELECT DISTINCT app_id, (at AT TIME ZONE $ZONE)::date AS day, user_id FROM login) d
			GROUP BY 1, 2"
		sql dau 'GROUP BY twice' $on "
			SELECT app_id, day, count(*)
			FROM (SELECT app_id, (at AT TIME ZONE $ZONE)::date AS day, user_id FROM login GROUP BY 1, 2, 3) d
			GROUP BY 1, 2"
		[ -z "${PEERS[hll]:-}" ] || sql dau '~hll' $on "
			SELECT app_id, (at AT TIME ZONE $ZONE)::date, round(hll_cardinality(hll_add_agg(hll_hash_text(user_id))))
			FROM login GROUP BY 1, 2"
		peer_dau dau login $on
	done
}

section_dau_36() {
	local on
	warm login_36_days
	for on in 1 all; do
		sql dau_36 'im_dau, GROUP BY app_id, im_day' $on "
			SELECT app_id, im_day(at, $ZONE), im_dau(user_id) FROM login_36_days GROUP BY 1, 2"
		sql dau_36 'im_dau, one query a day, day partitions' $on "$(by_day login_36_days 'im_dau(user_id)')"
		sql dau_36 'im_app_dau, one query a day, day partitions' $on "$(dau_by_slice login_36_days)"
		sql dau_36 'GROUP BY twice' $on "
			SELECT app_id, day, count(*)
			FROM (SELECT app_id, (at AT TIME ZONE $ZONE)::date AS day, user_id FROM login_36_days GROUP BY 1, 2, 3) d
			GROUP BY 1, 2"
		peer_dau dau_36 login_36_days $on
	done
}

# peer_dau SECTION TABLE 1|all
peer_dau() {
	peer_sql "$1" duckdb "$3" "
		SELECT app_id, CAST((\"at\" AT TIME ZONE $ZONE)::DATE AS VARCHAR), count(DISTINCT user_id) FROM $2 GROUP BY 1, 2"
	peer_sql "$1" duckdb "$3" "
		SELECT app_id, CAST((utc + INTERVAL 8 HOUR)::DATE AS VARCHAR), count(DISTINCT user_id) FROM $2 GROUP BY 1, 2" "$OFFSET"
	peer_sql "$1" clickhouse "$3" "$(clickhouse_dau "$2")"
	peer_sql "$1" clickhouse "$3" "$(clickhouse_dau "$2_sorted")" "$SORTED"
}

clickhouse_dau() {
	echo "SELECT app_id, toDate(at, $ZONE) AS day, uniqExact(user_id) FROM $1 GROUP BY 1, 2"
}

# ---- deductions of moderation checks, in hundredths ----

# duckdb_deductions WALL-CLOCK
duckdb_deductions() {
	echo "SELECT app_id, CAST(hour::DATE AS VARCHAR),
			sum(texts * 100 + images * 65 + audio // 30 * 750 + video // 30 * 2800)
		FROM (SELECT app_id, date_trunc('hour', $1) AS hour,
				count(*) FILTER (WHERE kind = 'text') AS texts,
				count(*) FILTER (WHERE kind = 'image') AS images,
				coalesce(sum(seconds) FILTER (WHERE kind = 'audio'), 0) AS audio,
				coalesce(sum(seconds) FILTER (WHERE kind = 'video'), 0) AS video
			FROM moderation_check GROUP BY 1, 2) h
		GROUP BY 1, 2"
}

clickhouse_deductions() {
	echo "SELECT app_id, toDate(hour, $ZONE),
			sum(texts * 100 + images * 65 + intDiv(audio, 30) * 750 + intDiv(video, 30) * 2800)
		FROM (SELECT app_id, toStartOfHour(at, $ZONE) AS hour,
				countIf(kind = 'text') AS texts, countIf(kind = 'image') AS images,
				coalesce(sumIf(seconds, kind = 'audio'), 0) AS audio,
				coalesce(sumIf(seconds, kind = 'video'), 0) AS video
			FROM $1 GROUP BY 1, 2)
		GROUP BY 1, 2"
}

section_deductions() {
	local on deductions
	warm moderation_check
	deductions="(100 * im_moderation_deductions(im_bundled_card('cn', '2019-12-10'), kind, at, seconds))::bigint"
	for on in 1 all; do
		sql deductions '~scan alone, count(*)' $on "SELECT count(*) FROM moderation_check"
		sql deductions 'im_moderation_deductions, GROUP BY app_id, im_day' $on "
			SELECT app_id, im_day(at, $ZONE), $deductions FROM moderation_check GROUP BY 1, 2"
		sql deductions 'im_moderation_deductions, one query a day, one heap (BRIN)' $on "
			$(by_day moderation_check "$deductions")"
		sql deductions 'plain SQL' $on "
			SELECT app_id, hour::date, sum(texts * 100 + images * 65 + audio / 30 * 750 + video / 30 * 2800)
			FROM (SELECT app_id, date_trunc('hour', at AT TIME ZONE $ZONE) AS hour,
					count(*) FILTER (WHERE kind = 'text') AS texts,
					count(*) FILTER (WHERE kind = 'image') AS images,
					coalesce(sum(seconds) FILTER (WHERE kind = 'audio'), 0) AS audio,
					coalesce(sum(seconds) FILTER (WHERE kind = 'video'), 0) AS video
				FROM moderation_check GROUP BY 1, 2) h
			GROUP BY 1, 2"
		peer_sql deductions duckdb $on "$(duckdb_deductions "\"at\" AT TIME ZONE $ZONE")"
		peer_sql deductions duckdb $on "$(duckdb_deductions 'utc + INTERVAL 8 HOUR')" "$OFFSET"
		peer_sql deductions clickhouse $on "$(clickhouse_deductions moderation_check)"
		peer_sql deductions clickhouse $on "$(clickhouse_deductions moderation_check_sorted)" "$SORTED"
	done
}

# ---- union of 31 daily sets ----

section_union() {
	sql union 'im_union_agg' 1 "SELECT im_count(im_union_agg(users)) FROM daily_set"
	sql union 'count(DISTINCT) of the ids' 1 "SELECT count(DISTINCT user_id) FROM daily_id"
	plain_merge
}

plain_merge() {
	local ids ms
	read -r ids ms < <("$WORK/merge" "$WORK"/ids/*)
	as_user tee "$(answer_file union 'plain C merge' 1)" <<<"$ids" >/dev/null
	record union 'plain C merge of sorted lines' 1 "$ms"
}
