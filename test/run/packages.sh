# packages.sh (sourced)
#	  Which PostgreSQL to use, and what a bare Debian machine lacks for it.
#
# Everything is looked for by what it brings, not by its package's name: who
# has it from elsewhere needs neither root nor apt.

OLDEST_MAJOR=15

# The headers themselves: pgxs.mk, for one, comes with the client.
has_headers() {
	[ -e "/usr/include/postgresql/$1/server/postgres.h" ]
}

has_server() {
	[ -x "/usr/lib/postgresql/$1/bin/postgres" ]
}

# The newest major version of this machine of which all the named tests hold.
newest_major_that() {
	local major test
	for major in $(ls /usr/lib/postgresql /usr/include/postgresql 2>/dev/null | sort -rnu); do
		[ "$major" -ge $OLDEST_MAJOR ] 2>/dev/null || continue
		for test in "$@"; do
			"$test" "$major" || continue 2
		done
		echo "$major"
		return
	done
}

# The major version that this release of Debian calls postgresql; nothing
# where there are no package lists.
major_of_debian() {
	{ apt-cache depends postgresql 2>/dev/null || true; } |
		sed -n 's/^ *Depends: postgresql-\([0-9][0-9]*\)$/\1/p'
}

# Sets PGMAJOR unless the caller has: what lacks least comes first.
choose_major() {
	PGMAJOR=${PGMAJOR:-$(newest_major_that has_server has_headers)}
	PGMAJOR=${PGMAJOR:-$(newest_major_that has_headers)}
	PGMAJOR=${PGMAJOR:-$(newest_major_that has_server)}
	PGMAJOR=${PGMAJOR:-$(major_of_debian)}
	if [ -z "$PGMAJOR" ]; then
		refresh_package_lists
		PGMAJOR=$(major_of_debian)
	fi
	[ -n "$PGMAJOR" ] || die_without_lists
	[ "$PGMAJOR" -ge $OLDEST_MAJOR ] 2>/dev/null ||
		die "imbilling needs PostgreSQL $OLDEST_MAJOR or later, not PGMAJOR=$PGMAJOR"
	PGLIBDIR=/usr/lib/postgresql/$PGMAJOR
	PGSHAREDIR=/usr/share/postgresql/$PGMAJOR
}

die_without_lists() {
	local why='apt-get update got none'
	can_be_root || why='neither root nor sudo is at hand to fetch them'
	command -v apt-get >/dev/null || why='there is no apt-get'
	die "No PostgreSQL is here and no package list that knows one ($why); install by hand:" \
		'  apt-get update; apt-get install --no-install-recommends gcc libc6-dev postgresql postgresql-server-dev-all'
}

lacks_perl_module() {
	! perl -M"$1" -e 1 2>/dev/null
}

# Packages that are missing to build and run the server.
missing_for_server() {
	command -v gcc >/dev/null || echo gcc
	[ -e /usr/include/stdio.h ] || echo libc6-dev
	has_server "$PGMAJOR" || echo "postgresql-$PGMAJOR"
	has_headers "$PGMAJOR" || echo "postgresql-server-dev-$PGMAJOR"
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
	[ -e "$PGSHAREDIR/extension/plproxy.control" ] || echo "postgresql-$PGMAJOR-plproxy"
	clients_for_tests
	command -v shellcheck >/dev/null || echo shellcheck
	command -v codespell >/dev/null || echo codespell
	command -v cppcheck >/dev/null || echo cppcheck
	command -v unzip >/dev/null || echo unzip
	[ -e "$PGSHAREDIR/extension/plpgsql_check.control" ] || echo "postgresql-$PGMAJOR-plpgsql-check"
}

# Drivers, small ones: of Java only the driver, and no JDK for it.
clients_for_tests() {
	[ -x /usr/sbin/pgbouncer ] || echo pgbouncer
	[ -e /usr/share/java/postgresql.jar ] || echo libpostgresql-jdbc-java
	has_node_driver || command -v npm >/dev/null || echo node-pg
	grep -qs 'PostgreSQL Unicode' /etc/odbcinst.ini || echo odbc-postgresql
	has_python_module psycopg || echo python3-psycopg
	has_python_module psycopg2 || echo python3-psycopg2
	has_python_module pyodbc || echo python3-pyodbc
}

has_node_driver() {
	[ -e /usr/share/nodejs/pg/package.json ]
}

# Where npm is, Debian's package would bring a second node.
install_node_driver() {
	if has_node_driver || ! command -v npm >/dev/null; then
		return 0
	fi
	npm install --silent --no-audit --no-fund --prefix "$WORK/node" pg >"$WORK/npm.log" 2>&1 ||
		say "going on without the driver pg of node"
	export NODE_PATH=$WORK/node/node_modules
}

has_python_module() {
	/usr/bin/python3 -c "import $1" 2>/dev/null
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
	if ! command -v apt-get >/dev/null || ! can_be_root; then
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

can_be_root() {
	as_root true 2>/dev/null
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@" </dev/null
}

# Once per run: a bare machine's lists are empty or old.  What went wrong here
# matters only where a package cannot be had afterwards.
refresh_package_lists() {
	if [ -z "${lists_refreshed:-}" ]; then
		lists_refreshed=yes
		! can_be_root || apt_get update >"$WORK/apt-update.log" 2>&1 || true
	fi
}

# Installs the named packages; explains what to do where that is not allowed.
install_packages() {
	[ $# -gt 0 ] || return 0
	command -v apt-get >/dev/null || die "This machine has no apt-get; install by other means: $*"
	can_be_root || die 'Neither root nor sudo is at hand to install what is missing; install by hand:' \
		"  apt-get install --no-install-recommends $*"
	say "installing $*"
	refresh_package_lists
	if ! apt_get install --no-install-recommends "$@" >"$WORK/apt.log" 2>&1; then
		cat "$WORK"/apt*.log | grep '^E: ' | sort -u | head -n 5 >&2 || true
		die 'apt-get could not install what is missing; see to network and package sources, or install by hand:' \
			"  apt-get install --no-install-recommends $*"
	fi
}

# Installs those of the named packages that can be had here.
install_if_possible() {
	local package
	for package in "$@"; do
		command -v apt-get >/dev/null && can_be_root || return 0
		refresh_package_lists
		if apt_get install --no-install-recommends "$package" >"$WORK/apt.log" 2>&1; then
			say "installed $package"
		else
			say "going on without $package"
		fi
	done
}
