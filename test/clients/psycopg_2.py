# psycopg 2: parameters are written into the statement as literals.
import datetime, json
from decimal import Decimal
import psycopg2
from psycopg2 import extras
from tell import forbidden, told, refused

c = psycopg2.connect("")
k = c.cursor()

def ask(query, *values):
    k.execute(query, values)
    return k.fetchone()[0]

told("a month is a text", ask("SELECT im_monthly_total(%s, %s)", 1, "2023-03"), Decimal("9956.22"))
told("or a date", ask("SELECT im_monthly_total(%s, %s)", 1, datetime.date(2023, 3, 1)), Decimal("9956.22"))
told("an app is an int of any size", ask("SELECT app_id FROM im_app WHERE app_id = %s", 9007199254740993), 9007199254740993)
told("a card is a text", ask("SELECT im_dau_overage(%s::im_rate_card, 'pro', 10001)", ask("SELECT im_bundled_card('cn', '2019-12-10')::text")), 1000)
told("money in jsonb is a float", ask("SELECT items -> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), 999.0)
told("unless it is taken as text", ask("SELECT items ->> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), "999.00")
extras.register_default_jsonb(c, loads=lambda text: json.loads(text, parse_float=Decimal))
told("or read as a Decimal", str(ask("SELECT items -> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1")), "999.00")
k.execute(forbidden)
refused("an order is refused at commit", c.commit, "23514")
k.execute(forbidden)
refused("or when it is asked for", lambda: k.execute("SET CONSTRAINTS ALL IMMEDIATE"), "23514")
c.rollback()
refused("CALL im_close_month needs autocommit", lambda: k.execute("CALL im_close_month('2022-01')"), "25001")
c.rollback()
c.autocommit = True
k.execute("CALL im_close_month(%s)", ("2022-01",))
told("and tells its root as a notice", "root" in c.notices[-1], True)
