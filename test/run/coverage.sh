#!/bin/bash
#
# coverage.sh
#	  What make coverage does: the suite on an extension built for gcov, then a table
#	  of the lines of src that it reached and a list of those that it did not.
#
# Backends that tests kill write nothing, which only makes the figures smaller.
set -euo pipefail

INSTRUMENT=coverage
INSTRUMENT_FLAGS='--coverage -O0 -fprofile-update=atomic'
CORE_FLAGS='--coverage -O0'
LAYERS='core regress pgtap isolation perl readme lines'

# What was counted in an earlier run is none of ours; the server's user writes
# beside the objects.
instrument_coverage() {
	OBJECTS=$1
	find "$OBJECTS" -name '*.gcda' -delete
	find "$OBJECTS" -type d -exec chmod a+rwx {} +
}

layer_lines() {
	stop_server
	perl "$TREE/test/run/coverage.pl" "$ROOT" "$OBJECTS" "$WORK/core" >"$WORK/coverage" || return 1
	cat "$WORK/coverage"
	echo '1 0' >"$WORK/count.lines"
}

# Counters are written when a process ends.
stop_server() {
	as_user pg_ctl -s -w -m fast -D "$WORK/data" stop
}

. "$(dirname "$0")/test.sh"
