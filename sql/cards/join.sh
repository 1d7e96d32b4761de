#!/bin/sh
#
# join.sh CARD.json...
#	  Print the SQL that carries the bundled rate cards, and those of other
#	  vendors, which are the files of a folder "others".
#
# A card's name and first day are its file's: NAME--YYYY-MM-DD.json.  The
# prices stay data in those files; neither C nor SQL repeats one.
set -eu

# The rows of a VALUES list: a card each, of the files of others or not of them.
rows()
{
	others=$1
	shift
	separator='		'
	for file in "$@"; do
		case $file in
			*/others/*) theirs=yes ;;
			*) theirs=no ;;
		esac
		[ "$theirs" = "$others" ] || continue
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
		printf "%s('%s'::pg_catalog.text, '%s'::pg_catalog.date, \$card\$%s\$card\$::pg_catalog.jsonb)" \
			"$separator" "${name%--*}" "${name##*--}" "$(tr -s '\n ' '  ' < "$file")"
		separator=',
		'
	done
}

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
rows no "$@"
cat <<'SQL'

	) AS card (rate_card, effective_from, terms);
END;

COMMENT ON FUNCTION @extschema@.im_bundled_cards() IS
'The rate cards that imbilling brings along, a row per version: prices in the currency that terms name, from effective_from on. Raises nothing. im_create_tables() copies them into im_rate_card_version. Source: the vendor''s price pages of those days.';

CREATE FUNCTION @extschema@.im_cards_of_others()
RETURNS TABLE (rate_card text, effective_from date, terms jsonb, source text, read_on date, remark text)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
	SELECT card.rate_card, card.effective_from, card.file OPERATOR(pg_catalog.->) 'terms'::pg_catalog.text,
		card.file OPERATOR(pg_catalog.#>>) '{about,source}'::pg_catalog.text[],
		(card.file OPERATOR(pg_catalog.#>>) '{about,read_on}'::pg_catalog.text[])::pg_catalog.date,
		card.file OPERATOR(pg_catalog.#>>) '{about,remark}'::pg_catalog.text[]
	FROM (VALUES
SQL
rows yes "$@"
cat <<'SQL'

	) AS card (rate_card, effective_from, file);
END;

COMMENT ON FUNCTION @extschema@.im_cards_of_others() IS
'The rate cards of other vendors, a row per version: prices in the currency that terms name, where they were read (source, read_on), and in remark how surely, what the card says in another way than the page and what it leaves out. Raises nothing. im_bundled_card() reads them; im_create_tables() does not copy them.';
SQL
