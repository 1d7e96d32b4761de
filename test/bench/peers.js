/*
 * peers.js duckdb|clickhouse FOLDER THREADS < statements separated by ";"
 *	  Run the statements in an embedded database in FOLDER.
 *
 * The last one, if it is a SELECT, runs twice: once to warm up, once timed.
 * Its rows go to standard output, fields separated by blanks; milliseconds
 * and peak kilobytes of the process to standard error.
 */
'use strict';
const fs = require('fs');

async function openDuckDb(folder, threads) {
	const { DuckDBInstance } = require('@duckdb/node-api');
	const database = await DuckDBInstance.create(folder + '.duckdb', { threads });
	const connection = await database.connect();
	return async (sql) => {
		const rows = (await connection.runAndReadAll(sql)).getRows();
		return rows.map((row) => row.join(' ') + '\n').join('');
	};
}

async function openClickHouse(folder, threads) {
	const { Session } = require('chdb');
	const session = new Session(folder + '.clickhouse');
	session.query(`SET max_threads = ${threads}`);
	return async (sql) => session.query(sql, 'TSV').replace(/\t/g, ' ');
}

async function main([engine, folder, threads]) {
	const open = { duckdb: openDuckDb, clickhouse: openClickHouse }[engine];
	const run = await open(folder, threads);
	const statements = fs.readFileSync(0, 'utf8').split(';').map((s) => s.trim()).filter((s) => s);
	for (const sql of statements)
		await run(sql);
	const last = statements[statements.length - 1];
	if (/^(SELECT|WITH)/.test(last)) {
		const start = process.hrtime.bigint();
		const rows = await run(last);
		const elapsed = process.hrtime.bigint() - start;
		const peak = /VmHWM:\s*(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1];
		process.stdout.write(rows);
		process.stderr.write(`${Number(elapsed / 1000n) / 1000} ${peak}\n`);
	}
}

main(process.argv.slice(2)).then(() => process.exit(0), (error) => {
	process.stderr.write(`${error.message}\n`);
	process.exit(1);
});
