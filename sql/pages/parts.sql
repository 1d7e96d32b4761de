-- Parts of all pages: words, numbers, days.  What comes out of these functions
-- is HTML already; what came from a table went through im_html_text() first.

CREATE FUNCTION im_internal.im_html_text(text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION im_internal.im_html_text(text) IS
'A text as it may stand in content and attributes of an HTML page: markup escaped, forbidden characters replaced by U+FFFD, and what the client''s encoding cannot carry as UTF-8 written as references.';

CREATE FUNCTION im_internal.im_html_word(lang text, key text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION im_internal.im_html_word(text, text) IS
'A word of the pages in a language, as HTML. Error 22023 for a language other than en and zh, and for a word that there is not.';

CREATE FUNCTION im_internal.im_html_name(lang text, key text, otherwise text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION im_internal.im_html_name(text, text, text) IS
'A word of the pages in a language, or the given text where there is none, as HTML. Error 22023 as im_html_word().';

CREATE FUNCTION im_internal.im_html_reason(lang text, explanation text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C STABLE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION im_internal.im_html_reason(text, text) IS
'Why a line has its amount, as HTML: the sentence of a reason as text (im_line_reason()) in a language; any other text as it is. Error 22023 as im_html_word().';

CREATE FUNCTION im_internal.im_html_number(value numeric, places integer DEFAULT 0) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_html_number(numeric, integer) IS
'A number with separators of thousands and at least so many places; exact. Error 22023 unless places are from 0 to 100.';

CREATE FUNCTION im_internal.im_html_long(number text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN length(number) > 13 THEN ' long' ELSE '' END;
COMMENT ON FUNCTION im_internal.im_html_long(text) IS
'The class of a cell whose number may have to break, so that no column is cut off.';

CREATE FUNCTION im_internal.im_html_grouped(html text) RETURNS text
	AS 'MODULE_PATHNAME' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION im_internal.im_html_grouped(text) IS
'Puts separators of thousands into the numbers of a sentence of a page, which has no markup yet: not into days, times, fractions, names, nor the numbers of orders and apps.';

CREATE FUNCTION im_internal.im_html_money(amount numeric, shown numeric, places integer) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN format('<data value="%s">%s%s</data>', round(amount, greatest(min_scale(amount), places)),
		im_internal.im_html_number(round(shown, places), places),
		CASE WHEN round(shown, places) <> amount THEN
			format(' <span class="exact">%s</span>', im_internal.im_html_number(amount, places)) END);
COMMENT ON FUNCTION im_internal.im_html_money(numeric, numeric, integer) IS
'An amount of money in the places of its currency, with the exact one where they differ.';

CREATE FUNCTION im_internal.im_html_date(day date) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN to_char(day, 'YYYY-MM-DD');
COMMENT ON FUNCTION im_internal.im_html_date(date) IS
'A day as 2024-03-17, whatever DateStyle says.';

CREATE FUNCTION im_internal.im_html_times(html text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	RETURN regexp_replace(html, E'\\m\\d{4}-\\d\\d-\\d\\d\\M', E'<time>\\&</time>', 'g');
COMMENT ON FUNCTION im_internal.im_html_times(text) IS
'Marks the days in a sentence of a page, which has no markup yet, so that no line breaks within them.';

CREATE FUNCTION im_internal.im_html_month(lang text, month date) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	RETURN format(im_internal.im_html_word(lang, 'month.name'::text), to_char(month, 'FMYYYY'),
		im_internal.im_html_word(lang, 'month.' || to_char(month, 'FMMM')), to_char(month, 'FMMM'));
COMMENT ON FUNCTION im_internal.im_html_month(text, date) IS
'A month in words.';

CREATE FUNCTION im_internal.im_html_when(lang text, month date) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	RETURN format('<time datetime="%s">%s</time>', to_char(month, 'YYYY-MM'), im_internal.im_html_month(lang, month));
COMMENT ON FUNCTION im_internal.im_html_when(text, date) IS
'A month in words that machines can read as well.';

CREATE FUNCTION im_internal.im_html_item(lang text, item text, option text) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	RETURN CASE WHEN option = '' THEN '' ELSE CASE
			WHEN item = 'refund' THEN im_internal.im_html_name(lang, 'item.' || option, option)
			WHEN item IN ('plan', 'plan_upgrade', 'dau_overage', 'mau_overage', 'group_overage') THEN
				im_internal.im_html_name(lang, 'plan.' || option, option)
			ELSE im_internal.im_html_name(lang, 'option.' || item || '.' || option, option) END END;
COMMENT ON FUNCTION im_internal.im_html_item(text, text, text) IS
'The option of a line in words: of a plan its name, of a refund what was refunded.';

-- Axes ----------------------------------------------------------------------

-- Steps of 1, 2, 2.5 or 5 times a power of ten: at most four of them.
CREATE FUNCTION im_internal.im_html_step(highest numeric) RETURNS numeric
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT m * ('1' || repeat('0', k))::numeric
	FROM generate_series(0, 40) k, unnest(ARRAY[1, 2, 2.5, 5]) m
	WHERE $1 <= 4 * m * ('1' || repeat('0', k))::numeric AND (k > 0 OR m <> 2.5)
	ORDER BY 1
	LIMIT 1
$$;
COMMENT ON FUNCTION im_internal.im_html_step(numeric) IS
'The distance between the lines of a chart whose highest value is given.';

CREATE FUNCTION im_internal.im_html_tick(lang text, value numeric) RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT CASE
		WHEN $2 < 10000 THEN im_internal.im_html_number($2, 0)
		WHEN $2 >= 1000000000000000 THEN
			trim_scale($2 / ('1' || repeat('0', length(trunc($2)::text) - 1))::numeric)
				|| 'e' || length(trunc($2)::text) - 1
		ELSE (SELECT trim_scale($2 / u.unit) || im_internal.im_html_word($1, 'axis.' || u.n)
			  FROM (VALUES ('en', 1, 1000::numeric), ('en', 2, 1000000), ('en', 3, 1000000000), ('en', 4, 1000000000000),
						   ('zh', 2, 10000), ('zh', 3, 100000000), ('zh', 4, 1000000000000)) u(lang, n, unit)
			  WHERE u.lang = $1 AND u.unit <= $2
			  ORDER BY u.unit DESC
			  LIMIT 1) END
$$;
COMMENT ON FUNCTION im_internal.im_html_tick(text, numeric) IS
'A value of an axis in short: 2,500, 25k, 1.5M; 2.5 ten thousands in Chinese; 9e18 past that.';
