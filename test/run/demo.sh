#!/bin/bash
#
# demo.sh
#	  What make demo does: from a bare Debian machine to printed bills.
#
# KEEP=1 leaves the server running and says how to look around.
set -euo pipefail
. "$(dirname "$0")/server.sh"

KEEP_DATABASE=demo

# The scripts come by standard input, since the server's user need not be able
# to read the checkout.
run_sql() {
	as_user psql -X -q -v ON_ERROR_STOP=1 -P pager=off -d demo <"$ROOT/test/demo/$1.sql"
}

main() {
	set_up missing_for_server
	as_user createdb demo
	say "CREATE EXTENSION imbilling; SELECT im_create_tables();"
	as_user psql -X -q -v ON_ERROR_STOP=1 -d demo \
		-c 'CREATE EXTENSION imbilling' -c 'SELECT im_create_tables()' >/dev/null
	say "loading December 2023"
	run_sql apps
	run_sql usage
	run_sql report
	say "done in $SECONDS seconds"
}

main
