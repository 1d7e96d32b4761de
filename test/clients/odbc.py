# psqlodbc, by way of pyodbc
import os
from decimal import Decimal
import pyodbc
from tell import forbidden, told, refused

c = pyodbc.connect("Driver={PostgreSQL Unicode};Servername=%s;Port=%s;Database=%s;UserName=%s" % (
    os.environ["PGHOST"], os.environ.get("PGPORT", "5432"), os.environ["PGDATABASE"], os.environ["PGUSER"]), autocommit=True)
k = c.cursor()

def ask(query, *values):
    return k.execute(query, *values).fetchone()[0]

def columns(view):
    return {r.column_name: r for r in c.cursor().columns(table=view)}

told("a month is a text", ask("SELECT im_monthly_total(?, ?)", 1, "2023-03"), Decimal("9956.22"))
told("or one with a cast", ask("SELECT im_monthly_total(?, ?::im_month)", 1, "2023-03"), Decimal("9956.22"))
line = columns("im_bi_bill_line")
told("amounts of the BI views have 8 places", (line["amount"].column_size, line["amount"].decimal_digits), (38, 8))
told("the number of a line is an integer", line["line"].type_name, "int4")
told("texts are LONGVARCHAR", line["explanation"].data_type, pyodbc.SQL_WLONGVARCHAR)
told("and arrive whole, past the 8190 that they are described with",
    len(ask("SELECT im_bill_html(1, '2023-03')")), ask("SELECT length(im_bill_html(1, '2023-03'))"))
told("money in jsonb is a text", ask("SELECT items ->> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), "999.00")
refused("an order is refused at once with autocommit", lambda: k.execute(forbidden), "23514")
k.execute("CALL im_close_month('2022-01')")
told("CALL needs it", ask("SELECT state FROM im_close_progress WHERE month = '2022-01-01'"), "closed")
c.autocommit = False
k.execute(forbidden)
refused("without it at commit", c.commit, "23514")
c.rollback()
k.execute(forbidden)
refused("or when it is asked for", lambda: k.execute("SET CONSTRAINTS ALL IMMEDIATE"), "23514")
