#!/bin/bash
#
# pgtap_file.sh FILE.sql
#	  Run one pgTAP file in a fresh copy of the template database.
set -euo pipefail

database=pgtap_$(basename "$1" .sql)
createdb -T pgtap_template "$database"
status=0
psql -X -q -A -t -d "$database" --pset pager=off -v ON_ERROR_STOP=1 -f "$1" || status=$?
dropdb "$database"
exit $status
