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

/*
 * What is not public is out of everybody's reach: nobody else may create here,
 * so that no call of ours can mean a stranger's function.
 */
CREATE SCHEMA im_internal;
COMMENT ON SCHEMA im_internal IS
'What the extension imbilling calls of itself. Nothing here is public: any of it may change with any version.';
REVOKE ALL ON SCHEMA im_internal FROM PUBLIC;
GRANT USAGE ON SCHEMA im_internal TO PUBLIC;
