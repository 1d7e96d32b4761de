-- The moderation statement by scene: rows that add up to the day's.
BEGIN;
\ir include/setup.sql

CALL app(1);
CALL turn(1, 1, '2023-03-01 10:00', 'on', 'moderation');
CALL turn(1, 2, '2023-03-20 10:00', 'off', 'moderation');
CALL pack(1, 3, '2023-03-05 10:00', 'month');
INSERT INTO im_moderation_check (app_id, at, kind, seconds, scene)
SELECT 1, at8(c.at), c.kind, c.seconds, c.scene
FROM (VALUES ('2023-03-02 08:00', 'text', NULL::int, 'chat'), ('2023-03-02 08:00', 'text', NULL, NULL), ('2023-03-02 09:00', 'image', NULL, 'group'),
	-- 20 + 20 + 25 seconds of one hour: two half minutes, to those with the most left; 5 are rounded off
	('2023-03-02 08:10', 'audio', 20, 'chat'), ('2023-03-02 08:20', 'audio', 20, 'group'), ('2023-03-02 08:30', 'audio', 25, NULL),
	-- 29 seconds of another hour are none
	('2023-03-02 09:10', 'audio', 29, 'chat'),
	('2023-03-21 09:10', 'text', NULL, 'chat')) c(at, kind, seconds, scene);
INSERT INTO im_moderation_check (app_id, at, kind, seconds, scene)
SELECT 1, at8('2023-03-06 00:00') + i * interval '7 minutes', (ARRAY['text', 'image', 'audio', 'video'])[1 + i % 4],
	CASE WHEN i % 4 > 1 THEN i * 37 % 171 END, (ARRAY['chat', 'group', NULL])[1 + i % 3]
FROM generate_series(1, 2000) i;
CALL daily(1, '2023-03-04', texts => 7);
INSERT INTO im_moderation_check (app_id, at, kind, scene) VALUES (1, at8('2023-03-04 12:00'), 'image', 'chat'), (1, at8('2023-03-04 12:00'), 'text', 'chat');

SELECT is((SELECT string_agg(concat_ws(' ', coalesce(scene, '-'), text_checks, image_checks, audio_half_minutes, audio_seconds_off, n(deductions), n(amount)), ', ')
		   FROM im_moderation_statement(1, '2023-03', true) WHERE day = '2023-03-02'),
	'chat 1 0 1 19 8.5 0.0085, group 0 1 0 20 0.65 0.00065, - 1 0 1 -5 8.5 0.0085', 'a day by scene');
SELECT is((SELECT string_agg(concat_ws(' ', coalesce(scene, '-'), text_checks, image_checks), ', ')
		   FROM im_moderation_statement(1, '2023-03', true) WHERE day = '2023-03-04'), 'chat 0 1, - 7 0', 'a figure that was given has a scene');
SELECT is((SELECT string_agg(concat_ws(' ', service, coalesce(scene, '-'), text_checks, n(deductions)), ', ')
		   FROM im_moderation_statement(1, '2023-03', true) WHERE day >= '2023-03-21' AND day < '2023-03-23'), 'off chat 1 0, off - 0 0',
	'a day on which it is off is billed, or one without checks has no row');
-- all days, packs included
SELECT bag_eq(
	$$SELECT day, service, sum(text_checks) a, sum(image_checks) b, sum(audio_half_minutes) c, sum(video_half_minutes) d,
		sum(deductions) e, sum(from_packs) f, sum(postpaid) g, sum(amount) h FROM im_moderation_statement(1, '2023-03', true) GROUP BY day, service$$,
	$$SELECT day, service, text_checks::numeric, image_checks::numeric, audio_half_minutes::numeric, video_half_minutes::numeric,
		deductions, from_packs, postpaid, amount FROM im_moderation_statement(1, '2023-03')$$, 'scenes do not add up to their day');
SELECT bag_eq(
	$$SELECT day, scene, text_checks, image_checks, audio_half_minutes, video_half_minutes, deductions, from_packs, postpaid, amount
		FROM im_moderation_statement(1, '2023-03', false)$$,
	$$SELECT day, NULL::text AS scene, text_checks, image_checks, audio_half_minutes, video_half_minutes, deductions, from_packs, postpaid, amount
		FROM im_moderation_statement(1, '2023-03')$$, 'not by scene is another statement');
SELECT is((SELECT sum(audio_seconds_off + 30 * audio_half_minutes) FROM im_moderation_statement(1, '2023-03', true) WHERE day >= '2023-03-06'),
	(SELECT sum(seconds)::numeric FROM im_moderation_check WHERE kind = 'audio' AND at >= at8('2023-03-06 00:00')), 'seconds are lost');
SELECT isnt((SELECT sum(from_packs) FROM im_moderation_statement(1, '2023-03', true)), 0::numeric, 'packs gave something');
SELECT is((SELECT count(*) FROM im_moderation_statement(1, '2023-03', NULL)), 0::bigint, 'null asks nothing');
SELECT fails_with($$SELECT * FROM im_moderation_statement(9, '2023-03', true)$$, 'P0002', 'app 9', 'an app that there is not');

SELECT * FROM finish();
ROLLBACK;
