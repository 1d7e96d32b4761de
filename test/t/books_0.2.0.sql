-- A database of version 0.2.0, filled, billed and with March 2023 closed by the library of 0.2.0:
-- pg_dump --data-only --disable-triggers, without the price lists.  bill_before holds its bills.
SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
ALTER TABLE public.bill_before DISABLE TRIGGER ALL;
COPY public.bill_before (app_id, month, line, said) FROM stdin;
1	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
1	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 9100 10000 0 0.00
1	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 91000 100000 0 0.00
1	2023-03-01	4	history_storage 30d [2023-03-01,2023-04-01) 1 0 1 500.00
1	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
2	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
2	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 9200 10000 0 0.00
2	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 92000 100000 0 0.00
2	2023-03-01	4	history_storage 360d [2023-03-01,2023-04-01) 1 0 1 2500.00
2	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
3	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
3	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 9300 10000 0 0.00
3	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 93000 100000 0 0.00
3	2023-03-01	4	history_storage 180d [2023-03-01,2023-04-01) 1 0 1 1500.00
3	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
4	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
4	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 9400 10000 0 0.00
4	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 94000 100000 0 0.00
4	2023-03-01	4	call premium [2023-03-10,2023-04-10) 1 0 1 1500.00
4	2023-03-01	5	call premium [2023-03-10,2023-04-10) 1 0 1 1500.00
4	2023-03-01	6	call premium [2023-03-10,2023-04-10) 1 0 1 1500.00
4	2023-03-01	7	call_minutes audio [2023-03-01,2023-04-01) 340000 300000 40000 280.00
4	2023-03-01	8	refund call [2023-03-10,2023-04-10) 1 0 1 -1500.00
4	2023-03-01	9	refund call [2023-03-10,2023-04-10) 1 0 1 -1451.61
4	2023-03-01	10	refund call [2023-03-10,2023-04-10) 1 0 1 -1451.61
5	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
5	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 9500 10000 0 0.00
5	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 95000 100000 0 0.00
5	2023-03-01	4	call basic [2023-03-20,2023-04-20) 1 0 1 500.00
5	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 100000 80000 20000 140.00
6	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
6	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 9600 10000 0 0.00
6	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 96000 100000 0 0.00
6	2023-03-01	4	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
7	2023-03-01	1	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
8	2023-03-01	1	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
21	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
21	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11100 10000 1 1000.00
21	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 111000 100000 1 1000.00
21	2023-03-01	4	history_storage 30d [2023-03-01,2023-04-01) 1 0 1 500.00
21	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
22	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
22	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11200 10000 1 1000.00
22	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 112000 100000 1 1000.00
22	2023-03-01	4	history_storage 360d [2023-03-01,2023-04-01) 1 0 1 2500.00
22	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
23	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
23	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11300 10000 1 1000.00
23	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 113000 100000 1 1000.00
23	2023-03-01	4	history_storage 30d [2023-03-01,2023-04-01) 1 0 1 500.00
23	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
24	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
24	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11400 10000 1 1000.00
24	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 114000 100000 1 1000.00
24	2023-03-01	4	call basic [2023-03-20,2023-05-20) 2 0 2 1000.00
24	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 6000 4000 2000 14.00
25	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
25	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11500 10000 1 1000.00
25	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 115000 100000 1 1000.00
25	2023-03-01	4	call basic [2023-03-20,2023-06-20) 3 0 3 1500.00
25	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 6000 4000 2000 14.00
26	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
26	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11600 10000 1 1000.00
26	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 116000 100000 1 1000.00
26	2023-03-01	4	call basic [2023-03-20,2023-04-20) 1 0 1 500.00
26	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 9000 6000 3000 21.00
27	2023-03-01	1	plan pro [2023-03-10,2023-05-10) 2 0 2 1998.00
27	2023-03-01	2	plan pro [2023-05-10,2023-06-10) 1 0 1 999.00
27	2023-03-01	3	plan_upgrade flagship [2023-03-12,2023-06-10) 90 0 90 5917.81
27	2023-03-01	4	dau_overage flagship [2023-03-01,2023-04-01) 11700 10000 1 1000.00
27	2023-03-01	5	group_overage flagship [2023-03-01,2023-04-01) 117000 100000 1 1000.00
27	2023-03-01	6	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
28	2023-03-01	1	plan pro [2023-03-10,2023-06-10) 3 0 3 2997.00
28	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11800 10000 1 1000.00
28	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 118000 100000 1 1000.00
28	2023-03-01	4	group_members  [2023-03-10,2023-06-10) 3 0 3 1500.00
28	2023-03-01	5	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
28	2023-03-01	6	refund group_members [2023-03-10,2023-06-10) 1 0 1 -1500.00
29	2023-03-01	1	plan pro [2023-03-01,2023-09-01) 6 0 6 5994.00
29	2023-03-01	2	dau_overage pro [2023-03-01,2023-04-01) 11900 10000 1 1000.00
29	2023-03-01	3	group_overage pro [2023-03-01,2023-04-01) 119000 100000 1 1000.00
29	2023-03-01	4	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
29	2023-03-01	5	moderation_pack month [2023-03-10,2023-04-10) 1 0 1 1050.00
29	2023-03-01	6	moderation  [2023-03-01,2023-04-01) 300000 300000 0 0.00
30	2023-03-01	1	call_minutes audio [2023-03-01,2023-04-01) 60000 0 60000 420.00
1	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 9100 10000 0 0.00
1	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 91000 100000 0 0.00
1	2023-04-01	3	history_storage 30d [2023-04-01,2023-05-01) 1 0 1 500.00
1	2023-04-01	4	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
2	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 9200 10000 0 0.00
2	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 92000 100000 0 0.00
2	2023-04-01	3	history_storage 30d [2023-04-01,2023-05-01) 1 0 1 500.00
2	2023-04-01	4	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
3	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 9300 10000 0 0.00
3	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 93000 100000 0 0.00
3	2023-04-01	3	history_storage 90d [2023-04-01,2023-05-01) 1 0 1 1000.00
3	2023-04-01	4	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
4	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 9400 10000 0 0.00
4	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 94000 100000 0 0.00
4	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
5	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 9500 10000 0 0.00
5	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 95000 100000 0 0.00
5	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 80000 20000 60000 420.00
5	2023-04-01	4	refund call [2023-03-20,2023-04-20) 1 0 1 -274.19
6	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 9600 10000 0 0.00
6	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 96000 100000 0 0.00
6	2023-04-01	3	call basic [2023-04-10,2023-05-10) 1 0 1 500.00
6	2023-04-01	4	call_minutes audio [2023-04-01,2023-05-01) 80000 20000 60000 420.00
6	2023-04-01	5	refund call [2023-04-10,2023-05-10) 1 0 1 -500.00
7	2023-04-01	1	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
8	2023-04-01	1	plan pro [2023-04-01,2123-04-01) 1200 0 1200 0.006
8	2023-04-01	2	dau_overage pro [2023-04-01,2023-05-01) 9800 10000 0 0.00
8	2023-04-01	3	group_overage pro [2023-04-01,2023-05-01) 98000 100000 0 0.00
8	2023-04-01	4	call_minutes audio [2023-04-01,2023-05-01) 20000 0 20000 140.00
8	2023-04-01	5	refund plan [2023-04-01,2123-04-01) 1 0 1 -0.01
21	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 11100 10000 1 1000.00
21	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 111000 100000 1 1000.00
21	2023-04-01	3	history_storage 90d [2023-04-01,2023-05-01) 1 0 1 1000.00
21	2023-04-01	4	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
22	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 11200 10000 1 1000.00
22	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 112000 100000 1 1000.00
22	2023-04-01	3	history_storage 30d [2023-04-01,2023-05-01) 1 0 1 500.00
22	2023-04-01	4	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
23	2023-04-01	1	plan_upgrade flagship [2023-04-20,2023-09-01) 134 0 134 8810.96
23	2023-04-01	2	dau_overage flagship [2023-04-01,2023-05-01) 11300 10000 1 1000.00
23	2023-04-01	3	group_overage flagship [2023-04-01,2023-05-01) 113000 100000 1 1000.00
23	2023-04-01	4	history_storage 30d [2023-04-01,2023-05-01) 1 0 1 500.00
23	2023-04-01	5	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
24	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 11400 10000 1 1000.00
24	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 114000 100000 1 1000.00
24	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 8000 6000 2000 14.00
24	2023-04-01	4	refund call [2023-03-20,2023-05-20) 1 0 1 -400.00
25	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 11500 10000 1 1000.00
25	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 115000 100000 1 1000.00
25	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 8000 8000 0 0.00
26	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 11600 10000 1 1000.00
26	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 116000 100000 1 1000.00
26	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 12000 9000 3000 21.00
26	2023-04-01	4	refund call [2023-03-20,2023-04-20) 1 0 1 0.00
27	2023-04-01	1	dau_overage flagship [2023-04-01,2023-05-01) 11700 10000 1 1000.00
27	2023-04-01	2	group_overage flagship [2023-04-01,2023-05-01) 117000 100000 1 1000.00
27	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
27	2023-04-01	4	refund plan [2023-05-10,2023-06-10) 1 0 1 -3037.36
28	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 11800 10000 1 666.66666667
28	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 118000 100000 1 666.66666667
28	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 60000 0 60000 420.00
28	2023-04-01	4	refund plan [2023-03-10,2023-06-10) 1 0 1 -1631.70
29	2023-04-01	1	dau_overage pro [2023-04-01,2023-05-01) 11900 10000 1 1000.00
29	2023-04-01	2	group_overage pro [2023-04-01,2023-05-01) 119000 100000 1 1000.00
29	2023-04-01	3	call_minutes audio [2023-04-01,2023-05-01) 60000 0 60000 420.00
29	2023-04-01	4	moderation  [2023-04-01,2023-05-01) 300000 100000 200000 200.00
30	2023-04-01	1	call_minutes audio [2023-04-01,2023-05-01) 80000 0 80000 560.00
2	2023-07-01	1	history_storage 30d [2023-07-01,2023-08-01) 1 0 1 500.00
3	2023-07-01	1	history_storage 90d [2023-07-01,2023-08-01) 1 0 1 1000.00
7	2023-07-01	1	plan pro [2023-07-20,2023-08-20) 1 0 1 999.00
7	2023-07-01	2	plan pro [2023-08-20,2023-09-20) 1 0 1 999.00
7	2023-07-01	3	plan_upgrade flagship [2023-07-20,2023-09-20) 62 0 62 4076.71
7	2023-07-01	4	refund plan [2023-08-20,2023-09-20) 1 0 1 -3037.36
7	2023-07-01	5	refund plan [2023-07-20,2023-08-20) 1 0 1 -3037.36
21	2023-07-01	1	history_storage 90d [2023-07-01,2023-08-01) 1 0 1 1000.00
22	2023-07-01	1	history_storage 30d [2023-07-01,2023-08-01) 1 0 1 500.00
\.
ALTER TABLE public.bill_before ENABLE TRIGGER ALL;
ALTER TABLE public.im_app DISABLE TRIGGER ALL;
COPY public.im_app (app_id, name, rate_card, opened_at, tenant) FROM stdin;
1	history: 360d, on the last day 30d, then off	cn	2022-11-30 16:00:00+00	\N
2	history: from 360d to 30d on the 1st	cn	2022-11-30 16:00:00+00	\N
3	history: 180d and 90d, equal to the end of the month	cn	2022-11-30 16:00:00+00	\N
4	call: bought and refunded three times a day	cn	2022-11-30 16:00:00+00	\N
5	call: refunded in the month after its use	cn	2022-11-30 16:00:00+00	\N
6	call: everything given back	cn	2022-11-30 16:00:00+00	\N
7	refunds that share a fee	cn	2022-11-30 16:00:00+00	\N
8	an agreed price with parts of a cent	cn	2022-11-30 16:00:00+00	\N
21	history: up from 30d to 90d	cn	2022-11-30 16:00:00+00	\N
22	history: one option, off and on	cn	2022-11-30 16:00:00+00	\N
23	history: 30d, then upgraded	cn	2022-11-30 16:00:00+00	\N
24	call: refunded, used less	cn	2022-11-30 16:00:00+00	\N
25	call: kept	cn	2022-11-30 16:00:00+00	\N
26	call: refunded on the last day of its month	cn	2022-11-30 16:00:00+00	\N
27	refund of a queued renewal after an upgrade	cn	2022-11-30 16:00:00+00	\N
28	refunds of a plan and an add-on	cn	2022-11-30 16:00:00+00	\N
29	overage, packs and a suspension	cn	2022-11-30 16:00:00+00	\N
30	trial	cn	2022-11-30 16:00:00+00	\N
\.
ALTER TABLE public.im_app ENABLE TRIGGER ALL;
ALTER TABLE public.im_call DISABLE TRIGGER ALL;
COPY public.im_call (app_id, at, class, seconds, user_id) FROM stdin;
\.
ALTER TABLE public.im_call ENABLE TRIGGER ALL;
ALTER TABLE public.im_closing DISABLE TRIGGER ALL;
COPY public.im_closing (month, apps, done, invoices, total, begun_at, closed_at) FROM stdin;
2023-03-01	{[1,31)}	18	18	18	2026-12-01 06:12:39.778257+00	2026-12-01 06:12:39.939626+00
2023-03-01	{(,)}	0	0	18	2026-12-01 06:12:39.778257+00	2026-12-01 06:12:39.940508+00
\.
ALTER TABLE public.im_closing ENABLE TRIGGER ALL;
ALTER TABLE public.im_group DISABLE TRIGGER ALL;
COPY public.im_group (app_id, group_id, created_at, disbanded_at) FROM stdin;
\.
ALTER TABLE public.im_group ENABLE TRIGGER ALL;
ALTER TABLE public.im_invoice DISABLE TRIGGER ALL;
COPY public.im_invoice (app_id, month, revision, kind, currency, total, issued_at, rate_card, card_from, digest) FROM stdin;
1	2023-03-01	0	invoice	CNY	6914.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x5582c74af595968a4e5ba19577d4f36c0b4536ab9dcfd3e9fedffda481f06010
2	2023-03-01	0	invoice	CNY	8914.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x1053d0e448cea9614b9c835cedffd9fa20afc8504b2002f63e6b9c519bb4bbb1
3	2023-03-01	0	invoice	CNY	7914.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\xd374035f42283300b1059a33dddb0a516f402748275040146e12f2be52068c63
4	2023-03-01	0	invoice	CNY	6370.78	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x6d4318dc98e48e10a2501bbd1901878484066ade1dec665ce79286bdeaf58645
5	2023-03-01	0	invoice	CNY	6634.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x94fcd1338d7ead71a567a8a6f64b926be58de475156388696f960a168108c8fc
6	2023-03-01	0	invoice	CNY	6414.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\xb256c17f634c6813bd0284896a722d73824fd5ce8bb7109c8dc1b3915379dfd5
7	2023-03-01	0	invoice	CNY	420.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x038dfb556fc477913e80d9718d4657d81e3f5b6f0da76c5e6d276f9deb337d95
8	2023-03-01	0	invoice	CNY	420.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\xa09fcfc64692c2d69d37b1cc86c89b9088844c06a82ab7fbee9f4d3cbf3eae50
21	2023-03-01	0	invoice	CNY	8914.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x8c4a6082c2c1bc191829b75f2038aeed89a44056a8a64de58c775c82c1f14369
22	2023-03-01	0	invoice	CNY	10914.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\xf884f3d4f58771a40b248b576764a7ffbb51d2c9ca47804f9ccbb0318b867e73
23	2023-03-01	0	invoice	CNY	8914.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\xc69019e429eebc2cdbe06440d8394d866a9e280b460ef786e9b37de4f2e40ec0
24	2023-03-01	0	invoice	CNY	9008.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\xa64da4c88c6c71ddfccddff7f5ab07818c2857a9bb1062fb7b5aa3b48a19b2c4
25	2023-03-01	0	invoice	CNY	9508.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x0a98590623ee7eb81c11942debe5ac4d57c3c8fd0a34e2f7eae85df9f8ac3755
26	2023-03-01	0	invoice	CNY	8515.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x4fcdfb0298e39b70eb8139340c98614961bd2f22dde3fc4d90c987b4f9c8cfde
27	2023-03-01	0	invoice	CNY	11334.81	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\xf412621f7abdf7b8d82b92d1f737e5dcb65c128944b3bad63d2630e35cf1f874
28	2023-03-01	0	invoice	CNY	5417.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x33546ca92d64b2bd3f2e54021142f6b7572f555a75df2a185dccb228f9ca50bb
29	2023-03-01	0	invoice	CNY	9464.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x96cc27a48cfb0407ab01c3ed688f68e43abb93ba5b5edcaff66f66a1ee32add0
30	2023-03-01	0	invoice	CNY	420.00	2026-12-01 06:12:39.804408+00	cn	2019-12-10	\\x88fa9e8e27bd41eea39517af07f216270fbc93f1f9a7759e5bdcaccbacac6218
\.
ALTER TABLE public.im_invoice ENABLE TRIGGER ALL;
ALTER TABLE public.im_invoice_line DISABLE TRIGGER ALL;
COPY public.im_invoice_line (revision, app_id, month, line, item, option, period, due_on, quantity, included, billable, units, unit_price, amount, currency, explanation) FROM stdin;
0	1	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	1	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	9100	10000	0	0	1000	0.00	CNY	Peak DAU 9100 on 2023-03-10 within the 10000 included in plan pro.
0	1	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	91000	100000	0	0	1000	0.00	CNY	Peak of 91000 groups on 2023-03-10 within the 100000 included in plan pro.
0	1	2023-03-01	4	history_storage	30d	[2023-03-01,2023-04-01)	2023-04-01	1	0	1	1	500	500.00	CNY	Switched on in the month: history_storage 30d, last on 2023-03-31 with plan pro, one month at 500 CNY.
0	1	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	2	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	2	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	9200	10000	0	0	1000	0.00	CNY	Peak DAU 9200 on 2023-03-10 within the 10000 included in plan pro.
0	2	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	92000	100000	0	0	1000	0.00	CNY	Peak of 92000 groups on 2023-03-10 within the 100000 included in plan pro.
0	2	2023-03-01	4	history_storage	360d	[2023-03-01,2023-04-01)	2023-04-01	1	0	1	1	2500	2500.00	CNY	Switched on in the month: history_storage 360d, last on 2023-03-31 with plan pro, one month at 2500 CNY.
0	2	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	3	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	3	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	9300	10000	0	0	1000	0.00	CNY	Peak DAU 9300 on 2023-03-10 within the 10000 included in plan pro.
0	3	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	93000	100000	0	0	1000	0.00	CNY	Peak of 93000 groups on 2023-03-10 within the 100000 included in plan pro.
0	3	2023-03-01	4	history_storage	180d	[2023-03-01,2023-04-01)	2023-04-01	1	0	1	1	1500	1500.00	CNY	Switched on in the month: history_storage 180d, last on 2023-03-31 with plan pro, one month at 1500 CNY.
0	3	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	4	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	4	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	9400	10000	0	0	1000	0.00	CNY	Peak DAU 9400 on 2023-03-10 within the 10000 included in plan pro.
0	4	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	94000	100000	0	0	1000	0.00	CNY	Peak of 94000 groups on 2023-03-10 within the 100000 included in plan pro.
0	4	2023-03-01	4	call	premium	[2023-03-10,2023-04-10)	2023-03-10	1	0	1	1	1500	1500.00	CNY	Bought call premium for 1 month, 2023-03-10 through 2023-04-09, at 1500 CNY each.
0	4	2023-03-01	5	call	premium	[2023-03-10,2023-04-10)	2023-03-10	1	0	1	1	1500	1500.00	CNY	Bought call premium for 1 month, 2023-03-10 through 2023-04-09, at 1500 CNY each.
0	4	2023-03-01	6	call	premium	[2023-03-10,2023-04-10)	2023-03-10	1	0	1	1	1500	1500.00	CNY	Bought call premium for 1 month, 2023-03-10 through 2023-04-09, at 1500 CNY each.
0	4	2023-03-01	7	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	340000	300000	40000	40000	0.007	280.00	CNY	340000 started audio minutes: 300000 from packs at 1 pack minutes each, 40000 postpaid at 0.007 CNY each.
0	4	2023-03-01	8	refund	call	[2023-03-10,2023-04-10)	2023-03-10	1	0	1	1	-1500	-1500.00	CNY	Refund of order 10, call premium: everything back, the app's first refund within 5 days.
0	4	2023-03-01	9	refund	call	[2023-03-10,2023-04-10)	2023-03-10	1	0	1	1	-1451.61	-1451.61	CNY	Refund of order 12, call premium: what was paid less the days used from 2023-03-10 through 2023-03-10.
0	4	2023-03-01	10	refund	call	[2023-03-10,2023-04-10)	2023-03-10	1	0	1	1	-1451.61	-1451.61	CNY	Refund of order 14, call premium: what was paid less the days used from 2023-03-10 through 2023-03-10.
0	5	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	5	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	9500	10000	0	0	1000	0.00	CNY	Peak DAU 9500 on 2023-03-10 within the 10000 included in plan pro.
0	5	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	95000	100000	0	0	1000	0.00	CNY	Peak of 95000 groups on 2023-03-10 within the 100000 included in plan pro.
0	5	2023-03-01	4	call	basic	[2023-03-20,2023-04-20)	2023-03-20	1	0	1	1	500	500.00	CNY	Bought call basic for 1 month, 2023-03-20 through 2023-04-19, at 500 CNY each.
0	5	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	100000	80000	20000	20000	0.007	140.00	CNY	100000 started audio minutes: 80000 from packs at 1 pack minutes each, 20000 postpaid at 0.007 CNY each.
0	6	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	6	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	9600	10000	0	0	1000	0.00	CNY	Peak DAU 9600 on 2023-03-10 within the 10000 included in plan pro.
0	6	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	96000	100000	0	0	1000	0.00	CNY	Peak of 96000 groups on 2023-03-10 within the 100000 included in plan pro.
0	6	2023-03-01	4	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	7	2023-03-01	1	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	8	2023-03-01	1	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	21	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	21	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11100	10000	1100	1	1000	1000.00	CNY	Peak DAU 11100 on 2023-03-10; 1100 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	21	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	111000	100000	11000	1	1000	1000.00	CNY	Peak of 111000 groups on 2023-03-10; 11000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	21	2023-03-01	4	history_storage	30d	[2023-03-01,2023-04-01)	2023-04-01	1	0	1	1	500	500.00	CNY	Switched on in the month: history_storage 30d, last on 2023-03-31 with plan pro, one month at 500 CNY.
0	21	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	22	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	22	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11200	10000	1200	1	1000	1000.00	CNY	Peak DAU 11200 on 2023-03-10; 1200 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	22	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	112000	100000	12000	1	1000	1000.00	CNY	Peak of 112000 groups on 2023-03-10; 12000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	22	2023-03-01	4	history_storage	360d	[2023-03-01,2023-04-01)	2023-04-01	1	0	1	1	2500	2500.00	CNY	Switched on in the month: history_storage 360d, last on 2023-03-31 with plan pro, one month at 2500 CNY.
0	22	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	23	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	23	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11300	10000	1300	1	1000	1000.00	CNY	Peak DAU 11300 on 2023-03-10; 1300 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	23	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	113000	100000	13000	1	1000	1000.00	CNY	Peak of 113000 groups on 2023-03-10; 13000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	23	2023-03-01	4	history_storage	30d	[2023-03-01,2023-04-01)	2023-04-01	1	0	1	1	500	500.00	CNY	Switched on in the month: history_storage 30d, last on 2023-03-31 with plan pro, one month at 500 CNY.
0	23	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	24	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	24	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11400	10000	1400	1	1000	1000.00	CNY	Peak DAU 11400 on 2023-03-10; 1400 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	24	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	114000	100000	14000	1	1000	1000.00	CNY	Peak of 114000 groups on 2023-03-10; 14000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	24	2023-03-01	4	call	basic	[2023-03-20,2023-05-20)	2023-03-20	2	0	2	2	500	1000.00	CNY	Bought call basic for 2 months, 2023-03-20 through 2023-05-19, at 500 CNY each.
0	24	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	6000	4000	2000	2000	0.007	14.00	CNY	6000 started audio minutes: 4000 from packs at 1 pack minutes each, 2000 postpaid at 0.007 CNY each.
0	25	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	25	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11500	10000	1500	1	1000	1000.00	CNY	Peak DAU 11500 on 2023-03-10; 1500 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	25	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	115000	100000	15000	1	1000	1000.00	CNY	Peak of 115000 groups on 2023-03-10; 15000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	25	2023-03-01	4	call	basic	[2023-03-20,2023-06-20)	2023-03-20	3	0	3	3	500	1500.00	CNY	Bought call basic for 3 months, 2023-03-20 through 2023-06-19, at 500 CNY each.
0	25	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	6000	4000	2000	2000	0.007	14.00	CNY	6000 started audio minutes: 4000 from packs at 1 pack minutes each, 2000 postpaid at 0.007 CNY each.
0	26	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	26	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11600	10000	1600	1	1000	1000.00	CNY	Peak DAU 11600 on 2023-03-10; 1600 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	26	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	116000	100000	16000	1	1000	1000.00	CNY	Peak of 116000 groups on 2023-03-10; 16000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	26	2023-03-01	4	call	basic	[2023-03-20,2023-04-20)	2023-03-20	1	0	1	1	500	500.00	CNY	Bought call basic for 1 month, 2023-03-20 through 2023-04-19, at 500 CNY each.
0	26	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	9000	6000	3000	3000	0.007	21.00	CNY	9000 started audio minutes: 6000 from packs at 1 pack minutes each, 3000 postpaid at 0.007 CNY each.
0	27	2023-03-01	1	plan	pro	[2023-03-10,2023-05-10)	2023-03-10	2	0	2	2	999	1998.00	CNY	Bought plan pro for 2 months, 2023-03-10 through 2023-05-09, at 999 CNY each.
0	27	2023-03-01	2	plan	pro	[2023-05-10,2023-06-10)	2023-03-11	1	0	1	1	999	999.00	CNY	Bought plan pro for 1 month, 2023-05-10 through 2023-06-09, at 999 CNY each.
0	27	2023-03-01	3	plan_upgrade	flagship	[2023-03-12,2023-06-10)	2023-03-12	90	0	90	90	2000	5917.81	CNY	Upgrade from pro to flagship: (2999 - 999) CNY x 90 remaining days / (365/12), at least 0.
0	27	2023-03-01	4	dau_overage	flagship	[2023-03-01,2023-04-01)	2023-04-01	11700	10000	1700	1	1000	1000.00	CNY	Peak DAU 11700 on 2023-03-10; 1700 over the 10000 included in plan flagship, in 1 started block of 10000 at 1000 CNY each.
0	27	2023-03-01	5	group_overage	flagship	[2023-03-01,2023-04-01)	2023-04-01	117000	100000	17000	1	1000	1000.00	CNY	Peak of 117000 groups on 2023-03-10; 17000 over the 100000 included in plan flagship, in 1 started block of 100000 at 1000 CNY each.
0	27	2023-03-01	6	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	28	2023-03-01	1	plan	pro	[2023-03-10,2023-06-10)	2023-03-10	3	0	3	3	999	2997.00	CNY	Bought plan pro for 3 months, 2023-03-10 through 2023-06-09, at 999 CNY each.
0	28	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11800	10000	1800	1	1000	1000.00	CNY	Peak DAU 11800 on 2023-03-10; 1800 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	28	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	118000	100000	18000	1	1000	1000.00	CNY	Peak of 118000 groups on 2023-03-10; 18000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	28	2023-03-01	4	group_members		[2023-03-10,2023-06-10)	2023-03-10	3	0	3	3	500	1500.00	CNY	Bought group_members for 3 months, 2023-03-10 through 2023-06-09, at 500 CNY each.
0	28	2023-03-01	5	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	28	2023-03-01	6	refund	group_members	[2023-03-10,2023-06-10)	2023-03-12	1	0	1	1	-1500	-1500.00	CNY	Refund of order 2, group_members: everything back, the app's first refund within 5 days.
0	29	2023-03-01	1	plan	pro	[2023-03-01,2023-09-01)	2023-03-01	6	0	6	6	999	5994.00	CNY	Bought plan pro for 6 months, 2023-03-01 through 2023-08-31, at 999 CNY each.
0	29	2023-03-01	2	dau_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	11900	10000	1900	1	1000	1000.00	CNY	Peak DAU 11900 on 2023-03-10; 1900 over the 10000 included in plan pro, in 1 started block of 10000 at 1000 CNY each.
0	29	2023-03-01	3	group_overage	pro	[2023-03-01,2023-04-01)	2023-04-01	119000	100000	19000	1	1000	1000.00	CNY	Peak of 119000 groups on 2023-03-10; 19000 over the 100000 included in plan pro, in 1 started block of 100000 at 1000 CNY each.
0	29	2023-03-01	4	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
0	29	2023-03-01	5	moderation_pack	month	[2023-03-10,2023-04-10)	2023-03-10	1	0	1	1	1050	1050.00	CNY	Bought moderation_pack month for 1 pack, 2023-03-10 through 2023-04-09, at 1050 CNY each.
0	29	2023-03-01	6	moderation		[2023-03-01,2023-04-01)	2023-04-01	300000	300000	0	0	0.001	0.00	CNY	300000 deductions: 300000 from packs, 0 postpaid at 0.001 CNY each.
0	30	2023-03-01	1	call_minutes	audio	[2023-03-01,2023-04-01)	2023-04-01	60000	0	60000	60000	0.007	420.00	CNY	60000 started audio minutes: 0 from packs at 1 pack minutes each, 60000 postpaid at 0.007 CNY each.
\.
ALTER TABLE public.im_invoice_line ENABLE TRIGGER ALL;
ALTER TABLE public.im_load DISABLE TRIGGER ALL;
COPY public.im_load (source, batch, at) FROM stdin;
\.
ALTER TABLE public.im_load ENABLE TRIGGER ALL;
ALTER TABLE public.im_login DISABLE TRIGGER ALL;
COPY public.im_login (app_id, user_id, at) FROM stdin;
\.
ALTER TABLE public.im_login ENABLE TRIGGER ALL;
ALTER TABLE public.im_metered_day DISABLE TRIGGER ALL;
COPY public.im_metered_day (day, metered_at) FROM stdin;
\.
ALTER TABLE public.im_metered_day ENABLE TRIGGER ALL;
ALTER TABLE public.im_metered_partition DISABLE TRIGGER ALL;
COPY public.im_metered_partition (table_name, partition, filenode, since, until, first_event, last_event) FROM stdin;
\.
ALTER TABLE public.im_metered_partition ENABLE TRIGGER ALL;
ALTER TABLE public.im_moderation_check DISABLE TRIGGER ALL;
COPY public.im_moderation_check (app_id, at, kind, seconds, scene) FROM stdin;
\.
ALTER TABLE public.im_moderation_check ENABLE TRIGGER ALL;
ALTER TABLE public.im_order DISABLE TRIGGER ALL;
COPY public.im_order (app_id, order_id, at, action, item, option, months, quantity, refunds, paid) FROM stdin;
1	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
2	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
3	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
4	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
5	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
6	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
21	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
22	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
23	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
24	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
25	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
26	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
29	1	2023-02-28 16:00:00+00	buy	plan	pro	6	1	\N	\N
1	2	2023-03-01 02:00:00+00	on	history_storage	360d	\N	1	\N	\N
1	3	2023-03-31 02:00:00+00	on	history_storage	30d	\N	1	\N	\N
1	4	2023-03-31 03:00:00+00	off	history_storage		\N	1	\N	\N
1	5	2023-04-01 02:00:00+00	on	history_storage	360d	\N	1	\N	\N
1	6	2023-04-30 02:00:00+00	on	history_storage	30d	\N	1	\N	\N
1	7	2023-04-30 03:00:00+00	off	history_storage		\N	1	\N	\N
2	2	2023-03-05 02:00:00+00	on	history_storage	360d	\N	1	\N	\N
2	3	2023-03-31 16:00:00+00	on	history_storage	30d	\N	1	\N	\N
3	2	2023-03-05 02:00:00+00	on	history_storage	180d	\N	1	\N	\N
3	3	2023-04-10 02:00:00+00	on	history_storage	90d	\N	1	\N	\N
4	10	2023-03-10 02:00:00+00	buy	call	premium	1	1	\N	\N
4	11	2023-03-10 02:01:00+00	refund	call		\N	1	10	\N
4	12	2023-03-10 02:02:00+00	buy	call	premium	1	1	\N	\N
4	13	2023-03-10 02:03:00+00	refund	call		\N	1	12	\N
4	14	2023-03-10 02:04:00+00	buy	call	premium	1	1	\N	\N
4	15	2023-03-10 02:05:00+00	refund	call		\N	1	14	\N
5	2	2023-03-20 02:00:00+00	buy	call	basic	1	1	\N	\N
5	3	2023-04-02 02:00:00+00	refund	call		\N	1	2	\N
6	2	2023-04-10 02:00:00+00	buy	call	basic	1	1	\N	\N
6	3	2023-04-12 02:00:00+00	refund	call		\N	1	2	\N
7	1	2023-07-20 02:00:00+00	buy	plan	pro	1	1	\N	\N
7	2	2023-07-20 02:01:00+00	buy	plan	pro	1	1	\N	\N
7	3	2023-07-20 02:03:00+00	upgrade	plan	flagship	\N	1	\N	\N
7	4	2023-07-20 03:01:00+00	refund	plan		\N	1	2	\N
7	5	2023-07-20 03:02:00+00	refund	plan		\N	1	1	\N
8	1	2023-04-01 02:00:00+00	buy	plan	pro	1200	1	\N	0.006
8	2	2023-04-06 03:00:00+00	refund	plan		\N	1	1	\N
21	2	2023-03-05 02:00:00+00	on	history_storage	30d	\N	1	\N	\N
21	3	2023-04-10 02:00:00+00	on	history_storage	90d	\N	1	\N	\N
22	2	2023-03-05 02:00:00+00	on	history_storage	360d	\N	1	\N	\N
22	3	2023-03-31 02:00:00+00	off	history_storage		\N	1	\N	\N
22	4	2023-04-02 02:00:00+00	on	history_storage	30d	\N	1	\N	\N
23	2	2023-03-05 02:00:00+00	on	history_storage	30d	\N	1	\N	\N
23	3	2023-04-20 02:00:00+00	upgrade	plan	flagship	\N	1	\N	\N
24	2	2023-03-20 02:00:00+00	buy	call	basic	2	1	\N	\N
24	3	2023-04-25 02:00:00+00	refund	call		\N	1	2	\N
25	2	2023-03-20 02:00:00+00	buy	call	basic	3	1	\N	\N
26	2	2023-03-20 02:00:00+00	buy	call	basic	1	1	\N	\N
26	3	2023-04-19 02:00:00+00	refund	call		\N	1	2	\N
27	1	2023-03-10 02:00:00+00	buy	plan	pro	2	1	\N	\N
27	2	2023-03-11 02:00:00+00	buy	plan	pro	1	1	\N	\N
27	3	2023-03-12 02:00:00+00	upgrade	plan	flagship	\N	1	\N	\N
27	4	2023-04-13 02:00:00+00	refund	plan		\N	1	2	\N
28	1	2023-03-10 02:00:00+00	buy	plan	pro	3	1	\N	\N
28	2	2023-03-10 03:00:00+00	buy	group_members		3	1	\N	\N
28	3	2023-03-12 03:00:00+00	refund	group_members		\N	1	2	\N
28	4	2023-04-20 03:00:00+00	refund	plan		\N	1	1	\N
29	2	2023-03-10 03:00:00+00	on	moderation		\N	1	\N	\N
29	3	2023-03-10 03:00:00+00	buy	moderation_pack	month	\N	1	\N	\N
\.
ALTER TABLE public.im_order ENABLE TRIGGER ALL;
ALTER TABLE public.im_role_grant DISABLE TRIGGER ALL;
COPY public.im_role_grant (reader, tenant, loader, closer) FROM stdin;
\.
ALTER TABLE public.im_role_grant ENABLE TRIGGER ALL;
ALTER TABLE public.im_suspension DISABLE TRIGGER ALL;
COPY public.im_suspension (app_id, days, reason) FROM stdin;
29	[2023-04-10,2023-04-15)	arrears
\.
ALTER TABLE public.im_suspension ENABLE TRIGGER ALL;
ALTER TABLE public.im_usage_daily DISABLE TRIGGER ALL;
COPY public.im_usage_daily (app_id, day, dau, users, peak_groups, text_checks, image_checks, audio_half_minutes, video_half_minutes, audio_minutes, sd_minutes, hd_minutes, fhd_minutes, metered_at) FROM stdin;
1	2023-03-10	9100	\N	91000	100000	\N	\N	\N	20000	\N	\N	\N	\N
2	2023-03-10	9200	\N	92000	100000	\N	\N	\N	20000	\N	\N	\N	\N
3	2023-03-10	9300	\N	93000	100000	\N	\N	\N	20000	\N	\N	\N	\N
5	2023-03-10	9500	\N	95000	100000	\N	\N	\N	20000	\N	\N	\N	\N
6	2023-03-10	9600	\N	96000	100000	\N	\N	\N	20000	\N	\N	\N	\N
7	2023-03-10	9700	\N	97000	100000	\N	\N	\N	20000	\N	\N	\N	\N
8	2023-03-10	9800	\N	98000	100000	\N	\N	\N	20000	\N	\N	\N	\N
21	2023-03-10	11100	\N	111000	100000	\N	\N	\N	20000	\N	\N	\N	\N
22	2023-03-10	11200	\N	112000	100000	\N	\N	\N	20000	\N	\N	\N	\N
23	2023-03-10	11300	\N	113000	100000	\N	\N	\N	20000	\N	\N	\N	\N
24	2023-03-10	11400	\N	114000	100000	\N	\N	\N	2000	\N	\N	\N	\N
25	2023-03-10	11500	\N	115000	100000	\N	\N	\N	2000	\N	\N	\N	\N
26	2023-03-10	11600	\N	116000	100000	\N	\N	\N	3000	\N	\N	\N	\N
27	2023-03-10	11700	\N	117000	100000	\N	\N	\N	20000	\N	\N	\N	\N
28	2023-03-10	11800	\N	118000	100000	\N	\N	\N	20000	\N	\N	\N	\N
29	2023-03-10	11900	\N	119000	100000	\N	\N	\N	20000	\N	\N	\N	\N
30	2023-03-10	12000	\N	120000	100000	\N	\N	\N	20000	\N	\N	\N	\N
1	2023-03-21	9100	\N	91000	100000	\N	\N	\N	20000	\N	\N	\N	\N
2	2023-03-21	9200	\N	92000	100000	\N	\N	\N	20000	\N	\N	\N	\N
3	2023-03-21	9300	\N	93000	100000	\N	\N	\N	20000	\N	\N	\N	\N
4	2023-03-21	9400	\N	94000	100000	\N	\N	\N	20000	\N	\N	\N	\N
6	2023-03-21	9600	\N	96000	100000	\N	\N	\N	20000	\N	\N	\N	\N
7	2023-03-21	9700	\N	97000	100000	\N	\N	\N	20000	\N	\N	\N	\N
8	2023-03-21	9800	\N	98000	100000	\N	\N	\N	20000	\N	\N	\N	\N
21	2023-03-21	11100	\N	111000	100000	\N	\N	\N	20000	\N	\N	\N	\N
22	2023-03-21	11200	\N	112000	100000	\N	\N	\N	20000	\N	\N	\N	\N
23	2023-03-21	11300	\N	113000	100000	\N	\N	\N	20000	\N	\N	\N	\N
24	2023-03-21	11400	\N	114000	100000	\N	\N	\N	2000	\N	\N	\N	\N
25	2023-03-21	11500	\N	115000	100000	\N	\N	\N	2000	\N	\N	\N	\N
26	2023-03-21	11600	\N	116000	100000	\N	\N	\N	3000	\N	\N	\N	\N
27	2023-03-21	11700	\N	117000	100000	\N	\N	\N	20000	\N	\N	\N	\N
28	2023-03-21	11800	\N	118000	100000	\N	\N	\N	20000	\N	\N	\N	\N
29	2023-03-21	11900	\N	119000	100000	\N	\N	\N	20000	\N	\N	\N	\N
30	2023-03-21	12000	\N	120000	100000	\N	\N	\N	20000	\N	\N	\N	\N
1	2023-03-31	9100	\N	91000	100000	\N	\N	\N	20000	\N	\N	\N	\N
2	2023-03-31	9200	\N	92000	100000	\N	\N	\N	20000	\N	\N	\N	\N
3	2023-03-31	9300	\N	93000	100000	\N	\N	\N	20000	\N	\N	\N	\N
4	2023-03-31	9400	\N	94000	100000	\N	\N	\N	20000	\N	\N	\N	\N
6	2023-03-31	9600	\N	96000	100000	\N	\N	\N	20000	\N	\N	\N	\N
7	2023-03-31	9700	\N	97000	100000	\N	\N	\N	20000	\N	\N	\N	\N
8	2023-03-31	9800	\N	98000	100000	\N	\N	\N	20000	\N	\N	\N	\N
21	2023-03-31	11100	\N	111000	100000	\N	\N	\N	20000	\N	\N	\N	\N
22	2023-03-31	11200	\N	112000	100000	\N	\N	\N	20000	\N	\N	\N	\N
23	2023-03-31	11300	\N	113000	100000	\N	\N	\N	20000	\N	\N	\N	\N
24	2023-03-31	11400	\N	114000	100000	\N	\N	\N	2000	\N	\N	\N	\N
25	2023-03-31	11500	\N	115000	100000	\N	\N	\N	2000	\N	\N	\N	\N
26	2023-03-31	11600	\N	116000	100000	\N	\N	\N	3000	\N	\N	\N	\N
27	2023-03-31	11700	\N	117000	100000	\N	\N	\N	20000	\N	\N	\N	\N
28	2023-03-31	11800	\N	118000	100000	\N	\N	\N	20000	\N	\N	\N	\N
29	2023-03-31	11900	\N	119000	100000	\N	\N	\N	20000	\N	\N	\N	\N
30	2023-03-31	12000	\N	120000	100000	\N	\N	\N	20000	\N	\N	\N	\N
1	2023-04-01	9100	\N	91000	100000	\N	\N	\N	20000	\N	\N	\N	\N
2	2023-04-01	9200	\N	92000	100000	\N	\N	\N	20000	\N	\N	\N	\N
3	2023-04-01	9300	\N	93000	100000	\N	\N	\N	20000	\N	\N	\N	\N
4	2023-04-01	9400	\N	94000	100000	\N	\N	\N	20000	\N	\N	\N	\N
5	2023-04-01	9500	\N	95000	100000	\N	\N	\N	20000	\N	\N	\N	\N
6	2023-04-01	9600	\N	96000	100000	\N	\N	\N	20000	\N	\N	\N	\N
7	2023-04-01	9700	\N	97000	100000	\N	\N	\N	20000	\N	\N	\N	\N
8	2023-04-01	9800	\N	98000	100000	\N	\N	\N	20000	\N	\N	\N	\N
21	2023-04-01	11100	\N	111000	100000	\N	\N	\N	20000	\N	\N	\N	\N
22	2023-04-01	11200	\N	112000	100000	\N	\N	\N	20000	\N	\N	\N	\N
23	2023-04-01	11300	\N	113000	100000	\N	\N	\N	20000	\N	\N	\N	\N
24	2023-04-01	11400	\N	114000	100000	\N	\N	\N	2000	\N	\N	\N	\N
25	2023-04-01	11500	\N	115000	100000	\N	\N	\N	2000	\N	\N	\N	\N
26	2023-04-01	11600	\N	116000	100000	\N	\N	\N	3000	\N	\N	\N	\N
27	2023-04-01	11700	\N	117000	100000	\N	\N	\N	20000	\N	\N	\N	\N
28	2023-04-01	11800	\N	118000	100000	\N	\N	\N	20000	\N	\N	\N	\N
29	2023-04-01	11900	\N	119000	100000	\N	\N	\N	20000	\N	\N	\N	\N
30	2023-04-01	12000	\N	120000	100000	\N	\N	\N	20000	\N	\N	\N	\N
1	2023-04-11	9100	\N	91000	100000	\N	\N	\N	20000	\N	\N	\N	\N
2	2023-04-11	9200	\N	92000	100000	\N	\N	\N	20000	\N	\N	\N	\N
3	2023-04-11	9300	\N	93000	100000	\N	\N	\N	20000	\N	\N	\N	\N
4	2023-04-11	9400	\N	94000	100000	\N	\N	\N	20000	\N	\N	\N	\N
5	2023-04-11	9500	\N	95000	100000	\N	\N	\N	20000	\N	\N	\N	\N
6	2023-04-11	9600	\N	96000	100000	\N	\N	\N	20000	\N	\N	\N	\N
7	2023-04-11	9700	\N	97000	100000	\N	\N	\N	20000	\N	\N	\N	\N
8	2023-04-11	9800	\N	98000	100000	\N	\N	\N	20000	\N	\N	\N	\N
21	2023-04-11	11100	\N	111000	100000	\N	\N	\N	20000	\N	\N	\N	\N
22	2023-04-11	11200	\N	112000	100000	\N	\N	\N	20000	\N	\N	\N	\N
23	2023-04-11	11300	\N	113000	100000	\N	\N	\N	20000	\N	\N	\N	\N
24	2023-04-11	11400	\N	114000	100000	\N	\N	\N	2000	\N	\N	\N	\N
25	2023-04-11	11500	\N	115000	100000	\N	\N	\N	2000	\N	\N	\N	\N
26	2023-04-11	11600	\N	116000	100000	\N	\N	\N	3000	\N	\N	\N	\N
27	2023-04-11	11700	\N	117000	100000	\N	\N	\N	20000	\N	\N	\N	\N
28	2023-04-11	11800	\N	118000	100000	\N	\N	\N	20000	\N	\N	\N	\N
29	2023-04-11	11900	\N	119000	100000	\N	\N	\N	20000	\N	\N	\N	\N
30	2023-04-11	12000	\N	120000	100000	\N	\N	\N	20000	\N	\N	\N	\N
1	2023-04-18	9100	\N	91000	100000	\N	\N	\N	20000	\N	\N	\N	\N
2	2023-04-18	9200	\N	92000	100000	\N	\N	\N	20000	\N	\N	\N	\N
3	2023-04-18	9300	\N	93000	100000	\N	\N	\N	20000	\N	\N	\N	\N
4	2023-04-18	9400	\N	94000	100000	\N	\N	\N	20000	\N	\N	\N	\N
5	2023-04-18	9500	\N	95000	100000	\N	\N	\N	20000	\N	\N	\N	\N
6	2023-04-18	9600	\N	96000	100000	\N	\N	\N	20000	\N	\N	\N	\N
7	2023-04-18	9700	\N	97000	100000	\N	\N	\N	20000	\N	\N	\N	\N
8	2023-04-18	9800	\N	98000	100000	\N	\N	\N	20000	\N	\N	\N	\N
21	2023-04-18	11100	\N	111000	100000	\N	\N	\N	20000	\N	\N	\N	\N
22	2023-04-18	11200	\N	112000	100000	\N	\N	\N	20000	\N	\N	\N	\N
23	2023-04-18	11300	\N	113000	100000	\N	\N	\N	20000	\N	\N	\N	\N
24	2023-04-18	11400	\N	114000	100000	\N	\N	\N	2000	\N	\N	\N	\N
25	2023-04-18	11500	\N	115000	100000	\N	\N	\N	2000	\N	\N	\N	\N
26	2023-04-18	11600	\N	116000	100000	\N	\N	\N	3000	\N	\N	\N	\N
27	2023-04-18	11700	\N	117000	100000	\N	\N	\N	20000	\N	\N	\N	\N
28	2023-04-18	11800	\N	118000	100000	\N	\N	\N	20000	\N	\N	\N	\N
29	2023-04-18	11900	\N	119000	100000	\N	\N	\N	20000	\N	\N	\N	\N
30	2023-04-18	12000	\N	120000	100000	\N	\N	\N	20000	\N	\N	\N	\N
1	2023-04-30	9100	\N	91000	100000	\N	\N	\N	20000	\N	\N	\N	\N
2	2023-04-30	9200	\N	92000	100000	\N	\N	\N	20000	\N	\N	\N	\N
3	2023-04-30	9300	\N	93000	100000	\N	\N	\N	20000	\N	\N	\N	\N
4	2023-04-30	9400	\N	94000	100000	\N	\N	\N	20000	\N	\N	\N	\N
5	2023-04-30	9500	\N	95000	100000	\N	\N	\N	20000	\N	\N	\N	\N
6	2023-04-30	9600	\N	96000	100000	\N	\N	\N	20000	\N	\N	\N	\N
7	2023-04-30	9700	\N	97000	100000	\N	\N	\N	20000	\N	\N	\N	\N
8	2023-04-30	9800	\N	98000	100000	\N	\N	\N	20000	\N	\N	\N	\N
21	2023-04-30	11100	\N	111000	100000	\N	\N	\N	20000	\N	\N	\N	\N
22	2023-04-30	11200	\N	112000	100000	\N	\N	\N	20000	\N	\N	\N	\N
23	2023-04-30	11300	\N	113000	100000	\N	\N	\N	20000	\N	\N	\N	\N
24	2023-04-30	11400	\N	114000	100000	\N	\N	\N	2000	\N	\N	\N	\N
25	2023-04-30	11500	\N	115000	100000	\N	\N	\N	2000	\N	\N	\N	\N
26	2023-04-30	11600	\N	116000	100000	\N	\N	\N	3000	\N	\N	\N	\N
27	2023-04-30	11700	\N	117000	100000	\N	\N	\N	20000	\N	\N	\N	\N
28	2023-04-30	11800	\N	118000	100000	\N	\N	\N	20000	\N	\N	\N	\N
29	2023-04-30	11900	\N	119000	100000	\N	\N	\N	20000	\N	\N	\N	\N
30	2023-04-30	12000	\N	120000	100000	\N	\N	\N	20000	\N	\N	\N	\N
4	2023-03-10	9400	\N	94000	100000	\N	\N	\N	300000	\N	\N	\N	\N
5	2023-03-21	9500	\N	95000	100000	\N	\N	\N	40000	\N	\N	\N	\N
5	2023-03-31	9500	\N	95000	100000	\N	\N	\N	40000	\N	\N	\N	\N
\.
ALTER TABLE public.im_usage_daily ENABLE TRIGGER ALL;
ALTER TABLE public.im_usage_mark DISABLE TRIGGER ALL;
COPY public.im_usage_mark (app_id, since, until) FROM stdin;
\.
ALTER TABLE public.im_usage_mark ENABLE TRIGGER ALL;
