#!/bin/bash
#
# dist.sh NAME [FOLDER]
#	  What make dist does: packs what is committed into NAME.zip, with NAME/
#	  before every path, as PGXN takes it; into the folder, or the top of the tree.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -n "$(git status --porcelain)" ]; then
	echo 'What is not committed is not packed:' >&2
	git status --short >&2
fi
git archive --format=zip --prefix="$1/" --output="${2:-.}/$1.zip" HEAD
echo "${2:-.}/$1.zip"
