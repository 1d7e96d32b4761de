#!/bin/bash
#
# memcheck.sh
#	  What make memcheck does: the core's tests and a share of the others, on a
#	  server whose processes run under valgrind, the hostile bytes among them.
#
# FILES="r3_overage im_userset" takes others.  Only reports with a frame of the
# extension count: the server has its own, such as padding that it writes to
# disk.
set -euo pipefail
. "$(dirname "$0")/instrument.sh"

INSTRUMENT=memcheck
INSTRUMENT_FLAGS='-O1 -g -fno-omit-frame-pointer'
LAYERS='core_memcheck regress pgtap perl reports'
FILES=${FILES:-im_month im_day im_day_meters im_moderation_deductions im_peak_groups primitives r6_moderation 161_hostile_bytes}

instrument_memcheck() {
	command -v valgrind >/dev/null || install_packages valgrind
	replace_postgres "exec valgrind --quiet --leak-check=no --track-origins=yes --error-limit=no \\
		--num-callers=30 --log-file=$WORK/reports/valgrind.%p \$real \"\$@\""
}

# The core's own tests, leaks included
layer_core_memcheck() {
	local source program passed=0 failed=0
	for source in "$TREE"/test/core/*.c; do
		program=$WORK/$(basename "$source" .c)
		"${CC:-cc}" -std=c17 -g -O1 -I"$TREE/src" -I"$TREE/test/core" -o "$program" "$source" "$TREE"/src/core/*.c "$TREE"/src/core/*/*.c
		if FUZZ_HISTORIES=300 valgrind --quiet --leak-check=full --error-exitcode=99 "$program" >"$WORK/memcheck.log" 2>&1; then
			passed=$((passed + 1))
		else
			tail -n 40 "$WORK/memcheck.log"
			failed=$((failed + 1))
		fi
	done
	echo "$passed $failed" >"$WORK/count.core_memcheck"
}

# Split into one report a file, of which those with a frame in a source of ours
# count; libc has debugging symbols too.
layer_reports() {
	local report sources
	for report in "$WORK"/reports/valgrind.*; do
		awk -v name="$report" '{ print > (name ".part" n + 0) } /^==[0-9]+== *$/ { n++ }' "$report"
		rm "$report"
	done
	sources=$(cd "$TREE/src" && printf '(%s:\\|' */*.[ch] */*/*.[ch] | sed 's|([a-z/]*/|(|g')
	count_reports "${sources}imbilling\.so"
}

. "$(dirname "$0")/test.sh"
