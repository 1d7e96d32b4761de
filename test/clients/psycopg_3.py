# psycopg 3: parameters go apart from the statement, texts without a type.
import datetime
from decimal import Decimal
import psycopg
from tell import forbidden, told, refused

c = psycopg.connect("", autocommit=True)

def ask(query, *values):
    return c.execute(query, values).fetchone()[0]

told("a month is a text", ask("SELECT im_monthly_total(%s, %s)", 1, "2023-03"), Decimal("9956.22"))
told("or a date", ask("SELECT im_monthly_total(%s, %s)", 1, datetime.date(2023, 3, 1)), Decimal("9956.22"))
told("numbers tell which im_quote is meant", ask("SELECT amount FROM im_quote(%s, %s)", "pro", 3) > 0, True)
refused("two texts do not", lambda: ask("SELECT amount FROM im_quote(%s, %s)", "{}", "pro"), "42725")
card = ask("SELECT im_bundled_card('cn', '2019-12-10')::text")
told("a cast does", ask("SELECT amount FROM im_quote(%s::im_rate_card, %s)", card, "pro"), Decimal("999"))
told("money in jsonb is a float", ask("SELECT items -> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), 999.0)
told("unless it is taken as text", ask("SELECT items ->> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), "999.00")

def in_transaction(*actions):
    with c.transaction():
        for action in actions:
            action()

order = lambda: c.execute(forbidden)
refused("an order is refused at the end of the transaction", lambda: in_transaction(order), "23514")
refused("or when it is asked for", lambda: in_transaction(order, lambda: c.execute("SET CONSTRAINTS ALL IMMEDIATE")), "23514")
refused("CALL im_close_month needs autocommit", lambda: in_transaction(lambda: c.execute("CALL im_close_month('2022-01')")), "25001")
told("with it, it runs", c.execute("CALL im_close_month(%s)", ("2022-01",)).statusmessage, "CALL")

# What a pipeline sends between two syncs is one transaction.
add = "INSERT INTO im_app (app_id, name) VALUES (%s, 'x')"
added = "SELECT coalesce(string_agg(app_id::text, ' '), '') FROM im_app WHERE app_id IN (70, 71)"
try:
    with c.pipeline():
        for statement, values in ((add, (70,)), (forbidden, ()), (add, (71,))):
            c.execute(statement, values)
except Exception:
    pass
c = psycopg.connect("", autocommit=True)
told("a refused order in a pipeline takes all with it", ask(added), "")
with c.pipeline():
    in_transaction(lambda: c.execute(add, (70,)))
    refused("a transaction inside says which was refused", lambda: in_transaction(order), "23514")
    in_transaction(lambda: c.execute(add, (71,)))
told("and leaves the others", ask(added), "70 71")
c.execute("DELETE FROM im_app WHERE app_id IN (70, 71)")
