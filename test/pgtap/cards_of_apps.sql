-- An app is billed by a rate card that has a version, and versions do not
-- change under orders: whatever would leave it otherwise is refused by the
-- end of the transaction.
BEGIN;
\ir include/setup.sql
\ir include/ledger.sql

CALL card('own', '2019-12-10', cn());
CALL card('other', '2019-12-10', cn());
CALL app(1, 'own');
CALL buy(1, 1, '2023-03-01', 'plan', 'pro');
CALL buy(1, 2, '2023-03-05', 'call', 'basic');
CALL app(2, 'own');
CALL app(3, 'other');

-- Apps
SELECT refused($$INSERT INTO im_app VALUES (5001, 'NoCard', 'CN')$$, '5001.*"CN"', 'an app of a card that does not exist');
SELECT refused($$INSERT INTO im_app SELECT n, 'many', 'CN' FROM generate_series(5001, 5100) n$$, '5001', 'many of them');
SELECT refused($$INSERT INTO im_app VALUES (5001, 'NoCard', '')$$, '""', 'no name at all is none either');
SELECT refused($$INSERT INTO im_app VALUES (2, 'x', 'CN') ON CONFLICT (app_id) DO UPDATE SET rate_card = 'CN'$$, '"CN"', 'by an upsert');
SELECT refused($$UPDATE im_app SET rate_card = 'CN' WHERE app_id = 2$$, '"CN"', 'an app that changes to one');
SELECT refused($$UPDATE im_app SET rate_card = 'intl' WHERE app_id = 1$$, 'pro', 'or to one that does not sell what it ordered');
SELECT refused($$DO 'BEGIN
	UPDATE im_app SET app_id = 9 WHERE app_id = 1;
	UPDATE im_app SET app_id = 1, rate_card = ''intl'' WHERE app_id = 2;
END'$$, 'pro|order', 'apps that change their ids, and the orders with them');
SELECT refused($$DO 'BEGIN
	UPDATE im_app SET rate_card = ''intl'' WHERE app_id = 2;
	SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;
	UPDATE im_app SET app_id = 9 WHERE app_id = 1;
	UPDATE im_app SET app_id = 1 WHERE app_id = 2;
END'$$, 'pro|order', 'so too when the card was fine before');
SELECT accepted($$DO 'BEGIN
	INSERT INTO im_app VALUES (5001, ''early'', ''new'');
	INSERT INTO im_rate_card_version SELECT ''new'', ''2019-12-10'', cn();
END'$$, 'the card may come later in the transaction');
SELECT accepted($$UPDATE im_app SET name = 'renamed'$$, 'other columns are nobody''s business');

-- Versions
SELECT refused($$DELETE FROM im_rate_card_version WHERE rate_card = 'other'$$, '"other"', 'the last version of a card that bills an app');
SELECT refused($$UPDATE im_rate_card_version SET rate_card = 'otter' WHERE rate_card = 'other'$$, '"other"', 'renamed');
SELECT accepted($$DELETE FROM im_rate_card_version WHERE rate_card = 'intl'$$, 'of a card that bills none it may go');
SELECT refused($$DO 'BEGIN
	CREATE TEMP TABLE kept AS SELECT * FROM im_rate_card_version WHERE rate_card = ''own'';
	TRUNCATE im_rate_card_version;
	INSERT INTO im_rate_card_version SELECT * FROM kept;
END'$$, '"other"', 'all are replaced, one is missing');
SELECT refused($$DO 'BEGIN
	CREATE TEMP TABLE kept AS SELECT * FROM im_rate_card_version;
	TRUNCATE im_rate_card_version;
	INSERT INTO im_rate_card_version SELECT rate_card, effective_from, terms #- ''{addons,call}'' FROM kept;
END'$$, 'orders of 1 apps.*call', 'all are replaced, one by what does not sell what was ordered');
SELECT refused($$UPDATE im_rate_card_version SET terms = terms #- '{addons,call}' WHERE rate_card = 'own'$$,
	'orders of 1 apps.*call', 'a version that sold what was ordered sells it no more');
SELECT refused($$UPDATE im_rate_card_version SET effective_from = '2023-03-02' WHERE rate_card = 'own'$$, 'orders of 1 apps', 'or starts after the order');
SELECT refused($$INSERT INTO im_rate_card_version SELECT 'own', '2023-03-02', cn() #- '{addons,call}'$$, 'orders of 1 apps', 'a further version between order and order');
SELECT refused($$INSERT INTO im_rate_card_version VALUES ('own', '2019-12-10', cn() #- '{addons,call}')
	ON CONFLICT (rate_card, effective_from) DO UPDATE SET terms = excluded.terms$$, 'orders of 1 apps', 'by an upsert');
SELECT refused($$DO 'BEGIN
	DELETE FROM im_rate_card_version WHERE rate_card = ''own'';
	INSERT INTO im_rate_card_version SELECT ''own'', ''2019-12-10'', cn() #- ''{plans,pro,dau}'' #- ''{addons,call}'';
END'$$, 'orders of 1 apps', 'in two steps');
SELECT refused($$DO 'BEGIN
	UPDATE im_rate_card_version SET terms = terms #- ''{addons,call}'' WHERE rate_card = ''own'';
	SET CONSTRAINTS ALL DEFERRED;
	INSERT INTO im_order (app_id, order_id, at, action, item, option) VALUES (2, 1, ''2023-03-01 00:00+08'', ''on'', ''moderation'', '''');
END'$$, 'orders of 1 apps', 'with an order behind it');
SELECT accepted($$DO 'BEGIN
	UPDATE im_rate_card_version SET terms = terms #- ''{addons,call}'' WHERE rate_card = ''own'';
	UPDATE im_rate_card_version SET terms = cn() WHERE rate_card = ''own'';
END'$$, 'what is put right again in the transaction');
SELECT accepted($$UPDATE im_rate_card_version SET terms = jsonb_set(terms, '{plans,pro,price}', '"1001"') WHERE rate_card = 'own'$$, 'another price forbids no order');
SELECT accepted($$INSERT INTO im_rate_card_version SELECT 'own', '2024-01-01', cn() #- '{addons,call}'$$, 'nor does a version after them');

-- A rolled back part of a transaction takes its checks with it.
SELECT refused($$DO 'BEGIN
	UPDATE im_rate_card_version SET terms = terms #- ''{addons,call}'' WHERE rate_card = ''own'';
	BEGIN
		UPDATE im_rate_card_version SET terms = cn() WHERE rate_card = ''own'';
		SET CONSTRAINTS ALL IMMEDIATE;
		RAISE division_by_zero;
	EXCEPTION WHEN division_by_zero THEN NULL;
	END;
END'$$, 'orders of 1 apps', 'put right only in a part that is rolled back');

-- Orders that break a rule already do not keep anybody from mending the card.
SET session_replication_role = replica;
CALL buy(3, 1, '2023-03-01', 'plan', 'platinum');
RESET session_replication_role;
SELECT accepted($$INSERT INTO im_rate_card_version SELECT 'other', '2024-01-01', cn()$$, 'a version beside orders that were broken before');
SELECT refused($$DO 'BEGIN
	UPDATE im_app SET rate_card = ''other'' WHERE app_id = 1;
	SET CONSTRAINTS ALL IMMEDIATE;
	SET CONSTRAINTS ALL DEFERRED;
	UPDATE im_rate_card_version SET terms = terms #- ''{addons,call}'' WHERE rate_card = ''other'';
END'$$, 'orders of 1 apps', 'but no further one');

-- No version at all, as while a restore goes on: only orders that were legal keep them.
SELECT refused($$DELETE FROM im_rate_card_version$$, 'orders of 1 apps', 'all versions, beside orders');
\set ON_ERROR_STOP 0
TRUNCATE im_rate_card_version;
SELECT is((:'SQLSTATE')::text, '23514', 'emptied at once, too');
\set ON_ERROR_STOP 1
SET session_replication_role = replica;
DELETE FROM im_rate_card_version;
RESET session_replication_role;
SELECT accepted($$INSERT INTO im_app VALUES (5001, 'NoCard', 'CN')$$, 'without any version apps are accepted');
SELECT accepted($$INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (2, 1, '2023-03-01 00:00+08', 'buy', 'plan', 'platinum', 1)$$, 'orders too');
SELECT accepted($$INSERT INTO im_rate_card_version SELECT 'own', '2019-12-10', cn()$$, 'and one version is not asked for the others');

SELECT fails_with($$CREATE TABLE im_test.mine (app_id bigint);
	CREATE TRIGGER t BEFORE INSERT ON im_test.mine FOR EACH STATEMENT EXECUTE FUNCTION im_cards_lock();
	INSERT INTO im_test.mine VALUES (1)$$, '39P01', 'not for table', 'the lock is for im_rate_card_version alone');
SELECT fails_with($$CREATE TRIGGER t BEFORE UPDATE ON im_rate_card_version FOR EACH ROW EXECUTE FUNCTION im_cards_lock();
	INSERT INTO im_rate_card_version SELECT 'own', '2019-12-10', cn();
	UPDATE im_rate_card_version SET effective_from = effective_from$$, '39P01', 'for each statement', 'and for statements');
SELECT fails_with($$SELECT im_cards_lock()$$, '.*', 'trigger', 'it is a trigger');

SELECT * FROM finish();
