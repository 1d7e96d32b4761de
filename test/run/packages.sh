# packages.sh (sourced)
#	  Which PostgreSQL to use, and what a bare Debian machine lacks for it.
#
# Everything is looked for by what it brings, not by its package's name: who
# has it from elsewhere needs neither root nor apt.

OLDEST_MAJOR=15

# Major versions whose server headers are here, the newest first.
majors_with_headers() {
	local makefile major
	for makefile in /usr/lib/postgresql/*/lib/pgxs/src/makefiles/pgxs.mk; do
		major=${makefile#/usr/lib/postgresql/}
		major=${major%%/*}
		if [ -e "$makefile" ] && [ "$major" -ge $OLDEST_MAJOR ] 2>/dev/null; then
			echo "$major"
		fi
	done | sort -rn
}

# The major version that this release of Debian calls postgresql.
major_of_debian() {
	apt-cache depends postgresql 2>/dev/null |
		sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p' | head -n 1
}

# Sets PGMAJOR unless the caller has.
choose_major() {
	PGMAJOR=${PGMAJOR:-$(majors_with_headers | head -n 1)}
	if [ -z "$PGMAJOR" ]; then
		refresh_package_lists
		PGMAJOR=$(major_of_debian)
	fi
	PGMAJOR=${PGMAJOR:-$OLDEST_MAJOR}
	[ "$PGMAJOR" -ge $OLDEST_MAJOR ] || die "imbilling needs PostgreSQL $OLDEST_MAJOR or later, not $PGMAJOR"
	PGLIBDIR=/usr/lib/postgresql/$PGMAJOR
	PGSHAREDIR=/usr/share/postgresql/$PGMAJOR
}

lacks_perl_module() {
	! perl -M"$1" -e 1 2>/dev/null
}

# Packages that are missing to build and run the server.
missing_for_server() {
	command -v gcc >/dev/null || echo gcc
	[ -e /usr/include/stdio.h ] || echo libc6-dev
	[ -x "$PGLIBDIR/bin/postgres" ] || echo "postgresql-$PGMAJOR"
	[ -e "$PGLIBDIR/lib/pgxs/src/makefiles/pgxs.mk" ] || echo "postgresql-server-dev-$PGMAJOR"
}

# Packages that are missing for the tests besides.
missing_for_tests() {
	command -v prove >/dev/null || echo perl
	lacks_perl_module IPC::Run && echo libipc-run-perl
	[ -e "$PGSHAREDIR/extension/pgtap.control" ] || echo "postgresql-$PGMAJOR-pgtap"
}

# Packages that some tests look at if they are there, and skip what is not.
welcome_for_tests() {
	[ -e "$PGSHAREDIR/extension/pg_partman.control" ] || echo "postgresql-$PGMAJOR-partman"
}

has_browser() {
	local browser
	for browser in ${IMBILLING_BROWSER:-} chromium chromium-browser google-chrome google-chrome-stable; do
		! command -v "$browser" >/dev/null || return 0
	done
	return 1
}

# A browser is wanted, not needed: without one its test says that it is
# skipped, and why.
install_browser() {
	if has_browser; then
		return 0
	fi
	if ! command -v apt-get >/dev/null || ! as_root true 2>/dev/null; then
		say "without a browser: install chromium to see pages tested"
		return 0
	fi
	refresh_package_lists
	say "installing chromium"
	apt_get install --no-install-recommends chromium >"$WORK/apt.log" 2>&1 ||
		say "without a browser: apt-get could not install chromium"
}

# Runs a command as root, by way of sudo where we are not.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif ! command -v sudo >/dev/null; then
		return 1
	elif [ -t 0 ] && [ -z "${CI:-}" ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@" </dev/null
}

# Once per run: a bare machine's lists are empty or old.
refresh_package_lists() {
	if [ -z "${lists_refreshed:-}" ]; then
		lists_refreshed=yes
		apt_get update >"$WORK/apt.log" 2>&1 || cat "$WORK/apt.log" >&2
	fi
}

# Installs the named packages; explains what to do where that is not allowed.
install_packages() {
	[ $# -gt 0 ] || return 0
	say "installing $*"
	command -v apt-get >/dev/null || die "this machine has no apt-get; install by other means: $*"
	if [ "$(id -u)" -ne 0 ] && ! as_root true; then
		die "these packages are missing and neither root nor sudo is at hand to install them:" \
			"  apt-get install --no-install-recommends $*"
	fi
	refresh_package_lists
	if ! apt_get install --no-install-recommends "$@" >"$WORK/apt.log" 2>&1; then
		tail -n 30 "$WORK/apt.log" >&2
		die "apt-get could not install: $*"
	fi
}

# Installs those of the named packages that can be had here.
install_if_possible() {
	local package
	for package in "$@"; do
		command -v apt-get >/dev/null && as_root true 2>/dev/null || return 0
		refresh_package_lists
		if apt_get install --no-install-recommends "$package" >"$WORK/apt.log" 2>&1; then
			say "installed $package"
		else
			say "going on without $package"
		fi
	done
}
