#!/bin/sh
#
# installcheck_needs.sh BINDIR VERSION
#	  Say what make installcheck needs, where it is not given.
#
# pg_regress and the isolation tester drop and make databases on the server
# that PGHOST and PGPORT lead to, and write their results below this folder.
set -eu
PATH=$1:$PATH
bad=0

needs() {
	echo "make installcheck needs $1" >&2
	bad=1
}

ask() {
	psql -X -A -t -d postgres -c "$1" 2>/dev/null
}

if ! ask 'SELECT 1' >/dev/null; then
	needs "a running server and a role of it named ${PGUSER:-$(id -un)}: set PGHOST, PGPORT and PGUSER, or run it as another user."
elif [ "$(ask 'SELECT rolsuper FROM pg_roles WHERE rolname = current_user')" != t ]; then
	needs "a superuser of the server, which $(ask 'SELECT current_user') is not."
elif [ -z "$(ask "SELECT 1 FROM pg_available_extension_versions WHERE name = 'imbilling' AND version = '$2'")" ]; then
	needs "imbilling $2 installed in that server: run make install, with the same PG_CONFIG."
fi
for folder in . results output_iso; do
	[ ! -e $folder ] || [ -w $folder ] ||
		needs "to write into $(pwd)/$folder as $(id -un): run make -f PATH/Makefile installcheck in another folder."
done
exit $bad
