-- The days of a bill, as the page of the bill draws and tells them.

CREATE FUNCTION im_internal.im_rebill_days(app_id bigint, month @extschema@.im_month)
	RETURNS TABLE (day date, state text, plan text, counts boolean, dau bigint, groups bigint,
		deductions numeric, deductions_from_packs numeric, deductions_left numeric,
		minutes numeric, minutes_from_packs numeric, minutes_left numeric)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 31
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
#variable_conflict use_column
DECLARE
	first date := $2::date;
	until date := upper($2::daterange);
	book im_internal.im_price_book := im_internal.im_price_book(NULL::@extschema@.im_rate_card);
	reading im_internal.im_reading;
BEGIN
	reading := im_internal.im_reading(first, until, NULL::@extschema@.im_rate_card, book, $1);
	RETURN QUERY
	SELECT d.*
	FROM im_internal.im_gather(first, until, NULL::@extschema@.im_rate_card, reading) g,
		im_internal.im_rate_days(g.account, g.usage, book, $2) d
	WHERE g.app_id = $1;
END
$$;
COMMENT ON FUNCTION im_internal.im_rebill_days(bigint, @extschema@.im_month) IS
'The days of a month of an app as the tables make them.';

CREATE TYPE im_internal.im_html_day AS (
	day date,
	state text,
	plan text,
	counts boolean,
	dau bigint,
	groups bigint,
	deductions numeric,
	deductions_from_packs numeric,
	deductions_left numeric,
	minutes numeric,
	minutes_from_packs numeric,
	minutes_left numeric
);
COMMENT ON TYPE im_internal.im_html_day IS
'A day of a page; internal. The columns are those of im_rebill_days().';
COMMENT ON COLUMN im_internal.im_html_day.day IS 'The day.';
COMMENT ON COLUMN im_internal.im_html_day.state IS 'State of the app on it.';
COMMENT ON COLUMN im_internal.im_html_day.plan IS 'Plan in force, or null.';
COMMENT ON COLUMN im_internal.im_html_day.counts IS 'Whether it counts towards a peak (R3).';
COMMENT ON COLUMN im_internal.im_html_day.dau IS 'Distinct users.';
COMMENT ON COLUMN im_internal.im_html_day.groups IS 'Peak groups.';
COMMENT ON COLUMN im_internal.im_html_day.deductions IS 'Billed deductions.';
COMMENT ON COLUMN im_internal.im_html_day.deductions_from_packs IS 'What packs gave of them.';
COMMENT ON COLUMN im_internal.im_html_day.deductions_left IS 'What moderation packs in force hold at its end; null without any.';
COMMENT ON COLUMN im_internal.im_html_day.minutes IS 'Billed call minutes.';
COMMENT ON COLUMN im_internal.im_html_day.minutes_from_packs IS 'What packs gave of them.';
COMMENT ON COLUMN im_internal.im_html_day.minutes_left IS 'Pack minutes that call packs in force hold at its end; null without any.';

-- One day a row: only the columns that have a figure in the month.
CREATE FUNCTION im_internal.im_html_days(lang text, days im_internal.im_html_day[],
		dau_day date, group_day date) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	has_deductions boolean;
	has_minutes boolean;
	peak text := format('<span class="tag">%s</span> ', im_internal.im_html_word($1, 'peak'::text));
BEGIN
	SELECT bool_or(d.deductions > 0 OR d.deductions_left IS NOT NULL), bool_or(d.minutes > 0 OR d.minutes_left IS NOT NULL)
	INTO has_deductions, has_minutes
	FROM unnest($2) d;
	RETURN format('<section class="sheet"><h2 id="days">%s</h2><div class="scroll" tabindex="0" role="region" aria-labelledby="days">'
			'<table class="days"><caption>%1$s</caption><thead><tr>', im_internal.im_html_word($1, 'days'::text))
		|| (SELECT string_agg(format('<th scope="col"%s>%s</th>', CASE WHEN h.n > 2 THEN ' class="n"' ELSE '' END,
					im_internal.im_html_word($1, h.key)), '' ORDER BY h.n)
			FROM (VALUES (1, 'day', true), (2, 'state', true), (3, 'dau', true), (4, 'groups', true),
						 (5, 'deductions', has_deductions), (6, 'packs.deductions', has_deductions), (7, 'left.deductions', has_deductions),
						 (8, 'minutes', has_minutes), (9, 'packs.minutes', has_minutes), (10, 'left.minutes', has_minutes)) h(n, key, shown)
			WHERE h.shown)
		|| '</tr></thead>' || E'\n' || '<tbody>'
		|| (SELECT string_agg(format('<tr><th scope="row">%s</th><td data-label="%s">%s</td>', im_internal.im_html_date(d.day),
					im_internal.im_html_word($1, 'state'::text), im_internal.im_html_word($1, 'state.' || d.state))
				|| (SELECT string_agg(format('<td class="n%s" data-label="%s">%s%s</td>', CASE WHEN c.highest THEN ' highest' ELSE '' END,
							im_internal.im_html_word($1, c.key), CASE WHEN c.highest THEN peak ELSE '' END, im_internal.im_html_number(c.value, 0)), '' ORDER BY c.n)
					FROM (VALUES (3, 'dau', d.dau::numeric, true, coalesce(d.day = $3, false)),
								 (4, 'groups', d.groups, true, coalesce(d.day = $4, false)),
								 (5, 'deductions', d.deductions, has_deductions, false),
								 (6, 'packs.deductions', d.deductions_from_packs, has_deductions, false),
								 (7, 'left.deductions', d.deductions_left, has_deductions, false),
								 (8, 'minutes', d.minutes, has_minutes, false),
								 (9, 'packs.minutes', d.minutes_from_packs, has_minutes, false),
								 (10, 'left.minutes', d.minutes_left, has_minutes, false)
						) c(n, key, value, shown, highest)
					WHERE c.shown)
				|| '</tr>', E'\n' ORDER BY d.day)
			FROM unnest($2) d)
		|| '</tbody></table></div></section>' || E'\n';
END
$$;
COMMENT ON FUNCTION im_internal.im_html_days(text, im_internal.im_html_day[], date, date) IS
'The table of daily figures of a bill.';

-- The charts of meters by name, of now as the days are: a meter that is charged has days to tell.
CREATE FUNCTION im_internal.im_html_meter_charts(lang text, app_id bigint, month @extschema@.im_month, days im_internal.im_html_day[],
		terms jsonb) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	WITH meter AS (
		SELECT row_number() OVER (ORDER BY min(b.line)) AS n, b.item, min(b.line) AS line,
			CASE WHEN $5 #>> ARRAY['meters', b.item, 'month'] = 'max' THEN min(b.included) END AS quota
		FROM @extschema@.im_rebill($2, $3, NULL::@extschema@.im_rate_card) b
		WHERE $5 ? 'meters' AND $5 -> 'meters' ? b.item
		GROUP BY b.item
	), told AS MATERIALIZED (
		SELECT m.n, e.day, e.quantity, e.fact = m.item AS counts
		FROM meter m, LATERAL im_internal.im_rebill_facts($2, $3, m.line) e
		WHERE e.fact IN (m.item, 'not counted')
	)
	SELECT string_agg(im_internal.im_html_figure($1,
		ROW('meter-' || c.n, 'peak', c.days, c.low, NULL::numeric[], c.counts, c.quota)::im_internal.im_html_chart, c.item), '' ORDER BY c.n)
	FROM (
		SELECT m.n, m.item, m.quota, array_agg(d.day ORDER BY d.day) AS days, array_agg(t.quantity ORDER BY d.day) AS low,
			array_agg(coalesce(t.counts, d.counts) ORDER BY d.day) AS counts
		FROM meter m
		CROSS JOIN unnest($4) d
		LEFT JOIN told t ON t.n = m.n AND t.day = d.day
		GROUP BY m.n, m.item, m.quota
		HAVING max(t.quantity) > 0) c
$$;
COMMENT ON FUNCTION im_internal.im_html_meter_charts(text, bigint, @extschema@.im_month, im_internal.im_html_day[], jsonb) IS
'A chart of each meter by name that the bill charges, day by day; null without any. What is included is drawn where the highest day is charged.';

-- Which charts a month has: those with something to draw.
CREATE FUNCTION im_internal.im_html_charts(lang text, days im_internal.im_html_day[], dau_quota numeric, group_quota numeric,
		meters text)
	RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce(format('<section><h2>%s</h2><div class="charts">', im_internal.im_html_word($1, 'charts'::text)) || E'\n'
		|| nullif(concat(string_agg(im_internal.im_html_figure($1,
			ROW(c.key, c.style, v.days, c.low, c.high, v.counts, c.quota)::im_internal.im_html_chart, NULL::text), '' ORDER BY c.n), $5), '')
		|| '</div></section>' || E'\n', '')
	FROM (SELECT array_agg(d.day ORDER BY d.day) AS days, array_agg(d.counts ORDER BY d.day) AS counts,
				 array_agg(d.dau::numeric ORDER BY d.day) AS dau, array_agg(d.groups::numeric ORDER BY d.day) AS groups,
				 array_agg(d.deductions_from_packs ORDER BY d.day) AS deductions_packs,
				 array_agg(d.deductions - d.deductions_from_packs ORDER BY d.day) AS deductions_rest,
				 array_agg(d.deductions_left ORDER BY d.day) AS deductions_left,
				 array_agg(d.minutes_from_packs ORDER BY d.day) AS minutes_packs,
				 array_agg(d.minutes - d.minutes_from_packs ORDER BY d.day) AS minutes_rest,
				 array_agg(d.minutes_left ORDER BY d.day) AS minutes_left,
				 max(d.dau) > 0 AS has_dau, max(d.groups) > 0 AS has_groups,
				 max(d.deductions) > 0 AS has_deductions, max(d.minutes) > 0 AS has_minutes,
				 count(d.deductions_left) > 0 AS has_deductions_left, count(d.minutes_left) > 0 AS has_minutes_left
		  FROM unnest($2) d) v,
		LATERAL (VALUES
			(1, 'dau', 'peak', v.dau, NULL::numeric[], $3, v.has_dau),
			(2, 'groups', 'peak', v.groups, NULL, $4, v.has_groups),
			(3, 'deductions', 'split', v.deductions_packs, v.deductions_rest, NULL, v.has_deductions),
			(4, 'deductions_left', 'left', v.deductions_left, NULL, NULL, v.has_deductions_left),
			(5, 'minutes', 'split', v.minutes_packs, v.minutes_rest, NULL, v.has_minutes),
			(6, 'minutes_left', 'left', v.minutes_left, NULL, NULL, v.has_minutes_left)
		) c(n, key, style, low, high, quota, shown)
	WHERE c.shown
$$;
COMMENT ON FUNCTION im_internal.im_html_charts(text, im_internal.im_html_day[], numeric, numeric, text) IS
'The charts of a bill, those of meters by name after the others.';
