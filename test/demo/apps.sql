-- The apps of the demo and what they ordered: between them every plan, add-on,
-- pack and switch, an upgrade, refunds, a lapse and suspensions.
\echo '    15 apps and their orders'
SET TimeZone = 'Asia/Shanghai';

INSERT INTO im_app (app_id, name, rate_card, opened_at) VALUES
	(1400000001, 'Plaza (trial)', 'cn', '2023-05-04 10:00'),
	(1400000002, 'Harbor', 'cn', '2023-02-01 10:00'),
	(1400000003, 'Metropolis', 'cn', '2022-06-15 10:00'),
	(1400000004, 'Upstart (upgraded)', 'cn', '2023-11-01 10:00'),
	(1400000005, 'Parley (calls)', 'cn', '2023-01-20 10:00'),
	(1400000006, 'Relay (lapsed)', 'cn', '2023-11-05 10:00'),
	(1400000007, 'Tardy (in arrears)', 'cn', '2023-03-11 10:00'),
	(1400000008, 'Second Thoughts (refund)', 'cn', '2023-12-02 10:00'),
	(1400000009, 'Halfway (part refund)', 'cn', '2023-09-01 10:00'),
	(1400000010, 'Sentinel (moderated)', 'cn', '2023-04-01 10:00'),
	(1400000011, 'Archipelago (overseas)', 'overseas', '2023-07-07 10:00'),
	(1400000012, 'Meridian (intl)', 'intl', '2023-01-05 10:00'),
	(1400000013, 'Parallel (intl)', 'intl', '2023-10-30 10:00'),
	(1400000014, 'Guild', 'cn', '2023-08-08 10:00'),
	(1400000015, 'Titan', 'cn', '2023-01-01 10:00');

INSERT INTO im_order (app_id, order_id, at, action, item, option, months, quantity, refunds, paid) VALUES
	-- the trial plan may be moderated too
	(1400000001, 1, '2023-12-05 09:30', 'buy', 'local_moderation', '', 1, 1, NULL, NULL),
	(1400000001, 2, '2023-12-08 18:00', 'on', 'moderation', '', NULL, 1, NULL, NULL),

	(1400000002, 1, '2023-12-01 00:00', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),
	(1400000002, 2, '2023-12-01 00:05', 'buy', 'avchatroom', '', 1, 1, NULL, NULL),
	(1400000002, 3, '2023-12-12 14:00', 'buy', 'joined_groups', '', 3, 1, NULL, NULL),

	-- a year at an agreed price, renewed for a month before it ended
	(1400000003, 1, '2022-12-15 11:00', 'buy', 'plan', 'flagship', 12, 1, NULL, 32000),
	(1400000003, 2, '2023-12-10 11:00', 'buy', 'plan', 'flagship', 1, 1, NULL, NULL),
	(1400000003, 3, '2023-12-10 11:10', 'buy', 'group_members', '', 1, 1, NULL, NULL),

	(1400000004, 1, '2023-11-20 09:00', 'buy', 'plan', 'pro', 3, 1, NULL, NULL),
	(1400000004, 2, '2023-11-20 09:10', 'on', 'history_storage', '30d', NULL, 1, NULL, NULL),
	(1400000004, 3, '2023-12-11 16:20', 'upgrade', 'plan', 'flagship', NULL, 1, NULL, NULL),
	(1400000004, 4, '2023-12-11 16:30', 'on', 'history_storage', '90d', NULL, 1, NULL, NULL),
	(1400000004, 5, '2023-12-11 16:40', 'buy', 'joined_groups', '', 1, 1, NULL, NULL),

	(1400000005, 1, '2023-10-10 10:00', 'buy', 'plan', 'pro', 6, 1, NULL, NULL),
	(1400000005, 2, '2023-12-06 10:00', 'buy', 'call', 'basic', 1, 1, NULL, NULL),

	-- runs out on December 5, runs on in its grace until December 11
	(1400000006, 1, '2023-11-05 10:30', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),

	(1400000007, 1, '2023-12-01 08:00', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),
	(1400000007, 2, '2023-12-01 08:30', 'on', 'moderation', '', NULL, 1, NULL, NULL),
	(1400000007, 3, '2023-12-29 08:30', 'off', 'moderation', '', NULL, 1, NULL, NULL),

	(1400000008, 1, '2023-12-04 12:00', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),
	(1400000008, 2, '2023-12-07 12:00', 'refund', 'plan', '', NULL, 1, 1, NULL),

	(1400000009, 1, '2023-09-10 15:00', 'buy', 'plan', 'flagship', 6, 1, NULL, NULL),
	(1400000009, 2, '2023-12-02 15:00', 'buy', 'call', 'advanced', 1, 1, NULL, NULL),
	(1400000009, 3, '2023-12-20 15:00', 'refund', 'plan', '', NULL, 1, 1, NULL),
	(1400000009, 4, '2023-12-22 15:00', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),

	-- a month's pack lapses on December 15, the year's pack comes on the 20th
	(1400000010, 1, '2023-11-15 09:00', 'buy', 'plan', 'flagship', 3, 1, NULL, NULL),
	(1400000010, 2, '2023-11-15 09:05', 'on', 'moderation', '', NULL, 1, NULL, NULL),
	(1400000010, 3, '2023-11-15 09:10', 'buy', 'moderation_pack', 'month', NULL, 1, NULL, NULL),
	(1400000010, 4, '2023-12-20 09:10', 'buy', 'moderation_pack', 'year_small', NULL, 1, NULL, NULL),
	(1400000010, 5, '2023-12-01 09:20', 'buy', 'local_moderation', '', 12, 1, NULL, NULL),
	(1400000010, 6, '2023-12-01 09:30', 'buy', 'call', 'premium', 1, 1, NULL, NULL),
	(1400000010, 7, '2023-11-15 09:40', 'on', 'history_storage', '360d', NULL, 1, NULL, NULL),

	(1400000011, 1, '2023-12-01 10:00', 'buy', 'plan', 'pro', 1, 1, NULL, NULL),
	(1400000011, 2, '2023-12-01 10:05', 'buy', 'avchatroom', '', 1, 1, NULL, NULL),
	(1400000011, 3, '2023-12-01 10:10', 'on', 'history_storage', '180d', NULL, 1, NULL, NULL),

	(1400000012, 1, '2023-12-10 10:00', 'buy', 'plan', 'standard', 1, 1, NULL, NULL),
	(1400000012, 2, '2023-12-31 10:00', 'upgrade', 'plan', 'premium', NULL, 1, NULL, NULL),

	(1400000013, 1, '2023-12-15 10:00', 'buy', 'plan', 'premium', 2, 1, NULL, NULL),

	(1400000014, 1, '2023-12-08 10:00', 'buy', 'plan', 'pro', 12, 1, NULL, NULL),
	(1400000014, 2, '2023-12-08 10:05', 'buy', 'group_members', '', 2, 1, NULL, NULL),
	(1400000014, 3, '2023-12-08 10:10', 'on', 'history_storage', '30d', NULL, 1, NULL, NULL),
	(1400000014, 4, '2023-12-21 10:10', 'off', 'history_storage', '', NULL, 1, NULL, NULL),

	(1400000015, 1, '2023-12-03 10:00', 'buy', 'plan', 'flagship', 12, 1, NULL, 30000),
	(1400000015, 2, '2023-12-03 10:05', 'on', 'moderation', '', NULL, 1, NULL, NULL),
	(1400000015, 3, '2023-12-03 10:10', 'buy', 'moderation_pack', 'year_medium', NULL, 1, NULL, NULL),
	(1400000015, 4, '2023-12-03 10:15', 'buy', 'moderation_pack', 'year_large', NULL, 1, NULL, NULL);

INSERT INTO im_suspension (app_id, days, reason) VALUES
	(1400000007, '[2023-12-18,2023-12-27)', 'arrears'),
	(1400000014, '[2023-12-28,2023-12-30)', 'violation');
