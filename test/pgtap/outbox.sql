-- The outbox: an event a suspension that begins, ends or is taken back, in the same
-- transaction, whoever writes it; none where nothing changes.  What it has of
-- documents is looked at in numbers.sql.
BEGIN;
\ir include/setup.sql

CREATE FUNCTION told() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	answer text;
BEGIN
	SELECT string_agg(format('%s %s %s..%s %s', o.kind, o.app_id, coalesce(o.body ->> 'from', ''), coalesce(o.body ->> 'until', ''), o.body ->> 'reason'), ', ' ORDER BY o.ctid)
	INTO answer FROM im_outbox o;
	DELETE FROM im_outbox;
	RETURN coalesce(answer, 'nothing');
END $$;
CALL app(1);
CALL app(2);
SELECT is(told(), 'nothing', 'an app alone is no event');
INSERT INTO im_suspension (app_id, days, reason) VALUES (1, '[2023-03-01,)', 'arrears');
SELECT is(told(), 'app_suspended 1 2023-03-01.. arrears', 'a suspension');
UPDATE im_suspension SET days = '[2023-03-01,2023-03-05)' WHERE app_id = 1;
SELECT is(told(), 'app_resumed 1 2023-03-01..2023-03-05 arrears', 'that ends');
UPDATE im_suspension SET days = '[2023-03-01,2023-03-05)' WHERE app_id = 1;
UPDATE im_suspension SET reason = 'refund' WHERE app_id = 1;
SELECT is(told(), 'nothing', 'what changes no day is no event');
UPDATE im_suspension SET days = '[2023-03-01,2023-03-09)' WHERE app_id = 1;
SELECT is(told(), 'app_suspended 1 2023-03-01..2023-03-09 refund', 'that goes on longer');
DELETE FROM im_suspension WHERE app_id = 1;
SELECT is(told(), 'app_resumed 1 .. refund', 'that is taken back');
INSERT INTO im_suspension (app_id, days, reason) VALUES (1, '[2023-04-01,2023-04-03)', 'violation');
SELECT is(told(), 'app_suspended 1 2023-04-01..2023-04-03 violation', 'one with an end tells it at once');
DELETE FROM im_suspension;
SELECT is(told(), 'app_resumed 1 .. violation', 'and is taken back');
INSERT INTO im_suspension (app_id, days, reason) VALUES (1, '[2023-04-01,)', 'arrears');
UPDATE im_suspension SET app_id = 2 WHERE app_id = 1;
SELECT is(told(), 'app_suspended 1 2023-04-01.. arrears, app_resumed 1 .. arrears, app_suspended 2 2023-04-01.. arrears', 'moved to another app');
SAVEPOINT undone;
INSERT INTO im_suspension (app_id, days, reason) VALUES (1, '[2023-05-01,)', 'arrears');
ROLLBACK TO undone;
SELECT is(told(), 'nothing', 'what is rolled back is not told');

-- Whoever may write suspensions need hold no right on the outbox.
CREATE ROLE im_test_clerk;
GRANT USAGE ON SCHEMA im_test TO im_test_clerk;
GRANT INSERT, UPDATE, DELETE, SELECT ON im_suspension TO im_test_clerk;
SET ROLE im_test_clerk;
INSERT INTO im_suspension (app_id, days, reason) VALUES (1, '[2023-06-01,)', 'arrears');
SELECT fails_with('SELECT * FROM im_outbox', '42501', 'im_outbox', 'who suspends may not read it');
RESET ROLE;
SELECT is(told(), 'app_suspended 1 2023-06-01.. arrears', 'but it is told');
CREATE TABLE elsewhere (app_id bigint, days daterange, reason text);
CREATE TRIGGER tell AFTER INSERT ON elsewhere FOR EACH ROW EXECUTE FUNCTION im_tell_suspension();
SELECT fails_with($$INSERT INTO elsewhere VALUES (1, '[2023-06-01,)', 'x')$$, '39P01', 'not for table "elsewhere"', 'nobody makes it tell of a table of his own');
SELECT fails_with('SELECT im_tell_suspension()', '0A000|39P01', 'trigger', 'nor without one');

SELECT * FROM finish();
ROLLBACK;
