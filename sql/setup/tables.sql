-- im_create_tables(): tables that are the user's, not the extension's.
--
-- What the tables consist of is told as data below, and the function adds
-- whatever is missing: a table, a column of a newer version, a key, an index,
-- a trigger that a DROP EXTENSION CASCADE took.  It changes no row.

CREATE FUNCTION @extschema@.im_table_definitions()
	RETURNS TABLE (table_name text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'Versions of price lists; edit them by adding a version.'),
			('im_app', 'Apps (SDKAppID); each is billed on its own.'),
			('im_order', 'Append-only log of purchases, upgrades, refunds and switches; the rules are checked per app at the end of the transaction.'),
			('im_suspension', 'Days on which an app is out of service.'),
			('im_login', 'Raw logins; a user counts once a day.'),
			('im_group', 'Groups from creation until disbanded.'),
			('im_moderation_check', 'Raw checks of cloud moderation.'),
			('im_call', 'Raw audio and video calls.'),
			('im_load', 'Batches that were loaded: a row inserted in the transaction of a load makes the same batch fail the second time.'),
			('im_usage_daily', 'Daily figures of an app; a figure that a user gives is the truth for its day, one that is null is metered.'),
			-- metering
			('im_metered_day', 'Days that im_meter() has metered for all apps.'),
			('im_metered_beside', 'What im_meter() metered of days of which a user gave figures in im_usage_daily; those that he left open count.'),
			('im_usage_mark', 'What changed since it was metered; written by triggers.'),
			('im_metered_partition', 'The tables and partitions that im_meter() has read.'),
			-- the ledger
			('im_invoice', 'Documents as issued: invoices and their notes. Append-only; each digest covers the document, its lines and the app''s document before it.'),
			('im_invoice_line', 'The lines of those documents as issued. Append-only.'),
			('im_closing', 'Which apps of a month are closed and how many invoices they got, a row a batch. Append-only.'),
			-- roles
			('im_role_grant', 'Has no rows: im_grant() makes a role of a kind by REFERENCES on the column of that name.')
	) AS t(table_name, description)
$$;
COMMENT ON FUNCTION @extschema@.im_table_definitions() IS
'The tables that im_create_tables() makes.';

CREATE FUNCTION @extschema@.im_column_definitions()
	RETURNS TABLE (table_name text, column_name text, definition text, description text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'rate_card', 'text NOT NULL', 'Name of the price list.'),
			('im_rate_card_version', 'effective_from', 'date NOT NULL', 'First day on which this version is in force.'),
			('im_rate_card_version', 'terms', 'jsonb NOT NULL', 'The price list, checked as im_rate_card; see doc/reference.md for its keys.'),
			('im_app', 'app_id', 'bigint NOT NULL', 'The SDKAppID.'),
			('im_app', 'name', 'text NOT NULL', 'A name for people.'),
			('im_app', 'rate_card', 'text NOT NULL DEFAULT ''cn''', 'The price list that bills the app.'),
			('im_app', 'opened_at', 'timestamptz NOT NULL DEFAULT now()', 'When the app was opened; bills do not depend on it.'),
			('im_app', 'tenant', 'name', 'Null, or the role of the customer, who may ask about the app once im_grant() made it a tenant.'),
			('im_order', 'app_id', 'bigint NOT NULL', 'The app that orders.'),
			('im_order', 'order_id', 'bigint NOT NULL', 'The number that the caller gave it, unique within the app.'),
			('im_order', 'at', 'timestamptz NOT NULL', 'When it was placed.'),
			('im_order', 'action', 'text NOT NULL', 'buy, upgrade, refund, on or off.'),
			('im_order', 'item', 'text NOT NULL', 'plan, an add-on, local_moderation, moderation_pack, moderation; of a refund the refunded item.'),
			('im_order', 'option', 'text NOT NULL DEFAULT ''''', 'Plan name, add-on option or pack name.'),
			('im_order', 'months', 'integer', 'Months bought; null for packs and for what is no purchase.'),
			('im_order', 'quantity', 'integer NOT NULL DEFAULT 1', 'Packs bought; 1 for everything else.'),
			('im_order', 'refunds', 'bigint', 'order_id that a refund takes back.'),
			('im_order', 'paid', 'numeric', 'Agreed amount instead of the price of the card, in its currency.'),
			('im_suspension', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_suspension', 'days', 'daterange NOT NULL', 'Suspended days; no upper bound while it lasts.'),
			('im_suspension', 'reason', 'text NOT NULL', 'arrears, refund or violation.'),
			('im_login', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_login', 'user_id', 'text NOT NULL', 'The id by which the customer knows the user, compared byte by byte.'),
			('im_login', 'at', 'timestamptz NOT NULL', 'When.'),
			('im_group', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_group', 'group_id', 'text NOT NULL', 'The id by which the customer knows the group.'),
			('im_group', 'created_at', 'timestamptz NOT NULL', 'The group exists from this instant, included.'),
			('im_group', 'disbanded_at', 'timestamptz', 'It exists until this instant, excluded; null while it exists.'),
			('im_moderation_check', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_moderation_check', 'at', 'timestamptz NOT NULL', 'When; audio and video are summed per clock hour.'),
			('im_moderation_check', 'kind', 'text NOT NULL', 'text, image, audio or video.'),
			('im_moderation_check', 'seconds', 'integer', 'Length of audio and video, in seconds.'),
			('im_moderation_check', 'scene', 'text', 'Where: single chat, group chat, profile.'),
			('im_call', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_call', 'at', 'timestamptz NOT NULL', 'When.'),
			('im_call', 'class', 'text NOT NULL', 'audio, sd, hd or fhd.'),
			('im_call', 'seconds', 'integer NOT NULL', 'Length in seconds.'),
			('im_call', 'user_id', 'text', 'Who called.'),
			('im_load', 'source', 'text NOT NULL', 'Where the batch came from.'),
			('im_load', 'batch', 'text NOT NULL', 'Its name there.'),
			('im_load', 'at', 'timestamptz NOT NULL DEFAULT now()', 'When it was loaded.'),
			('im_usage_daily', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_usage_daily', 'day', 'date NOT NULL', 'Day in the time zone of the app''s rate card.'),
			('im_usage_daily', 'dau', 'bigint', 'Distinct users that logged in.'),
			('im_usage_daily', 'users', '@extschema@.im_userset', 'Those users; needed where the card prices users of the month.'),
			('im_usage_daily', 'peak_groups', 'bigint', 'Most groups existing at one moment.'),
			('im_usage_daily', 'text_checks', 'bigint', 'Texts checked.'),
			('im_usage_daily', 'image_checks', 'bigint', 'Images checked.'),
			('im_usage_daily', 'audio_half_minutes', 'bigint', 'Half minutes of audio checked, each clock hour rounded down.'),
			('im_usage_daily', 'video_half_minutes', 'bigint', 'Half minutes of video checked, each clock hour rounded down.'),
			('im_usage_daily', 'audio_minutes', 'bigint', 'Minutes of audio calls, started ones counted.'),
			('im_usage_daily', 'sd_minutes', 'bigint', 'Minutes of sd video calls.'),
			('im_usage_daily', 'hd_minutes', 'bigint', 'Minutes of hd video calls.'),
			('im_usage_daily', 'fhd_minutes', 'bigint', 'Minutes of fhd video calls.'),
			('im_usage_daily', 'metered_at', 'timestamptz', 'When the extension metered the row; null for rows of users.'),
			('im_usage_daily', 'whole', 'boolean DEFAULT false', 'Of a row of users: whether null figures are 0 and not metered, as in rows from before version 0.3.0 and those of im_keep_metered().'),
			-- metering
			('im_metered_day', 'day', 'date NOT NULL', 'Day in the time zone of each app.'),
			('im_metered_day', 'metered_at', 'timestamptz', 'When it was metered; null: that counts no more.'),
			('im_metered_beside', 'app_id', 'bigint NOT NULL', 'The app.'),
			('im_metered_beside', 'day', 'date NOT NULL', 'Day in the time zone of the app''s rate card.'),
			('im_metered_beside', 'dau', 'bigint', 'As in im_usage_daily, as all that follows.'),
			('im_metered_beside', 'users', '@extschema@.im_userset', 'Where the card prices users of the month.'),
			('im_metered_beside', 'peak_groups', 'bigint', 'Most groups existing at one moment.'),
			('im_metered_beside', 'text_checks', 'bigint', 'Texts checked.'),
			('im_metered_beside', 'image_checks', 'bigint', 'Images checked.'),
			('im_metered_beside', 'audio_half_minutes', 'bigint', 'Half minutes of audio checked.'),
			('im_metered_beside', 'video_half_minutes', 'bigint', 'Half minutes of video checked.'),
			('im_metered_beside', 'audio_minutes', 'bigint', 'Minutes of audio calls.'),
			('im_metered_beside', 'sd_minutes', 'bigint', 'Minutes of sd video calls.'),
			('im_metered_beside', 'hd_minutes', 'bigint', 'Minutes of hd video calls.'),
			('im_metered_beside', 'fhd_minutes', 'bigint', 'Minutes of fhd video calls.'),
			('im_usage_mark', 'app_id', 'bigint', 'The app; null: all apps.'),
			('im_usage_mark', 'since', 'timestamptz NOT NULL', 'First instant of what changed.'),
			('im_usage_mark', 'until', 'timestamptz NOT NULL', 'Last instant of what changed.'),
			('im_metered_partition', 'table_name', 'text NOT NULL', 'The table that it is or belongs to.'),
			('im_metered_partition', 'partition', 'oid NOT NULL', 'The table or partition.'),
			('im_metered_partition', 'filenode', 'oid NOT NULL', 'Its filenode, which TRUNCATE replaces; 0 for those without files.'),
			('im_metered_partition', 'since', 'timestamptz NOT NULL', 'First instant that its rows can count on.'),
			('im_metered_partition', 'until', 'timestamptz NOT NULL', 'Instant until which they can, exclusive.'),
			('im_metered_partition', 'first_event', 'timestamptz', 'First event found in it when im_meter() looked for days to meter; null: it did not look.'),
			('im_metered_partition', 'last_event', 'timestamptz', 'Last event found then.'),
			('im_metered_partition', 'watch', 'bigint', 'A number that its columns and the triggers that mark its changes had then, and only they; null where changes cannot be known: such days are always read.'),
			-- the ledger
			('im_invoice', 'app_id', 'bigint NOT NULL', 'The app that pays.'),
			('im_invoice', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_invoice', 'revision', 'integer NOT NULL', '0 for the invoice, 1, 2, ... for its notes.'),
			('im_invoice', 'kind', 'text NOT NULL', 'invoice, credit_note (negative total) or debit_note.'),
			('im_invoice', 'currency', 'text NOT NULL', 'ISO 4217 code of total.'),
			('im_invoice', 'total', 'numeric NOT NULL', 'What the document comes to, in the places of the currency; all documents of a month together are the rounded total of its bill (R9).'),
			('im_invoice', 'issued_at', 'timestamptz NOT NULL', 'When; later than any document of the app before it.'),
			('im_invoice', 'rate_card', 'text NOT NULL', 'The price list of the app when it was issued.'),
			('im_invoice', 'card_from', 'date NOT NULL', 'First day of the version of it that rates usage of the month.'),
			('im_invoice', 'digest', 'bytea NOT NULL', 'SHA-256 over the document, its lines and the digest of the app''s document before it.'),
			('im_invoice', 'app_name', 'text', 'im_app.name when it was issued; null in documents of before version 0.3.0.'),
			('im_invoice', 'digest_version', 'integer NOT NULL DEFAULT 1', 'What the digest covers: 1 the columns through card_from, 2 app_name as well.'),
			('im_invoice', 'batch', 'uuid', 'The batch that issued it, as in im_closing; null in documents of before version 0.3.0.'),
			('im_invoice_line', 'revision', 'integer NOT NULL', 'The document that the line is of.'),
			('im_invoice_line', 'app_id', 'bigint NOT NULL', 'The app that pays.'),
			('im_invoice_line', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_invoice_line', 'line', 'integer NOT NULL', 'Number of the line in its document, from 1.'),
			('im_invoice_line', 'item', 'text NOT NULL', 'As in im_bill_line, as all that follows; in a note the difference to what was issued.'),
			('im_invoice_line', 'option', 'text NOT NULL', 'Plan, option, class or pack.'),
			('im_invoice_line', 'period', 'daterange NOT NULL', 'Days that the line pays for.'),
			('im_invoice_line', 'due_on', 'date NOT NULL', 'Day on which the amount falls due.'),
			('im_invoice_line', 'quantity', 'numeric NOT NULL', 'What was used or bought.'),
			('im_invoice_line', 'included', 'numeric NOT NULL', 'What a quota or packs covered.'),
			('im_invoice_line', 'billable', 'numeric NOT NULL', 'The rest.'),
			('im_invoice_line', 'units', 'numeric NOT NULL', 'What is multiplied by unit_price.'),
			('im_invoice_line', 'unit_price', 'numeric NOT NULL', 'Price of a unit.'),
			('im_invoice_line', 'amount', 'numeric NOT NULL', 'Exact, to at most 8 places.'),
			('im_invoice_line', 'currency', 'text NOT NULL', 'ISO 4217 code of amount.'),
			('im_invoice_line', 'explanation', 'text NOT NULL', 'How the amount came about.'),
			('im_closing', 'month', 'date NOT NULL', 'First day of the usage month.'),
			('im_closing', 'apps', 'int8multirange NOT NULL', 'The app_ids that are closed by this row, whether there is such an app or not.'),
			('im_closing', 'done', 'bigint NOT NULL', 'Apps of the batch.'),
			('im_closing', 'invoices', 'bigint NOT NULL', 'Invoices that the batch issued; one of im_adjust_month() closes no app, but may issue some.'),
			('im_closing', 'total', 'bigint NOT NULL', 'Apps to go through when this call began.'),
			('im_closing', 'begun_at', 'timestamptz NOT NULL', 'When this call began.'),
			('im_closing', 'closed_at', 'timestamptz NOT NULL', 'When the batch was closed.'),
			('im_closing', 'without_lines', 'int8multirange', 'Those of apps that got no invoice: apps without lines, and ids of no app. All that follows, and this, is null in rows of before version 0.3.0.'),
			('im_closing', 'notes', 'bigint', 'Notes that the batch issued.'),
			('im_closing', 'batch', 'uuid', 'The mark of the documents that the batch issued.'),
			('im_closing', 'documents', 'bytea', 'SHA-256 over their digests; in the first entry of a month over all that the month had before, too.'),
			('im_closing', 'entry', 'bigint', 'Place in the chain of all batches, from 1.'),
			('im_closing', 'digest', 'bytea', 'SHA-256 over the row and the digest of the entry before it.'),
			-- roles
			('im_role_grant', 'reader', 'boolean', 'REFERENCES on it: reads the bills and invoices of all apps.'),
			('im_role_grant', 'tenant', 'boolean', 'REFERENCES on it: reads those of the apps whose im_app.tenant it is.'),
			('im_role_grant', 'loader', 'boolean', 'REFERENCES on it: loads usage and orders.'),
			('im_role_grant', 'closer', 'boolean', 'REFERENCES on it: closes and adjusts months.')
	) AS t(table_name, column_name, definition, description)
$$;
COMMENT ON FUNCTION @extschema@.im_column_definitions() IS
'The columns of those tables.';

CREATE FUNCTION @extschema@.im_constraint_definitions()
	RETURNS TABLE (table_name text, constraint_name text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_rate_card_version', 'im_rate_card_version_pkey', 'PRIMARY KEY (rate_card, effective_from)'),
			('im_rate_card_version', 'im_rate_card_version_terms_check', 'CHECK (terms::@extschema@.im_rate_card IS NOT NULL)'),
			('im_rate_card_version', 'im_rate_card_version_effective_from_check', 'CHECK (effective_from BETWEEN ''0001-01-01'' AND ''9999-12-31'')'),
			('im_app', 'im_app_pkey', 'PRIMARY KEY (app_id)'),
			('im_order', 'im_order_pkey', 'PRIMARY KEY (app_id, order_id)'),
			('im_order', 'im_order_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_order', 'im_order_names_check', 'CHECK (octet_length(action) <= 63 AND octet_length(item) <= 63 AND octet_length(option) <= 63)'),
			('im_suspension', 'im_suspension_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_suspension', 'im_suspension_days_check', 'CHECK (NOT isempty(days))'),
			('im_suspension', 'im_suspension_reason_check', 'CHECK (reason IN (''arrears'', ''refund'', ''violation''))'),
			('im_load', 'im_load_pkey', 'PRIMARY KEY (source, batch)'),
			('im_usage_daily', 'im_usage_daily_pkey', 'PRIMARY KEY (app_id, day)'),
			-- metering
			('im_metered_day', 'im_metered_day_pkey', 'PRIMARY KEY (day)'),
			('im_metered_beside', 'im_metered_beside_pkey', 'PRIMARY KEY (app_id, day)'),
			('im_metered_partition', 'im_metered_partition_pkey', 'PRIMARY KEY (partition)'),
			-- the ledger
			('im_invoice', 'im_invoice_pkey', 'PRIMARY KEY (app_id, month, revision)'),
			('im_invoice', 'im_invoice_app_id_fkey', 'FOREIGN KEY (app_id) REFERENCES @extschema@.im_app DEFERRABLE INITIALLY DEFERRED'),
			('im_invoice', 'im_invoice_kind_check', 'CHECK (CASE kind WHEN ''invoice'' THEN revision = 0 WHEN ''credit_note'' THEN revision > 0 AND total < 0 WHEN ''debit_note'' THEN revision > 0 AND total >= 0 ELSE false END)'),
			('im_invoice', 'im_invoice_month_check', 'CHECK (isfinite(month) AND extract(day FROM month) = 1)'),
			('im_invoice_line', 'im_invoice_line_pkey', 'PRIMARY KEY (app_id, month, revision, line)'),
			('im_closing', 'im_closing_pkey', 'PRIMARY KEY (begun_at, closed_at, month)'),
			('im_closing', 'im_closing_entry_key', 'UNIQUE (entry)'),
			('im_role_grant', 'im_role_grant_empty_check', 'CHECK (false)')
	) AS t(table_name, constraint_name, definition)
$$;
COMMENT ON FUNCTION @extschema@.im_constraint_definitions() IS
'The keys and checks of those tables.';

CREATE FUNCTION @extschema@.im_index_definitions()
	RETURNS TABLE (table_name text, index_name text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_suspension', 'im_suspension_app_id_idx', '(app_id)'),
			('im_app', 'im_app_tenant_idx', '(tenant)'),
			('im_login', 'im_login_app_id_at_idx', '(app_id, at)'),
			('im_group', 'im_group_app_id_created_at_idx', '(app_id, created_at)'),
			('im_moderation_check', 'im_moderation_check_app_id_at_idx', '(app_id, at)'),
			('im_call', 'im_call_app_id_at_idx', '(app_id, at)'),
			-- metering: a day of all apps is a slice of a table whose rows come in by time
			('im_login', 'im_login_at_idx', 'USING brin (at)'),
			('im_moderation_check', 'im_moderation_check_at_idx', 'USING brin (at)'),
			('im_call', 'im_call_at_idx', 'USING brin (at)'),
			('im_usage_daily', 'im_usage_daily_day_idx', 'USING brin (day)'),
			('im_metered_beside', 'im_metered_beside_day_idx', 'USING brin (day)'),
			('im_usage_mark', 'im_usage_mark_app_id_idx', '(app_id)'),
			-- the ledger: its rows come in month by month
			('im_invoice', 'im_invoice_month_idx', 'USING brin (month)'),
			('im_invoice_line', 'im_invoice_line_month_idx', 'USING brin (month)'),
			-- the row that closes all ids, which whoever asks is to find first, has no apps
			('im_closing', 'im_closing_month_done_idx', '(month, done)')
	) AS t(table_name, index_name, definition)
$$;
COMMENT ON FUNCTION @extschema@.im_index_definitions() IS
'The indexes of those tables beside their keys: one app''s bill touches that app''s rows alone.';

-- Triggers of a row fire in the order of their names: an app is noted before
-- it is checked, which matters once constraints are immediate.
CREATE FUNCTION @extschema@.im_trigger_definitions()
	RETURNS TABLE (table_name text, trigger_name text, command text, events text, definition text)
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
	SELECT * FROM (VALUES
			('im_order', 'im_note_order', 'CREATE TRIGGER', 'AFTER INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_order', 'im_order_check', 'CREATE CONSTRAINT TRIGGER', 'AFTER INSERT', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_order', 'im_order_append_only', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_order', 'im_order_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_append_only()'),
			('im_app', 'im_note_order', 'CREATE TRIGGER', 'AFTER UPDATE OF rate_card', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_app', 'im_order_check', 'CREATE CONSTRAINT TRIGGER', 'AFTER UPDATE OF rate_card', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_app', 'im_note_app', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE OF app_id', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_app', 'im_order_check_app', 'CREATE CONSTRAINT TRIGGER', 'AFTER INSERT OR UPDATE OF app_id', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_rate_card_version', 'im_cards_lock', 'CREATE TRIGGER', 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_cards_lock()'),
			('im_rate_card_version', 'im_note_card', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_note()'),
			('im_rate_card_version', 'im_order_check_card', 'CREATE CONSTRAINT TRIGGER', 'AFTER INSERT OR UPDATE OR DELETE', 'DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION @extschema@.im_order_check()'),
			('im_rate_card_version', 'im_rate_card_version_agree', 'CREATE TRIGGER', 'AFTER INSERT OR UPDATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_card_versions_agree()'),
			-- the ledger
			('im_invoice', 'im_invoice_only_issued', 'CREATE TRIGGER', 'BEFORE INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_only_issued()'),
			('im_invoice_line', 'im_invoice_line_only_issued', 'CREATE TRIGGER', 'BEFORE INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_only_issued()'),
			('im_closing', 'im_closing_only_issued', 'CREATE TRIGGER', 'BEFORE INSERT', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_only_issued()'),
			('im_invoice', 'im_invoice_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice', 'im_invoice_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice_line', 'im_invoice_line_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_invoice_line', 'im_invoice_line_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_closing', 'im_closing_stays', 'CREATE TRIGGER', 'BEFORE UPDATE OR DELETE', 'FOR EACH ROW EXECUTE FUNCTION @extschema@.im_as_issued()'),
			('im_closing', 'im_closing_no_truncate', 'CREATE TRIGGER', 'BEFORE TRUNCATE', 'FOR EACH STATEMENT EXECUTE FUNCTION @extschema@.im_as_issued()')
	) AS t(table_name, trigger_name, command, events, definition)
	UNION ALL
	SELECT * FROM @extschema@.im_mark_definitions()
$$;
COMMENT ON FUNCTION @extschema@.im_trigger_definitions() IS
'The triggers of those tables.';

CREATE FUNCTION @extschema@.im_keyless_tables() RETURNS SETOF regclass
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT c.oid::regclass
	FROM @extschema@.im_table_definitions() d,
		to_regclass(format('%s.%I', '@extschema@', d.table_name)) r
	JOIN pg_class c ON c.oid = r OR c.oid IN (SELECT p.relid FROM pg_partition_tree(r) p)
	WHERE c.relreplident = 'd' AND c.relkind IN ('r', 'p')
		AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
$$;
COMMENT ON FUNCTION @extschema@.im_keyless_tables() IS
'Tables and partitions without a key, whose rows can be replicated only by all their columns, and that are not set to it.';

-- Tables that lack a column, a key, a check or an index, or that a missing
-- key refers to.  Nothing is locked where nothing is missing, so that
-- im_create_tables() can be called beside everybody.
CREATE FUNCTION @extschema@.im_lacking_tables() RETURNS SETOF regclass
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT r.oid::regclass
	FROM (SELECT d.table_name, NULL
		  FROM @extschema@.im_column_definitions() d
		  WHERE NOT EXISTS (
			SELECT FROM pg_attribute a
			WHERE a.attrelid = to_regclass(format('%s.%I', '@extschema@', d.table_name)) AND a.attname = d.column_name)
		  UNION
		  SELECT d.table_name, CASE WHEN strpos(d.definition, '.im_app ') > 0 THEN 'im_app' END
		  FROM @extschema@.im_constraint_definitions() d
		  WHERE NOT EXISTS (
			SELECT FROM pg_constraint c
			WHERE c.conrelid = to_regclass(format('%s.%I', '@extschema@', d.table_name)) AND c.conname = d.constraint_name)
		  UNION
		  SELECT d.table_name, NULL
		  FROM @extschema@.im_index_definitions() d
		  WHERE to_regclass(format('%s.%I', '@extschema@', d.index_name)) IS NULL) l(table_name, referred)
	JOIN pg_class r ON r.oid IN (to_regclass(format('%s.%I', '@extschema@', l.table_name)),
		to_regclass(format('%s.%I', '@extschema@', coalesce(l.referred, l.table_name))))
	GROUP BY r.oid
$$;
COMMENT ON FUNCTION @extschema@.im_lacking_tables() IS
'The tables to which im_create_tables() will add something other than triggers.';

CREATE FUNCTION @extschema@.im_lock_lacking() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tables regclass[] := ARRAY(SELECT l FROM @extschema@.im_lacking_tables() l
							   UNION SELECT k FROM @extschema@.im_keyless_tables() k);
BEGIN
	IF tables <> '{}' THEN
		PERFORM @extschema@.im_lock_tables(tables || ARRAY(SELECT DISTINCT g.on_table FROM @extschema@.im_trigger_gaps() g),
			'ACCESS EXCLUSIVE'::text);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_lock_lacking() IS
'Locks all tables to which im_create_tables() will add something, before it adds anything.';

CREATE FUNCTION @extschema@.im_describe_tables() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	t record;
BEGIN
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_table_definitions() d
		WHERE obj_description(format('%s.%I', '@extschema@', d.table_name)::regclass, 'pg_class') IS DISTINCT FROM d.description
	LOOP
		EXECUTE format('COMMENT ON TABLE %s.%I IS %L', '@extschema@', t.table_name, t.description);
	END LOOP;
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_column_definitions() d
		JOIN pg_attribute a ON a.attrelid = format('%s.%I', '@extschema@', d.table_name)::regclass AND a.attname = d.column_name
		WHERE col_description(a.attrelid, a.attnum) IS DISTINCT FROM d.description
	LOOP
		EXECUTE format('COMMENT ON COLUMN %s.%I.%I IS %L', '@extschema@', t.table_name, t.column_name, t.description);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_describe_tables() IS
'Gives tables and columns the comments that they lack.';

CREATE FUNCTION @extschema@.im_add_columns() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	owner name := @extschema@.im_owner_of_new();
	t record;
BEGIN
	PERFORM @extschema@.im_lock_lacking();
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_table_definitions() d
		WHERE to_regclass(format('%s.%I', '@extschema@', d.table_name)) IS NULL
	LOOP
		EXECUTE format('CREATE TABLE %s.%I ()', '@extschema@', t.table_name);
		EXECUTE format('ALTER TABLE %s.%I OWNER TO %I', '@extschema@', t.table_name, owner);
	END LOOP;
	-- what users gave before the column was there spoke for the whole day
	IF EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = '@extschema@.im_usage_daily'::regclass AND a.attname = 'app_id')
		AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = '@extschema@.im_usage_daily'::regclass AND a.attname = 'whole') THEN
		ALTER TABLE @extschema@.im_usage_daily ADD COLUMN whole boolean DEFAULT true;
		ALTER TABLE @extschema@.im_usage_daily ALTER COLUMN whole SET DEFAULT false;
	END IF;
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_column_definitions() WITH ORDINALITY
			d(table_name, column_name, definition, description, place)
		WHERE NOT EXISTS (
			SELECT FROM pg_attribute a
			WHERE a.attrelid = format('%s.%I', '@extschema@', d.table_name)::regclass AND a.attname = d.column_name)
		-- as told, whatever the plan: a COPY goes by the order of columns
		ORDER BY d.place
	LOOP
		EXECUTE format('ALTER TABLE %s.%I ADD COLUMN %I %s',
			'@extschema@', t.table_name, t.column_name, t.definition);
	END LOOP;
	PERFORM @extschema@.im_describe_tables();
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_columns() IS
'Adds the tables and columns that are missing.';

CREATE FUNCTION @extschema@.im_add_constraints() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	SET client_min_messages = warning
AS $$
DECLARE
	t record;
BEGIN
	-- up to 0.2.0 the key held all apps of a batch, which may be too many for an index
	IF EXISTS (SELECT FROM pg_constraint c
			   WHERE c.conrelid = '@extschema@.im_closing'::regclass AND c.conname = 'im_closing_pkey'
					AND pg_get_constraintdef(c.oid) LIKE '%apps%') THEN
		ALTER TABLE @extschema@.im_closing DROP CONSTRAINT im_closing_pkey;
	END IF;
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_constraint_definitions() d
		WHERE NOT EXISTS (
			SELECT FROM pg_constraint c
			WHERE c.conrelid = format('%s.%I', '@extschema@', d.table_name)::regclass
				AND c.conname = d.constraint_name)
		-- keys before what refers to them
		ORDER BY d.definition LIKE 'FOREIGN KEY%'
	LOOP
		EXECUTE format('ALTER TABLE %s.%I ADD CONSTRAINT %I %s',
			'@extschema@', t.table_name, t.constraint_name, t.definition);
	END LOOP;
	FOR t IN
		SELECT d.*
		FROM @extschema@.im_index_definitions() d
		WHERE to_regclass(format('%s.%I', '@extschema@', d.index_name)) IS NULL
	LOOP
		EXECUTE format('CREATE INDEX %I ON %s.%I %s',
			t.index_name, '@extschema@', t.table_name, t.definition);
	END LOOP;
	FOR t IN SELECT k.leaf FROM @extschema@.im_keyless_tables() k(leaf) LOOP
		EXECUTE format('ALTER TABLE %s REPLICA IDENTITY FULL', t.leaf);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_constraints() IS
'Adds the keys, checks and indexes that are missing, and replaces the key that im_closing had up to version 0.2.0.';

-- A trigger of a partitioned table is not fired by what goes to a partition
-- directly, so each has those of a statement.  Those of a row PostgreSQL gives
-- to partitions itself.
CREATE FUNCTION @extschema@.im_trigger_gaps()
	RETURNS TABLE (on_table regclass, trigger_name text, command text, events text, definition text)
	LANGUAGE sql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT w.on_table, w.trigger_name, w.command, w.events, w.definition
	FROM (SELECT to_regclass(format('%s.%I', '@extschema@', d.table_name)) AS on_table, d.*
		  FROM @extschema@.im_trigger_definitions() d
		  UNION
		  SELECT l.partition::regclass, d.*
		  FROM @extschema@.im_raw_leaves() l
		  JOIN @extschema@.im_mark_definitions() d ON d.table_name = l.table_name) w
	JOIN pg_class c ON c.oid = w.on_table AND c.relkind IN ('r', 'p')
	LEFT JOIN pg_trigger g ON g.tgrelid = w.on_table AND g.tgname = w.trigger_name
	WHERE CASE WHEN g.oid IS NULL THEN NOT (c.relispartition AND w.definition LIKE 'FOR EACH ROW%')
		ELSE @extschema@.im_trigger_firing(w.trigger_name) NOT IN (g.tgenabled, 'O') END
	ORDER BY w.on_table, w.trigger_name
$$;
COMMENT ON FUNCTION @extschema@.im_trigger_gaps() IS
'The triggers of the extension that tables, partitions and children lack, and those that mark changes but do not fire as they should.';

-- Who writes daily figures may write events next: all are locked at once.
CREATE FUNCTION @extschema@.im_add_triggers() RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	tables CONSTANT regclass[] := ARRAY(SELECT DISTINCT g.on_table FROM @extschema@.im_trigger_gaps() g);
	t record;
BEGIN
	IF tables = '{}' THEN
		RETURN;
	END IF;
	PERFORM @extschema@.im_lock_tables(tables || ARRAY(
		SELECT l.partition::regclass
		FROM @extschema@.im_raw_leaves() l
		WHERE l.table_name = 'im_usage_daily' AND l.watch IS NOT NULL), 'SHARE ROW EXCLUSIVE'::text);
	FOR t IN SELECT * FROM @extschema@.im_trigger_gaps() LOOP
		PERFORM @extschema@.im_add_trigger(t.on_table, t.trigger_name, t.command, t.events, t.definition);
	END LOOP;
END
$$;
COMMENT ON FUNCTION @extschema@.im_add_triggers() IS
'Adds the triggers that are missing, to partitions too, and makes those that mark changes fire. What was metered of such a table counts no more until it is metered again.';

-- A row inserted into a table that somebody else made runs the triggers that
-- he put on it, with the rights of whoever inserts.
CREATE FUNCTION @extschema@.im_need_own_table(name text) RETURNS void
	LANGUAGE plpgsql STABLE
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	owner name := (SELECT pg_get_userbyid(c.relowner) FROM pg_class c
				   WHERE c.oid = format('%s.%I', '@extschema@', $1)::regclass);
BEGIN
	IF owner <> current_user THEN
		RAISE EXCEPTION USING
			ERRCODE = 'insufficient_privilege',
			MESSAGE = format('table %s belongs to role "%s"', $1, owner),
			DETAIL = 'The bundled rate cards are written by the owner only: triggers of the table run with the rights of who writes.',
			HINT = format('SET ROLE %I first, or call im_create_tables(false).', owner);
	END IF;
END
$$;
COMMENT ON FUNCTION @extschema@.im_need_own_table(text) IS
'Raises 42501 unless the table belongs to the current role.';

CREATE FUNCTION @extschema@.im_create_tables(with_cards boolean DEFAULT true) RETURNS void
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	role_before text := current_setting('role');
	acting name := @extschema@.im_acting_role();
BEGIN
	PERFORM @extschema@.im_need_own_objects(acting);
	-- what is new belongs to who acts, who need not be allowed to create it
	PERFORM @extschema@.im_add_columns();
	IF acting <> current_user THEN
		PERFORM set_config('role', acting, true);
	END IF;
	PERFORM @extschema@.im_add_constraints();
	PERFORM @extschema@.im_add_triggers();
	PERFORM @extschema@.im_guard_ledger();
	-- a price list that has rows is the user's: nothing of it comes back unasked
	IF $1 AND NOT EXISTS (SELECT FROM @extschema@.im_rate_card_version) THEN
		PERFORM @extschema@.im_need_own_table('im_rate_card_version'::text);
		INSERT INTO @extschema@.im_rate_card_version (rate_card, effective_from, terms)
		SELECT b.rate_card, b.effective_from, b.terms
		FROM @extschema@.im_bundled_cards() b;
		-- or the table could not be altered in the same transaction
		SET CONSTRAINTS @extschema@.im_order_check_card IMMEDIATE;
		SET CONSTRAINTS @extschema@.im_order_check_card DEFERRED;
	END IF;
	PERFORM set_config('role', role_before, true);
	PERFORM @extschema@.im_add_functions();
	PERFORM @extschema@.im_add_views();
	PERFORM @extschema@.im_grant_again();
END
$$;
COMMENT ON FUNCTION @extschema@.im_create_tables(boolean) IS
'Creates the tables in the extension''s schema, owned by the caller, the views for BI and the functions that answer readers and tenants, and fills an empty im_rate_card_version with the bundled cards. Run again it adds what is missing and changes no row. A superuser acts as the owner of the tables. Errors: 42501 without CREATE on the schema, where the cards would go into a table of another role, where a function of one of its names belongs to another role, and where a table, or what its triggers, rules, policies, defaults, checks, indexes and columns use, belongs neither to the caller nor to a superuser.';
