# Two clients of pgbouncer in transaction mode, which share one connection
from decimal import Decimal
import psycopg
from tell import told, refused

def connect(**options):
    return psycopg.connect("", autocommit=True, **options)

a, b = connect(prepare_threshold=None), connect(prepare_threshold=None)

def ask(connection, query, *values):
    return connection.execute(query, values).fetchone()[0]

march = "SELECT im_monthly_total(%s, '2023-03')"
told("without named statements bills are right", [ask(x, march, n) for n, x in ((1, a), (4, b), (1, a))],
    [Decimal("9956.22"), ask(b, "SELECT im_monthly_total(4, '2023-03')"), Decimal("9956.22")])
a.execute("SET im_test.seen = 'first'")
told("SET stays with the connection for whoever comes next", ask(b, "SELECT current_setting('im_test.seen', true)"), "first")
with a.transaction():
    a.execute("SET LOCAL TimeZone = 'Asia/Tokyo'")
    told("SET LOCAL holds for the transaction", ask(a, "SELECT current_setting('TimeZone')"), "Asia/Tokyo")
told("and not beyond", ask(b, "SELECT current_setting('TimeZone')") != "Asia/Tokyo", True)
told("CALL im_close_month runs", a.execute("CALL im_close_month('2022-01')").statusmessage, "CALL")
a.execute("LISTEN bills")
told("LISTEN is the connection's, not the client's", ask(b, "SELECT string_agg(c, '') FROM pg_listening_channels() c"), "bills")
b.execute("UNLISTEN *")

# From pgbouncer 1.21 on, with max_prepared_statements, they work.
a, b = connect(prepare_threshold=0), connect(prepare_threshold=0)
try:
    said = [ask(x, march, n) for n, x in ((1, a), (4, b), (1, a))][2]
except psycopg.Error as error:
    said = error.sqlstate
told("named statements of clients in its way fail loudly", said in (Decimal("9956.22"), "42P05", "26000"), True)
