-- Charts: inline SVG, one bar a day.  All coordinates are numeric, none is
-- floating point.  A chart says in words what it shows (title and desc), and
-- tells its parts apart by hatching as well as by colour.

CREATE TYPE im_internal.im_html_chart AS (
	key text,
	style text,
	days date[],
	low numeric[],
	high numeric[],
	counts boolean[],
	quota numeric
);
COMMENT ON TYPE im_internal.im_html_chart IS
'What a chart of a page shows; internal.';
COMMENT ON COLUMN im_internal.im_html_chart.key IS 'Key of its words.';
COMMENT ON COLUMN im_internal.im_html_chart.style IS 'peak: days with the peak marked; split: packs and postpaid; left: what is left.';
COMMENT ON COLUMN im_internal.im_html_chart.days IS 'The days of the month.';
COMMENT ON COLUMN im_internal.im_html_chart.low IS 'The lower part of each bar; null where there is nothing to draw.';
COMMENT ON COLUMN im_internal.im_html_chart.high IS 'The upper part of each bar, or null.';
COMMENT ON COLUMN im_internal.im_html_chart.counts IS 'Days that count towards the peak (R3).';
COMMENT ON COLUMN im_internal.im_html_chart.quota IS 'What the plan includes, or null.';

-- The plot: 344 wide from x = 50, 136 high above y = 164, of 400 x 188.
CREATE FUNCTION im_internal.im_html_height(value numeric, top numeric) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN round(136 * value / top, 1);
COMMENT ON FUNCTION im_internal.im_html_height(numeric, numeric) IS
'The height of a value in a chart whose axis ends at top.';

CREATE FUNCTION im_internal.im_html_axes(lang text, days date[], step numeric, top numeric) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT (SELECT string_agg(format('<line class="grid%s" x1="50" x2="394" y1="%s" y2="%s"/><text class="tick" x="45" y="%s" text-anchor="end">%s</text>',
					CASE v WHEN 0 THEN ' base' ELSE '' END, y, y, y + 4,
					im_internal.im_html_tick($1, v)), '' ORDER BY v)
			FROM generate_series(0, least($4, 100 * $3), $3) v, LATERAL (SELECT 164 - im_internal.im_html_height(v, $4) AS y) h)
		|| (SELECT string_agg(format('<text class="tick" x="%s" y="180" text-anchor="middle">%s</text>',
					round(50 + 344 * (d - 0.5) / cardinality($2), 1), d), '' ORDER BY d)
			FROM unnest(ARRAY[1, 5, 10, 15, 20, 25, cardinality($2)]) d)
$$;
COMMENT ON FUNCTION im_internal.im_html_axes(text, date[], numeric, numeric) IS
'Grid lines with their values, and days under the plot.';

CREATE FUNCTION im_internal.im_html_bar(class text, n bigint, days integer, base numeric, value numeric,
		top numeric, hint text)
	RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE WHEN $5 = 0 THEN '' ELSE format('<rect %s x="%s" y="%s" width="%s" height="%s"><title>%s</title></rect>', $1,
		round(50 + 344 * ($2 - 0.88) / $3, 1),
		164 - greatest(im_internal.im_html_height($4 + $5, $6), im_internal.im_html_height($4, $6) + 0.8),
		round(344 * 0.76 / $3, 1),
		greatest(im_internal.im_html_height($4 + $5, $6) - im_internal.im_html_height($4, $6), 0.8), $7) END
$$;
COMMENT ON FUNCTION im_internal.im_html_bar(text, bigint, integer, numeric, numeric, numeric, text) IS
'A bar of the nth of so many days, from base on; what is above 0 can be seen.';

CREATE FUNCTION im_internal.im_html_bars(chart im_internal.im_html_chart, top numeric, peak bigint) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT string_agg(
		coalesce(im_internal.im_html_bar(
			CASE WHEN ($1).style = 'left' THEN 'class="left"'
				WHEN ($1).style = 'split' THEN 'class="packs"'
				WHEN d.n = $3 THEN 'class="peak"'
				WHEN d.counts THEN 'class="day"'
				ELSE format('class="not" fill="url(#%s-not)"', ($1).key) END,
			d.n, cardinality(($1).days), 0::numeric, d.low, $2,
			im_internal.im_html_date(d.day) || ': ' || im_internal.im_html_number(d.low, 0)), '')
		|| coalesce(im_internal.im_html_bar(format('class="postpaid" fill="url(#%s-postpaid)"', ($1).key),
			d.n, cardinality(($1).days), d.low, d.high, $2,
			im_internal.im_html_date(d.day) || ': ' || im_internal.im_html_number(d.high, 0)), ''),
		'' ORDER BY d.n)
	FROM unnest(($1).days, ($1).low, ($1).high, ($1).counts) WITH ORDINALITY d(day, low, high, counts, n)
$$;
COMMENT ON FUNCTION im_internal.im_html_bars(im_internal.im_html_chart, numeric, bigint) IS
'The bars of a chart.';

CREATE FUNCTION im_internal.im_html_peak(chart im_internal.im_html_chart, top numeric, peak bigint) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('<path class="mark" d="M%s %sl-4 -7h8z"/><text class="mark" x="%s" y="%s" text-anchor="%s">%s</text>',
		x, y - 2, CASE anchor WHEN 'start' THEN x - 5 WHEN 'end' THEN x + 5 ELSE x END, y - 13, anchor,
		im_internal.im_html_number(($1).low[$3], 0))
	FROM (SELECT round(50 + 344 * ($3 - 0.5) / cardinality(($1).days), 1) AS x,
				 164 - im_internal.im_html_height(($1).low[$3], $2) AS y,
				 CASE WHEN $3 * 4 <= cardinality(($1).days) THEN 'start'
					WHEN $3 * 4 >= cardinality(($1).days) * 3 THEN 'end' ELSE 'middle' END AS anchor) p
$$;
COMMENT ON FUNCTION im_internal.im_html_peak(im_internal.im_html_chart, numeric, bigint) IS
'The mark on the bar of the peak.';

-- The quota is written above the plot, on the side where the peak is not.
-- One that would flatten the bars is no line, only a note with an arrow.
CREATE FUNCTION im_internal.im_html_quota(lang text, chart im_internal.im_html_chart, top numeric, peak bigint) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT format('<text class="quota" x="%s" y="14" text-anchor="%s">%s %s</text>', x, side,
			CASE WHEN ($2).quota > $3 THEN '&#8593;' ELSE '- -' END,
			format(im_internal.im_html_word($1, 'chart.quota'::text), im_internal.im_html_number(($2).quota, 0)))
		|| CASE WHEN ($2).quota > $3 THEN '' ELSE
			format('<line class="quota" x1="50" x2="394" y1="%1$s" y2="%1$s"/>',
				164 - im_internal.im_html_height(($2).quota, $3)) END
	FROM (VALUES ('start', 50, true), ('end', 394, false)) q(side, x, late)
	WHERE ($2).quota IS NOT NULL AND q.late = (coalesce($4, 1) * 2 > cardinality(($2).days))
$$;
COMMENT ON FUNCTION im_internal.im_html_quota(text, im_internal.im_html_chart, numeric, bigint) IS
'The line of the quota with its value, or a note where it lies far above the bars; null without a quota.';

CREATE FUNCTION im_internal.im_html_hatches(chart im_internal.im_html_chart) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN (SELECT coalesce('<defs>' || string_agg(format('<pattern id="%s-%s" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="%2$s-back" width="5" height="5"/><rect class="%2$s-line" width="2" height="5"/></pattern>',
		(chart).key, p), '') || '</defs>', '')
		FROM unnest(CASE (chart).style WHEN 'peak' THEN ARRAY['not'] WHEN 'split' THEN ARRAY['postpaid'] ELSE '{}' END) p);
COMMENT ON FUNCTION im_internal.im_html_hatches(im_internal.im_html_chart) IS
'The hatchings that a chart uses, under ids of its own.';

-- What a chart shows, in a sentence.
CREATE FUNCTION im_internal.im_html_summary(lang text, chart im_internal.im_html_chart, peak bigint) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	place text;
	first int;
	last int;
BEGIN
	IF ($2).style = 'split' THEN
		RETURN (SELECT format(im_internal.im_html_word($1, 'chart.split'::text), im_internal.im_html_number(sum(low + high), 0),
					im_internal.im_html_number(sum(low), 0), im_internal.im_html_number(sum(high), 0))
				FROM unnest(($2).low, ($2).high) d(low, high));
	ELSIF ($2).style = 'left' THEN
		SELECT min(n), max(n) INTO first, last
		FROM unnest(($2).low) WITH ORDINALITY d(low, n) WHERE low IS NOT NULL;
		RETURN format(im_internal.im_html_word($1, 'chart.left'::text),
			im_internal.im_html_number(($2).low[first], 0), im_internal.im_html_date(($2).days[first]),
			im_internal.im_html_number(($2).low[last], 0), im_internal.im_html_date(($2).days[last]));
	ELSIF $3 IS NULL THEN
		RETURN format(im_internal.im_html_word($1, 'chart.plain'::text), im_internal.im_html_word($1, 'chart.no_peak'::text));
	END IF;
	place := format(im_internal.im_html_word($1, 'chart.peak'::text),
		im_internal.im_html_number(($2).low[$3], 0), im_internal.im_html_date(($2).days[$3]));
	RETURN format(im_internal.im_html_word($1, CASE WHEN ($2).quota IS NULL THEN 'chart.plain'
			WHEN ($2).low[$3] > ($2).quota THEN 'chart.over' ELSE 'chart.within' END),
		place, im_internal.im_html_number(($2).quota, 0));
END
$$;
COMMENT ON FUNCTION im_internal.im_html_summary(text, im_internal.im_html_chart, bigint) IS
'What a chart shows, in a sentence.';

CREATE FUNCTION im_internal.im_html_legend(lang text, chart im_internal.im_html_chart, peak bigint) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT coalesce('<p class="legend">' || string_agg(format('<span><i class="key %s"></i>%s</span>', k.key,
			im_internal.im_html_word($1, 'chart.legend.' || k.key)), ' ' ORDER BY k.n) || '</p>', '')
	FROM (VALUES (1, 'peak', ($2).style = 'peak' AND $3 IS NOT NULL),
				 (2, 'counts', ($2).style = 'peak' AND $3 IS NOT NULL),
				 (3, 'not', ($2).style = 'peak' AND EXISTS (
					SELECT FROM unnest(($2).low, ($2).counts) d(low, counts) WHERE low > 0 AND NOT counts)),
				 (4, 'packs', ($2).style = 'split'),
				 (5, 'postpaid', ($2).style = 'split')) k(n, key, shown)
	WHERE k.shown
$$;
COMMENT ON FUNCTION im_internal.im_html_legend(text, im_internal.im_html_chart, bigint) IS
'The keys to the bars of a chart.';

-- The first of the highest days that count.
CREATE FUNCTION im_internal.im_html_peak_day(chart im_internal.im_html_chart) RETURNS bigint
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT d.n FROM unnest(($1).low, ($1).counts) WITH ORDINALITY d(low, counts, n)
	WHERE ($1).style = 'peak' AND d.counts AND d.low > 0
	ORDER BY d.low DESC, d.n
	LIMIT 1
$$;
COMMENT ON FUNCTION im_internal.im_html_peak_day(im_internal.im_html_chart) IS
'The number of the day of the peak; null without one.';

CREATE FUNCTION im_internal.im_html_figure(lang text, chart im_internal.im_html_chart, meter text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	highest numeric := (SELECT max(coalesce(low, 0) + coalesce(high, 0)) FROM unnest(($2).low, ($2).high) d(low, high));
	peak bigint := im_internal.im_html_peak_day($2);
	key text := ($2).key;
	heading text := coalesce(im_internal.im_html_text($3), im_internal.im_html_word($1, 'chart.' || ($2).key));
	summary text := im_internal.im_html_summary($1, $2, peak);
	step numeric;
	top numeric;
BEGIN
	-- a quota of more than three times the bars would flatten them
	step := im_internal.im_html_step(greatest(highest, 1,
		CASE WHEN ($2).quota <= 3 * highest THEN ($2).quota END));
	top := step * greatest(ceil(greatest(highest, CASE WHEN ($2).quota <= 3 * highest THEN ($2).quota END) / step), 1);
	RETURN format('<figure id="chart-%1$s"><figcaption><h3>%2$s</h3><p>%3$s</p></figcaption>'
			'<div class="plot" tabindex="0" role="group" aria-label="%2$s">'
			'<svg viewBox="0 0 400 188" role="img" aria-labelledby="%1$s-title %1$s-desc">'
			'<title id="%1$s-title">%2$s</title><desc id="%1$s-desc">%4$s %3$s</desc>',
			key, heading, summary, format(im_internal.im_html_word($1, 'chart.desc'::text), heading))
		|| im_internal.im_html_hatches($2)
		|| im_internal.im_html_axes($1, ($2).days, step, top)
		|| im_internal.im_html_bars($2, top, peak)
		|| coalesce(im_internal.im_html_quota($1, $2, top, peak), '')
		|| coalesce(im_internal.im_html_peak($2, top, peak), '')
		|| '</svg></div>' || im_internal.im_html_legend($1, $2, peak) || '</figure>' || E'\n';
END
$$;
COMMENT ON FUNCTION im_internal.im_html_figure(text, im_internal.im_html_chart, text) IS
'A chart with its heading, which is the name of a meter where one is given, what it shows in a sentence, and its keys.';
