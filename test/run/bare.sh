#!/bin/bash
#
# bare.sh
#	  What make bare does: the first commands of a new user, in emptied roots of
#	  Debian that have git and make alone, or a server without its headers.
#	  Each must do its job or say in a sentence what to install.
#
# SUITES="bookworm trixie"  releases of Debian
# IMBILLING_ROOTS=DIR       keeps the roots and their packages from run to run
#
# bare.sh --why-not prints why it cannot run here, and fails if so.
set -euo pipefail
. "$(dirname "$0")/server.sh"
. "$ROOT/test/run/roots.sh"

SUITES=${SUITES:-bookworm trixie}

root_with_server() {
	cp -a "$ROOTS/$1" "$2" &&
		inside "$2" root online 'apt-get update && apt-get install -q -y --no-install-recommends postgresql' &&
		empty_lists "$2"
}

# ---- cases ----

passed=0 failed=0

# verdict NAME WRONG
verdict() {
	if [ -z "$2" ]; then
		passed=$((passed + 1))
		say "ok: $1 ($((SECONDS - began)) s)"
	else
		failed=$((failed + 1))
		say "FAILED: $1: $2"
		tail -n 30 "$WORK/case.log"
	fi
}

# run USER NETWORK COMMAND: as one who has just cloned.
run() {
	began=$SECONDS status=0
	inside "$WORK/root" "$1" "$2" "cd '/home/somebody/im billing' && $3" >"$WORK/case.log" 2>&1 || status=$?
}

# does NAME USER NETWORK COMMAND LAST-LINE
does() {
	run "$2" "$3" "$4"
	verdict "$1" "$(
		[ $status -eq 0 ] || echo "it ended with $status"
		tail -n 1 "$WORK/case.log" | grep -qE -- "$5" || echo "its last line is not $5"
	)"
}

# says NAME USER NETWORK COMMAND WORDS: fails, and tells what to do without a
# word of what broke on the way.
says() {
	run "$2" "$3" "$4"
	verdict "$1" "$(
		[ $status -ne 0 ] || echo 'it succeeded'
		grep -qE -- "$5" "$WORK/case.log" || echo "it does not say $5"
		[ "$(grep -cvE '^(==>|make)' "$WORK/case.log")" -le 7 ] || echo 'it says more than that'
		grep -E 'No such file|not found|unbound|line [0-9]+:' "$WORK/case.log"
	)"
}

# A fresh copy of a root, with the checkout in a folder that has a blank.
enter() {
	rm -rf --one-file-system "$WORK/root"
	cp -a "$ROOTS/$1" "$WORK/root"
	copy_checkout "$WORK/root" "home/somebody/im billing"
	chroot "$WORK/root" chown -R somebody /home/somebody
}

try_nothing_there() {
	enter "$1"
	says "$1: a user without root" somebody online 'make demo' 'apt-get install .*gcc.* postgresql'
	says "$1: make test by a user without root" somebody online 'make test' 'apt-get install .*gcc.* postgresql'
	says "$1: root without a network" root offline 'make demo' 'apt-get install .*gcc.* postgresql'
	says "$1: make without headers" somebody online make 'install postgresql-server-dev-'
	does "$1: make demo" root online 'make demo' 'done in [0-9]+ seconds'
	does "$1: then a user without root" somebody offline 'make demo' 'done in [0-9]+ seconds'
	says "$1: a blank in the Makefile's path" somebody offline 'cd / && make -f "$OLDPWD/Makefile"' 'path with a blank'
}

try_server_there() {
	enter "$1"
	says "$1: a user without root" somebody online 'make demo' 'apt-get install .*postgresql-server-dev-[0-9]+$'
	says "$1: root without a network" root offline 'make demo' 'apt-get install .*postgresql-server-dev-[0-9]+$'
	says "$1: make without headers" somebody online make 'install postgresql-server-dev-'
	says "$1: make installcheck without headers" somebody online 'make installcheck' 'install postgresql-server-dev-'
	does "$1: make demo" root online 'make demo' 'done in [0-9]+ seconds'
}

main() {
	local suite
	make_work_folder
	open_roots
	for suite in $SUITES; do
		make_root "$suite" bare_root "$suite"
		make_root "$suite-postgresql" root_with_server "$suite"
		try_nothing_there "$suite"
		try_server_there "$suite-postgresql"
	done
	told=yes
	printf '\n%d passed, %d failed\n' $passed $failed
	[ $failed -eq 0 ]
}

if reason=$(why_not); then
	[ "${1:-}" = --why-not ] || die "make bare cannot run: $reason"
	echo "$reason"
	exit 1
fi
[ "${1:-}" = --why-not ] || main
