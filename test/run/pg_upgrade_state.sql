-- What make matrix compares before and after pg_upgrade: bills, totals, drift, documents
-- with their digests, roots, what is metered, values of every type of ours.
\set months '(VALUES (''2023-01''::im_month), (''2023-02''), (''2023-03''), (''2023-04'')) m(month)'
SELECT l.* FROM :months, im_app a, LATERAL im_monthly_bill(a.app_id, m.month) l WHERE a.app_id <> 60 ORDER BY l.app_id, l.month, l.line;
SELECT t.* FROM im_monthly_totals('2023-01') t ORDER BY 1, 2;
SELECT d.app_id, d.currency, d.difference FROM im_drift('2023-01') d ORDER BY 1, 2;
SELECT i.* FROM im_invoice i ORDER BY 1, 2, 3;
SELECT im_month_root('2023-01'), im_month_root('2023-02');
SELECT v.* FROM im_verify_invoices() v ORDER BY v::text;
SELECT u.* FROM im_usage_daily u ORDER BY 1, 2;
SELECT s.* FROM im_suspension s ORDER BY 1, 2;
SELECT rate_card, effective_from, terms::im_rate_card FROM im_rate_card_version ORDER BY 1, 2;
SELECT users, im_count(users) FROM im_usage_daily WHERE users IS NOT NULL ORDER BY app_id, day;
SELECT tgrelid::regclass, tgname, tgenabled FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgrelid::regclass::text, tgname;
