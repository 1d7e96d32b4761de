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

SUITES=${SUITES:-bookworm trixie}
ROOTS=${IMBILLING_ROOTS:-/var/tmp/imbilling-roots}

why_not() {
	if [ "$(id -u)" -ne 0 ]; then
		echo 'it needs root'
	elif ! command -v unshare >/dev/null || ! unshare --mount --pid --net --fork true 2>/dev/null; then
		echo 'it needs name spaces, which are not allowed here'
	elif ! command -v debootstrap >/dev/null && ! install_debootstrap; then
		echo 'there is no debootstrap, and apt-get could not install it'
	else
		return 1
	fi
}

install_debootstrap() {
	command -v apt-get >/dev/null || return 1
	{ apt_get update || true; apt_get install --no-install-recommends debootstrap; } >/dev/null 2>&1
}

# ---- roots ----

# Root runs what lies in there: it must be nobody else's.
open_roots() {
	mkdir -p -m 755 "$ROOTS"
	[ -O "$ROOTS" ] || die "$ROOTS belongs to another user: remove it, or set IMBILLING_ROOTS"
	exec 9>"$ROOTS/lock"
	flock 9
}

# make_root NAME COMMAND ARGUMENT...: a root is there whole or not at all.
make_root() {
	local root=$ROOTS/$1
	shift
	[ ! -e "$root" ] || return 0
	say "making ${root##*/}"
	rm -rf "$root.new"
	if ! "$@" "$root.new" >"$WORK/root.log" 2>&1; then
		tail -n 20 "$WORK/root.log" >&2
		die "${root##*/} could not be made"
	fi
	mv "$root.new" "$root"
}

# Only git and make; somebody without rights; apt as this machine uses it, but
# its own release's sources.  Servers that packages start are none of ours.
bare_root() {
	debootstrap --variant=minbase --include=git,make,ca-certificates "$1" "$2" &&
		cp -R /etc/apt/apt.conf.d /etc/apt/auth.conf.d "$2/etc/apt/" &&
		echo '#clear DPkg::Post-Invoke; #clear APT::Update::Post-Invoke;' >"$2/etc/apt/apt.conf.d/zz-keep-packages" &&
		printf '#!/bin/sh\nexit 101\n' >"$2/usr/sbin/policy-rc.d" &&
		chmod +x "$2/usr/sbin/policy-rc.d" &&
		chroot "$2" useradd --create-home somebody &&
		empty_lists "$2"
}

root_with_server() {
	cp -a "$ROOTS/$1" "$2" &&
		inside "$2" root online 'apt-get update && apt-get install -q -y --no-install-recommends postgresql' &&
		empty_lists "$2"
}

empty_lists() {
	find "$1/var/lib/apt/lists" "$1/var/cache/apt" -type f -delete
}

# inside ROOT USER NETWORK COMMAND.  What is mounted and started lives in name
# spaces, and ends with the first process there: it must not be replaced by one
# of another user, which would outlive us.
inside() {
	local net=
	[ "$3" = online ] || net=--net
	cp /etc/resolv.conf /etc/hosts "$1/etc/"
	mkdir -p "$ROOTS/packages/partial"
	unshare --mount --pid --fork --kill-child $net bash -c '
		mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
		mount --bind "$2" "$1/var/cache/apt/archives" &&
		chroot "$1" runuser -u "$3" -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			HOME=/tmp LANG=C.UTF-8 CI=true DEBIAN_FRONTEND=noninteractive bash -c "$4"
		exit $?
	' inside "$1" "$ROOTS/packages" "$2" "$4" </dev/null 9>&- &
	name_space=$!
	wait $name_space
}

stop_all() {
	kill -KILL ${name_space:-} 2>/dev/null || true
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
	mkdir "$WORK/root/home/somebody/im billing"
	tar -C "$ROOT" -c --exclude-vcs --exclude=./.build --exclude='*.o' --exclude='*.bc' --exclude='*.so' . |
		tar -C "$WORK/root/home/somebody/im billing" -x --no-same-owner
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
