-- What the demo prints, each query as it is typed.
SET TimeZone = 'Asia/Shanghai';
\pset null '-'
\pset footer off
\set ECHO queries

\echo
\echo '=== The price page\'s example: 10 texts, 10 images, audio of 25 s and 135 s within the hour: 54'
WITH checks(kind, at, seconds) AS (
  SELECT 'text', timestamptz '2023-12-01 08:10+08', NULL::int FROM generate_series(1, 10)
  UNION ALL SELECT 'image', '2023-12-01 08:15+08', NULL FROM generate_series(1, 10)
  UNION ALL SELECT 'audio', '2023-12-01 08:12+08', 25
  UNION ALL SELECT 'audio', '2023-12-01 08:20+08', 135)
SELECT coalesce(kind, 'in all') AS kind,
       im_moderation_deductions(im_bundled_card('cn', '2019-12-10'), checks.kind, at, seconds) AS deductions
FROM checks
GROUP BY ROLLUP (checks.kind)
ORDER BY checks.kind;

\echo
\echo '=== One app\'s bill: Upstart went from pro to flagship on December 11'
SELECT line, item, option, due_on, quantity, units, trim_scale(unit_price) AS unit_price, amount
FROM im_monthly_bill(1400000004, '2023-12');
SELECT line, explanation FROM im_monthly_bill(1400000004, '2023-12');

\echo
\echo '=== Every app\'s total'
SELECT app_id, name, currency, total
FROM im_monthly_totals('2023-12') JOIN im_app USING (app_id)
ORDER BY app_id;

\echo
\echo '=== Where the money comes from'
SELECT item, currency, count(*) AS lines, sum(amount) AS amount
FROM im_monthly_bills('2023-12')
GROUP BY item, currency
ORDER BY currency, sum(amount) DESC;

\echo
\echo '=== A moderation statement: Sentinel\'s month pack ends on December 15, its year pack starts on the 20th'
SELECT day, text_checks AS texts, image_checks AS images, audio_half_minutes AS "audio/30s",
       video_half_minutes AS "video/30s", deductions, packs AS "from packs", postpaid, amount
FROM im_moderation_statement(1400000010, '2023-12');

\echo
\echo '=== Usage that nobody pays, and why'
SELECT app_id, reason, count(DISTINCT day) AS days, string_agg(DISTINCT kind, ', ') AS of
FROM im_unbilled_usage('2023-12')
GROUP BY app_id, reason
ORDER BY app_id, reason;

\echo
\echo '=== What if pro cost 1499?'
SELECT app_id, name, im_monthly_total(app_id, '2023-12') AS now,
       (SELECT round(sum(amount), 2) FROM im_preview_bill(app_id, '2023-12',
          jsonb_set(im_bundled_card('cn', '2019-12-10')::jsonb, '{plans,pro,price}', '"1499"')::im_rate_card)) AS "at 1499"
FROM im_app
WHERE rate_card = 'cn'
ORDER BY app_id;
