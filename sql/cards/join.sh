#!/bin/sh
#
# join.sh CARD.json...
#	  Print the SQL that carries the bundled rate cards.
#
# A card's name and first day are its file's: NAME--YYYY-MM-DD.json.  The
# prices stay data in those files; neither C nor SQL repeats one.
set -eu

cat <<'SQL'
/*
 * The rate cards that imbilling brings along, as data.  Generated from
 * the JSON files of sql/cards: edit those.
 */
CREATE FUNCTION @extschema@.im_bundled_cards()
RETURNS TABLE (rate_card text, effective_from date, terms jsonb)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT card.rate_card, card.effective_from, card.terms
	FROM (VALUES
SQL

separator='		'
for file in "$@"; do
	name=$(basename "$file" .json)
	case $name in
		?*--[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]) ;;
		*)
			echo "$file: the name of a card's file must be NAME--YYYY-MM-DD.json" >&2
			exit 1
			;;
	esac
	if grep -q '[$@]' "$file"; then
		echo "$file: a dollar or an at sign would end the quoting in the install script" >&2
		exit 1
	fi
	printf "%s('%s'::pg_catalog.text, '%s'::pg_catalog.date, \$card\$\n" \
		"$separator" "${name%--*}" "${name##*--}"
	cat "$file"
	printf '%s' '$card$::pg_catalog.jsonb)'
	separator=',
		'
done

cat <<'SQL'

	) AS card (rate_card, effective_from, terms);
END;

COMMENT ON FUNCTION @extschema@.im_bundled_cards() IS
'The rate cards that imbilling brings along, a row per version: prices in the currency that terms name, from effective_from on. Raises nothing. im_create_tables() copies them into im_rate_card_version. Source: the vendor''s price pages of those days.';
SQL
