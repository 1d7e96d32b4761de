# roots.sh (sourced after server.sh)
#	  Emptied roots of Debian, kept from run to run with the packages that were
#	  loaded for them, and commands that run inside.

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

# copy_checkout ROOT FOLDER: the checkout as one who has just cloned has it.
copy_checkout() {
	mkdir -p "$1/$2"
	tar -C "$ROOT" -c --exclude-vcs --exclude=./.build --exclude='*.o' --exclude='*.bc' --exclude='*.so' . |
		tar -C "$1/$2" -x --no-same-owner
}
