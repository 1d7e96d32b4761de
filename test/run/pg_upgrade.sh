#!/bin/bash
#
# pg_upgrade.sh
#	  What make matrix does in a root: makes a metered, half closed database, or
#	  takes the one of an older release by pg_upgrade, and compares what it says.
#
# pg_upgrade.sh begin BOX   makes the database, and leaves all of it in the box
# pg_upgrade.sh go_on BOX   upgrades the box's database, and leaves it there
#
# The box holds data, an older server's files and the libraries that it needs,
# and what the database said.
set -euo pipefail
. "$(dirname "$0")/server.sh"

BOX=$2

pg_ctl_books() {
	as_user "$PGBIN/pg_ctl" -s -w -D "$1" -l "$WORK/server.log" "$2" ||
		{ cat "$WORK/server.log" >&2; die "pg_ctl $2 failed"; }
}

ask_state() {
	as_user psql -X -q -A -t -v ON_ERROR_STOP=1 -d books <"$ROOT/test/run/pg_upgrade_state.sql"
}

# The server is a copy that finds its files relative to its own program.
leave_box() {
	local library
	rm -rf "$BOX"
	mkdir -p "$BOX/libraries"
	ask_state >"$BOX/state"
	pg_ctl_books "$1" stop
	cp -R "$1" "$BOX/data"
	cp -RL "$WORK/usr" "$BOX/usr"
	ldd "$BOX$PGLIBDIR"/bin/* "$BOX$PGLIBDIR"/lib/*.so 2>/dev/null | sed -n 's/^.* => \(\/[^ ]*\) .*$/\1/p' | sort -u |
		while read -r library; do
			cp -L "$library" "$BOX/libraries"
		done
	echo "$PGMAJOR" >"$BOX/major"
}

begin() {
	set_up missing_for_server
	as_user createdb books
	as_user psql -X -q -v ON_ERROR_STOP=1 -d books <"$ROOT/test/run/pg_upgrade_books.sql" >/dev/null
	leave_box "$WORK/data"
	say "PostgreSQL $PGMAJOR: a database of $(wc -l <"$BOX/state") facts"
}

# What this release has itself stays: libraries of C look back far enough.
lend_libraries() {
	local library
	for library in "$BOX"/libraries/*; do
		ldconfig -p | grep -qF "${library##*/} " || cp "$library" /usr/local/lib
	done
	ldconfig
}

go_on() {
	local major
	set_up missing_for_server
	major=$(cat "$BOX/major")
	pg_ctl_books "$WORK/data" stop
	lend_libraries
	chown -R postgres "$BOX"
	chmod 700 "$BOX/data"
	as_user initdb -N -A trust -U postgres -E UTF8 --locale=C.UTF-8 ${CHECKSUMS:-} -D "$WORK/new" >"$WORK/initdb.log"
	cp "$WORK/data/postgresql.conf" "$WORK/new"
	sed -i "s|^unix_socket_directories.*|unix_socket_directories = '$WORK'|" "$BOX/data/postgresql.conf"
	as_user pg_upgrade -U postgres -b "$BOX/usr/lib/postgresql/$major/bin" -B "$PGBIN" \
		-d "$BOX/data" -D "$WORK/new" >"$WORK/upgrade.log" 2>&1 ||
		{ cat "$WORK/upgrade.log" >&2; die "pg_upgrade from $major to $PGMAJOR failed"; }
	mv "$BOX/state" "$WORK/state"
	pg_ctl_books "$WORK/new" start
	leave_box "$WORK/new"
	told=yes
	diff "$WORK/state" "$BOX/state" || die "what the database says differs between PostgreSQL $major and $PGMAJOR"
	say "PostgreSQL $major to $PGMAJOR: the same $(wc -l <"$BOX/state") facts"
}

"$1"
