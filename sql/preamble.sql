/*
 * imbilling: usage billing for instant messaging.
 *
 * The install script is joined from the files of sql/ in the order that the
 * Makefile names.  It brings types, functions, operators and aggregates and
 * not one table: im_create_tables() makes those, so that no row of money
 * depends on the extension.
 */
\echo Use "CREATE EXTENSION imbilling" to load this file. \quit

/*
 * Whoever may create in the extension's schema has no say in what follows:
 * operators and types without a schema are the server's own.  It lasts until
 * the script ends.
 */
SET LOCAL search_path = pg_catalog, pg_temp;
