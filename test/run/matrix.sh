#!/bin/bash
#
# matrix.sh
#	  What make matrix does: the suite on later releases of PostgreSQL, in roots of
#	  Debian that are kept from run to run, and one database that pg_upgrade takes
#	  from each release to the next.
#
# SUITES="trixie sid"       releases of Debian after bookworm, in their order
# STEPS="suite upgrade"     one of them alone
# ONLY=..., FILES=...       as for make test, whose suite it is
# IMBILLING_ROOTS=DIR       keeps the roots and their packages
set -euo pipefail
. "$(dirname "$0")/server.sh"
. "$ROOT/test/run/roots.sh"

SUITES=${SUITES:-trixie sid}
STEPS=${STEPS:-suite upgrade}
HOME_SUITE=bookworm
BOX=home/somebody/box

passed=0 failed=0

enter() {
	make_root "matrix-$1" bare_root "$1"
	root=$ROOTS/matrix-$1
	rm -rf --one-file-system "$root/home/somebody/imbilling" "${root:?}/$BOX"
	copy_checkout "$root" home/somebody/imbilling
}

# run_suite SUITE
run_suite() {
	local counts
	enter "$1"
	inside "$root" root online "cd /home/somebody/imbilling && ONLY='${ONLY:-}' FILES='${FILES:-}' make test" |
		tee "$WORK/suite.log" || true
	counts=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$WORK/suite.log" | tail -n 1)
	count ${counts:-0 1}
}

count() {
	passed=$((passed + $1)) failed=$((failed + $2))
}

# step SUITE COMMAND: one end of pg_upgrade; the box goes from root to root.
step() {
	enter "$1"
	[ ! -e "$WORK/box" ] || mv "$WORK/box" "${root:?}/$BOX"
	if inside "$root" root online "/home/somebody/imbilling/test/run/pg_upgrade.sh $2 /$BOX"; then
		count 1 0
	else
		count 0 1
	fi
	[ ! -e "$root/$BOX" ] || mv "$root/$BOX" "$WORK/box"
}

run_upgrades() {
	local suite
	step "$HOME_SUITE" begin
	for suite in $SUITES; do
		[ $failed -gt 0 ] || step "$suite" go_on
	done
}

main() {
	local suite reason
	! reason=$(why_not) || die "make matrix cannot run: $reason"
	make_work_folder
	open_roots
	if [[ " $STEPS " == *' suite '* ]]; then
		for suite in $SUITES; do
			run_suite "$suite"
		done
	fi
	[[ " $STEPS " != *' upgrade '* ]] || run_upgrades
	told=yes
	printf '\n%d passed, %d failed\n' $passed $failed
	[ $failed -eq 0 ]
}

main
