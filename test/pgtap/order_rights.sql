-- With whose rights the orders of an app are checked: those of the owner of
-- the log, whoever places an order, and nobody's code runs with them.
BEGIN;
\ir include/setup.sql

CREATE ROLE im_test_owner;
CREATE ROLE im_test_teller;
GRANT USAGE ON SCHEMA public, im_test TO im_test_owner, im_test_teller;
GRANT INSERT ON im_order TO im_test_teller;
CALL app(1);
CALL buy(1, 1, '2023-03-01', 'plan', 'pro', 12);
CALL buy(1, 2, '2023-03-01', 'call', 'basic', 12);
CALL settle();
ALTER TABLE im_order OWNER TO im_test_owner;
ALTER TABLE im_app OWNER TO im_test_owner;
ALTER TABLE im_rate_card_version OWNER TO im_test_owner;

-- What the teller orders, checked as at the end of a transaction.
CREATE FUNCTION place(id bigint, item text, option text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE im_test_teller;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, id, '2023-03-05 10:00+08', 'buy', item, option, 1);
	SET CONSTRAINTS ALL IMMEDIATE;
	SET CONSTRAINTS ALL DEFERRED;
	RESET ROLE;
END $$;

SELECT lives_ok($$SELECT place(3, 'avchatroom', '')$$, 'who may place orders need not be allowed to read them');
SELECT throws_ok($$SELECT place(4, 'call', 'advanced')$$, '23514', NULL, 'and is held to the rules');

-- Row security that is forced on the owner as well hides every order from
-- all; foreign keys see them nevertheless, and so do the rules.
ALTER TABLE im_order ENABLE ROW LEVEL SECURITY;
ALTER TABLE im_order FORCE ROW LEVEL SECURITY;
CREATE POLICY place ON im_order FOR INSERT WITH CHECK (true);
SELECT throws_ok($$SELECT place(5, 'call', 'advanced')$$, '23514', NULL, 'row security does not hide what breaks a rule');

-- A table of the owner's, where the teller may create triggers and, beside
-- it, functions of the names that the check calls.
CREATE SCHEMA im_test_shared;
GRANT CREATE, USAGE ON SCHEMA im_test_shared TO im_test_owner, im_test_teller;
SET LOCAL ROLE im_test_owner;
CREATE TABLE im_test_shared.t (app_id bigint);
GRANT INSERT, TRIGGER ON im_test_shared.t TO im_test_teller;
SET LOCAL ROLE im_test_teller;
CREATE FUNCTION im_test_shared.im_lock_apps(bigint[]) RETURNS bigint LANGUAGE plpgsql AS
'BEGIN RAISE EXCEPTION ''run as %'', current_user; END';
CREATE FUNCTION im_test_shared.im_verify_apps(bigint[], timestamptz[]) RETURNS bigint LANGUAGE plpgsql AS
'BEGIN RAISE EXCEPTION ''run as %'', current_user; END';
CREATE TRIGGER a AFTER INSERT ON im_test_shared.t FOR EACH ROW EXECUTE FUNCTION im_order_note();
CREATE TRIGGER b AFTER INSERT ON im_test_shared.t FOR EACH ROW EXECUTE FUNCTION im_order_check();
RESET ROLE;
SELECT throws_ok($$INSERT INTO im_test_shared.t VALUES (1)$$, '39P01', NULL, 'the check serves no other table, and calls no function beside it');

-- A table of the teller's own, whose trigger would take the check over and
-- find nothing wrong, because row security shows the teller no order.
GRANT SELECT, UPDATE ON im_app, im_order, im_rate_card_version TO im_test_teller;
SET LOCAL ROLE im_test_teller;
CREATE TABLE im_test_shared.mine (app_id bigint);
CREATE TRIGGER b AFTER INSERT ON im_test_shared.mine FOR EACH ROW EXECUTE FUNCTION im_order_check();
RESET ROLE;
CREATE FUNCTION take_over() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	SET LOCAL ROLE im_test_teller;
	INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 6, '2023-03-05 10:00+08', 'buy', 'call', 'advanced', 1);
	BEGIN
		INSERT INTO im_test_shared.mine VALUES (1);
	EXCEPTION WHEN SQLSTATE '39P01' THEN
		NULL;
	END;
	RESET ROLE;
	SET CONSTRAINTS ALL IMMEDIATE;
END $$;
SELECT throws_ok('SELECT take_over()', '23514', NULL, 'no other table''s trigger checks with fewer rights');

SELECT * FROM finish();
ROLLBACK;
