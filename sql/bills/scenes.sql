-- The moderation statement by scene.  What is billed is the day's: scenes only
-- split it, so that their rows add up to it.

CREATE TYPE im_internal.im_scene_checks AS (
	day date,
	scene text,
	text_checks bigint,
	image_checks bigint,
	audio_half_minutes bigint,
	video_half_minutes bigint,
	audio_seconds_off bigint,
	video_seconds_off bigint
);
COMMENT ON TYPE im_internal.im_scene_checks IS
'Checks of a day and scene; seconds_off is what of the scene''s seconds is in no half minute of it, below 0 where it has one to which other scenes gave seconds. Internal.';

-- Half minutes are floored per clock hour over all scenes (R6).  A scene has
-- those that its own seconds fill; of the others one goes to each of the
-- scenes with the most seconds left.  A zone may repeat an hour.
CREATE FUNCTION im_internal.im_checks_by_scene(app_id bigint, first date, until date, zone text)
	RETURNS SETOF im_internal.im_scene_checks
	LANGUAGE plpgsql STABLE ROWS 100
	SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
	RETURN QUERY
	WITH hour AS (
		SELECT e.local::date AS day, date_trunc('hour', e.local) AS local, e.local - e.utc AS ahead, e.kind, e.scene,
			count(*) AS checks, coalesce(sum(e.seconds), 0) AS seconds
		FROM (SELECT k.at AT TIME ZONE $4 AS local, k.at AT TIME ZONE 'UTC' AS utc, k.kind, k.scene, k.seconds
			  FROM @extschema@.im_moderation_check k
			  WHERE k.app_id = $1 AND k.at >= im_internal.im_utc_midnight($2 - 1) AND k.at < im_internal.im_utc_midnight($3 + 1)) e
		WHERE e.local >= $2 AND e.local < $3
		GROUP BY 1, 2, 3, 4, 5),
	half AS (
		SELECT h.*, h.seconds / 30
			+ (row_number() OVER (w ORDER BY h.seconds % 30 DESC, h.scene COLLATE "C" NULLS FIRST)
				<= div(sum(h.seconds) OVER w, 30) - sum(h.seconds / 30) OVER w)::int AS halves
		FROM hour h
		WINDOW w AS (PARTITION BY h.local, h.ahead, h.kind))
	SELECT h.day, h.scene,
		coalesce(sum(h.checks) FILTER (WHERE h.kind = 'text'), 0)::bigint,
		coalesce(sum(h.checks) FILTER (WHERE h.kind = 'image'), 0)::bigint,
		coalesce(sum(h.halves) FILTER (WHERE h.kind = 'audio'), 0)::bigint,
		coalesce(sum(h.halves) FILTER (WHERE h.kind = 'video'), 0)::bigint,
		coalesce(sum(h.seconds - 30 * h.halves) FILTER (WHERE h.kind = 'audio'), 0)::bigint,
		coalesce(sum(h.seconds - 30 * h.halves) FILTER (WHERE h.kind = 'video'), 0)::bigint
	FROM half h
	GROUP BY h.day, h.scene;
END
$$;
COMMENT ON FUNCTION im_internal.im_checks_by_scene(bigint, date, date, text) IS
'Checks and half minutes of an app by day and scene, of the days from the first to before the second.';

CREATE TYPE @extschema@.im_scene_day AS (
	day date,
	service text,
	scene text,
	text_checks bigint,
	image_checks bigint,
	audio_half_minutes bigint,
	video_half_minutes bigint,
	audio_seconds_off bigint,
	video_seconds_off bigint,
	deductions numeric,
	from_packs numeric,
	postpaid numeric,
	amount numeric
);
COMMENT ON TYPE @extschema@.im_scene_day IS
'A day and scene of im_moderation_statement(app_id, month, true).';
COMMENT ON COLUMN @extschema@.im_scene_day.day IS 'Day in the time zone of the app''s rate card.';
COMMENT ON COLUMN @extschema@.im_scene_day.service IS 'on, off, suspended, stopped or reclaimed.';
COMMENT ON COLUMN @extschema@.im_scene_day.scene IS 'As the rows say; null for rows without one, figures that were given by the day, and days without checks.';
COMMENT ON COLUMN @extschema@.im_scene_day.text_checks IS 'Texts.';
COMMENT ON COLUMN @extschema@.im_scene_day.image_checks IS 'Images.';
COMMENT ON COLUMN @extschema@.im_scene_day.audio_half_minutes IS 'Half minutes of audio, its part of those of each clock hour.';
COMMENT ON COLUMN @extschema@.im_scene_day.video_half_minutes IS 'Half minutes of video.';
COMMENT ON COLUMN @extschema@.im_scene_day.audio_seconds_off IS 'Seconds of audio that are in no half minute of the scene: what was rounded off; below 0 where its half minutes hold seconds of other scenes.';
COMMENT ON COLUMN @extschema@.im_scene_day.video_seconds_off IS 'The same of video.';
COMMENT ON COLUMN @extschema@.im_scene_day.deductions IS 'What the checks take, 0 while they are not billed.';
COMMENT ON COLUMN @extschema@.im_scene_day.from_packs IS 'Its part of what packs gave on the day: they give to one scene after the other, in the order of the rows.';
COMMENT ON COLUMN @extschema@.im_scene_day.postpaid IS 'The rest of the deductions.';
COMMENT ON COLUMN @extschema@.im_scene_day.amount IS 'postpaid at the price of a deduction, in the currency of the card.';

CREATE FUNCTION @extschema@.im_moderation_statement(app_id bigint, month @extschema@.im_month, by_scene boolean)
	RETURNS SETOF @extschema@.im_scene_day
	LANGUAGE plpgsql STABLE STRICT ROWS 100
	SET search_path = pg_catalog, pg_temp
	SET jit = off	-- as in im_rebill()
AS $$
DECLARE
	card jsonb;
BEGIN
	IF im_internal.im_guarded('im_moderation_statement_scenes_guarded'::text) THEN
		RETURN QUERY SELECT * FROM @extschema@.im_moderation_statement_scenes_guarded($1, $2, $3);
		RETURN;
	END IF;
	card := @extschema@.im_app_card($1, $2)::jsonb;
	RETURN QUERY
	WITH total AS MATERIALIZED (SELECT s.* FROM @extschema@.im_moderation_statement($1, $2) s),
	found AS (
		SELECT c.*, sum(c.text_checks) OVER d AS texts, sum(c.image_checks) OVER d AS images,
			sum(c.audio_half_minutes) OVER d AS audio, sum(c.video_half_minutes) OVER d AS video
		FROM im_internal.im_checks_by_scene($1, $2::date, upper($2::daterange), card ->> 'time_zone') c
		WHERE $3
		WINDOW d AS (PARTITION BY c.day)),
	-- a figure that is not that of the rows was given: it has no scene
	part AS (
		SELECT t.day, u.scene, sum(u.texts) AS texts, sum(u.images) AS images, sum(u.audio) AS audio, sum(u.video) AS video,
			sum(u.audio_off) AS audio_off, sum(u.video_off) AS video_off
		FROM total t,
			LATERAL (
				SELECT f.scene, CASE WHEN f.texts = t.text_checks THEN f.text_checks ELSE 0 END,
					CASE WHEN f.images = t.image_checks THEN f.image_checks ELSE 0 END,
					CASE WHEN f.audio = t.audio_half_minutes THEN f.audio_half_minutes ELSE 0 END,
					CASE WHEN f.video = t.video_half_minutes THEN f.video_half_minutes ELSE 0 END,
					CASE WHEN f.audio = t.audio_half_minutes THEN f.audio_seconds_off ELSE 0 END,
					CASE WHEN f.video = t.video_half_minutes THEN f.video_seconds_off ELSE 0 END
				FROM found f WHERE f.day = t.day
				UNION ALL
				SELECT NULL, CASE WHEN g.texts = t.text_checks THEN 0 ELSE t.text_checks END,
					CASE WHEN g.images = t.image_checks THEN 0 ELSE t.image_checks END,
					CASE WHEN g.audio = t.audio_half_minutes THEN 0 ELSE t.audio_half_minutes END,
					CASE WHEN g.video = t.video_half_minutes THEN 0 ELSE t.video_half_minutes END, 0, 0
				FROM (SELECT max(f.texts) AS texts, max(f.images) AS images, max(f.audio) AS audio, max(f.video) AS video
					  FROM found f WHERE f.day = t.day) g
				WHERE (g.texts, g.images, g.audio, g.video) IS DISTINCT FROM
					(t.text_checks::numeric, t.image_checks::numeric, t.audio_half_minutes::numeric, t.video_half_minutes::numeric)
			) u(scene, texts, images, audio, video, audio_off, video_off)
		GROUP BY t.day, u.scene),
	taken AS (
		SELECT p.*, CASE WHEN t.deductions = 0 THEN 0 ELSE
				p.texts * w.text + p.images * w.image + p.audio * w.audio / 2 + p.video * w.video / 2 END AS deductions
		FROM part p
		JOIN total t ON t.day = p.day,
			(SELECT coalesce((k ->> 'text')::numeric, 0), coalesce((k ->> 'image')::numeric, 0),
				coalesce((k ->> 'audio')::numeric, 0), coalesce((k ->> 'video')::numeric, 0)
			 FROM (SELECT card #> '{moderation,coefficients}') c(k)) w(text, image, audio, video)),
	given AS (
		SELECT x.*, least(x.deductions, greatest(t.from_packs - coalesce(sum(x.deductions) OVER before, 0), 0)) AS from_packs
		FROM taken x
		JOIN total t ON t.day = x.day
		WINDOW before AS (PARTITION BY x.day ORDER BY x.scene COLLATE "C" NULLS LAST
			ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
	SELECT g.day, t.service, g.scene, g.texts::bigint, g.images::bigint, g.audio::bigint, g.video::bigint, g.audio_off::bigint,
		g.video_off::bigint, trim_scale(g.deductions), trim_scale(g.from_packs), trim_scale(g.deductions - g.from_packs),
		trim_scale((g.deductions - g.from_packs) * coalesce((card #>> '{moderation,price}')::numeric, 0))
	FROM given g
	JOIN total t ON t.day = g.day
	ORDER BY g.day, g.scene COLLATE "C" NULLS LAST;
END
$$;
COMMENT ON FUNCTION @extschema@.im_moderation_statement(bigint, @extschema@.im_month, boolean) IS
'Cloud moderation of a month day by day; with by_scene a row a day and scene, whose figures and amounts add up to those of the day. Half minutes are floored per clock hour over all scenes first; what is rounded off stands in seconds. Errors as im_monthly_bill().';
