# server.sh (sourced)
#	  A private PostgreSQL with imbilling in it, gone when the script ends.
#
# PostgreSQL finds its files relative to its own program, so a copy of the
# installation in a temporary folder is a whole installation.  The extension
# is installed into that copy: neither root nor a changed system is needed,
# and two checkouts can run side by side.
#
# Sets ROOT (this checkout), WORK (the temporary folder), PGBIN and the PG*
# variables that lead to the cluster.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

say() {
	printf '==> %s\n' "$*"
}

die() {
	told=yes
	printf '%s\n' "$@" >&2
	exit 1
}

. "$ROOT/test/run/packages.sh"

# initdb and the server refuse to run as root.
as_user() {
	if [ "$(id -u)" -eq 0 ]; then
		runuser -u postgres -- env HOME="$WORK" "$@"
	else
		"$@"
	fi
}

# Make, configuration files and tests that build command lines cannot follow
# any path.
is_plain_path() {
	[[ $1 =~ ^[A-Za-z0-9._/+-]+$ ]]
}

# A socket's path must stay below 108 bytes.
make_work_folder() {
	WORK=${TMPDIR:-/tmp}
	if ! is_plain_path "$WORK" || [ ${#WORK} -gt 64 ]; then
		WORK=/tmp
	fi
	WORK=$(mktemp -d "$WORK/imbilling.XXXXXX") || die 'there is no room for a temporary folder'
	trap leave EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}

# On any way out: every server below WORK is stopped and WORK removed, unless
# KEEP asks for a look around.
leave() {
	local status=$? command=$BASH_COMMAND
	trap - EXIT HUP INT TERM
	# a command that failed where nobody looked says nothing itself
	[ $status -eq 0 ] || [ $status -gt 128 ] || [ -n "${told:-}" ] ||
		printf '%s ended with status %d at: %s\n' "${0##*/}" $status "$command" >&2
	cd /
	if [ -n "${KEEP:-}" ] && [ -e "$WORK/data/postmaster.pid" ]; then
		say_how_to_look_around
	else
		stop_all
		rm -rf --one-file-system "$WORK"
	fi
	exit $status
}

stop_all() {
	local pidfile
	find "$WORK" -name postmaster.pid 2>/dev/null | while read -r pidfile; do
		as_user "$PGBIN/pg_ctl" -D "$(dirname "$pidfile")" -m immediate stop >/dev/null 2>&1
	done || true
}

say_how_to_look_around() {
	local user=''
	[ "$(id -u)" -ne 0 ] || user='runuser -u postgres -- '
	cat <<TEXT

The server still runs. To look around:
  psql -h $WORK -U postgres ${KEEP_DATABASE:-postgres}
To stop and remove it:
  $user$PGBIN/pg_ctl -D $WORK/data -m fast stop; rm -rf $WORK
TEXT
}

# Objects are kept from one run to the next, apart for each major version.
build_extension() {
	local build=$ROOT/.build/pg$PGMAJOR${INSTRUMENT:+-$INSTRUMENT}
	if ! is_plain_path "$ROOT"; then
		ln -s "$ROOT" "$WORK/checkout"
		ROOT=$WORK/checkout build=$WORK/build
	fi
	mkdir -p "$build" 2>/dev/null && [ -w "$build" ] || build=$WORK/build
	say "building for PostgreSQL $PGMAJOR"
	mkdir -p "$build"
	make_extension "$build" "$PGLIBDIR/bin/pg_config" all
	copy_server
	make_extension "$build" "$PGBIN/pg_config" install
	[ -z "${INSTRUMENT:-}" ] || "instrument_$INSTRUMENT" "$build"
}

# The bitcode for inlining under JIT takes as long to build as everything else
# and is no part of what is shown or tested.  MAKEFLAGS of an outer make speak
# of a job server that is not ours.
make_extension() {
	local flags
	flags=$(printf '%s' "${MAKEFLAGS:-}" | sed 's/ *--jobserver[^ ]*//g; s/ *-j[0-9]*//g')
	if ! MAKEFLAGS=$flags make -C "$1" -f "$ROOT/Makefile" -j "$(nproc)" --no-print-directory \
		PG_CONFIG="$2" with_llvm=no COPT="${INSTRUMENT_FLAGS:-}" "$3" >"$WORK/make.log" 2>&1; then
		cat "$WORK/make.log" >&2
		die "make $3 failed"
	fi
	grep -i 'warning:' "$WORK/make.log" >&2 || true
}

# Programs must be real copies, since they resolve links to find themselves;
# links do for the rest.
copy_server() {
	mkdir -p "$WORK$PGLIBDIR" "$WORK${PGSHAREDIR%/*}" "$WORK/usr/include/postgresql"
	cp -R "$PGLIBDIR/bin" "$WORK$PGLIBDIR/bin"
	cp -Rs "$PGLIBDIR/lib" "$WORK$PGLIBDIR/lib"
	cp -Rs "$PGSHAREDIR" "$WORK$PGSHAREDIR"
	ln -s "/usr/include/postgresql/$PGMAJOR" "$WORK/usr/include/postgresql/$PGMAJOR"
	PGBIN=$WORK$PGLIBDIR/bin
}

start_server() {
	say "starting a throwaway server"
	unset PGHOSTADDR PGPORT PGPASSWORD PGSERVICE PGOPTIONS PGCLIENTENCODING PGDATESTYLE
	export PGHOST=$WORK PGUSER=postgres PGDATABASE=postgres PGTZ=UTC
	export PG_CONFIG=$PGBIN/pg_config PATH=$PGBIN:$PATH LC_ALL=C.UTF-8
	as_user initdb -N -A trust -U postgres -E UTF8 --locale=C.UTF-8 -D "$WORK/data" >"$WORK/initdb.log" 2>&1 ||
		{ cat "$WORK/initdb.log" >&2; die "initdb failed"; }
	# A crash loses nothing that is worth a write to disk.
	cat >>"$WORK/data/postgresql.conf" <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$WORK'
		timezone = 'UTC'
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		max_wal_size = 2GB
		shared_buffers = ${SHARED_BUFFERS:-256MB}
		work_mem = 32MB
		maintenance_work_mem = 256MB
	CONF
	as_user pg_ctl -s -w -D "$WORK/data" -l "$WORK/server.log" start ||
		{ cat "$WORK/server.log" >&2; die "the server did not start"; }
}

# Everything from the bare machine to a running server; takes the functions
# that print what packages are missing.  WELCOME names one that prints those
# without which we go on.
set_up() {
	local packages
	make_work_folder
	choose_major
	packages=$(for list in "$@"; do $list; done)
	install_packages $packages
	install_if_possible $(${WELCOME:-true})
	[ "$(id -u)" -ne 0 ] || chown postgres "$WORK"
	build_extension
	[ "$(id -u)" -ne 0 ] || chown -Rh postgres "$WORK"
	cd "$WORK"
	start_server
}
