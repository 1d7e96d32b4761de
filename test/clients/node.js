// node-postgres: parameters go apart from the statement, all without a type.
const { Client, types } = require('pg');

const forbidden = `INSERT INTO im_order (app_id, order_id, at, action, item, option, months)
	VALUES (1, 50, '2023-03-12', 'buy', 'plan', 'pro', 1)`;

function told(what, got, expected) {
	const good = got === expected;
	console.log((good ? 'ok - ' : 'not ok - ') + what + (good ? '' : ': ' + String(got)));
}

async function main() {
	const client = new Client();
	const ask = async (query, values) => Object.values((await client.query(query, values)).rows[0] ?? {})[0];
	const refused = async (what, query, values, state) => {
		const code = await client.query(query, values).then(() => 'nothing', (error) => error.code);
		told(what, code, state);
		await client.query('ROLLBACK');
	};

	await client.connect();
	told('a month is a string, money comes as one', await ask('SELECT im_monthly_total($1, $2)', [1, '2023-03']), '9956.22');
	await refused('a Date is refused as a month', 'SELECT im_monthly_total($1, $2)', [1, new Date(2023, 2, 1)], '22007');
	told('bigint comes as a string', await ask('SELECT app_id FROM im_app WHERE app_id = $1', ['9007199254740993']), '9007199254740993');
	told('a Number that large is another app', await ask('SELECT app_id FROM im_app WHERE app_id = $1', [9007199254740993]), undefined);
	const month = await ask("SELECT month FROM im_monthly_bill(1, '2023-03')");
	// from pg-types 4 on
	if (typeof month === 'string')
		told('a date comes as a string', month, '2023-03-01');
	else
		told('a date comes as midnight of the local zone', `${month.getFullYear()} ${month.getMonth()} ${month.getDate()}`, '2023 2 1');
	types.setTypeParser(types.builtins.DATE, (text) => text);
	told('unless it is left a string', await ask("SELECT month FROM im_monthly_bill(1, '2023-03')"), '2023-03-01');
	told('money in jsonb is a float', await ask("SELECT items -> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), 999);
	told('unless it is taken as text', await ask("SELECT items ->> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), '999.00');
	await refused('im_quote is found twice', 'SELECT amount FROM im_quote($1, $2)', ['pro', 3], '42725');
	told('a cast tells which is meant', await ask("SELECT currency FROM im_quote($1::text, $2)", ['pro', 3]), 'CNY');
	const card = await ask("SELECT im_bundled_card('cn', '2019-12-10')::jsonb");
	told('a card is an object', await ask('SELECT amount FROM im_quote($1::im_rate_card, $2)', [card, 'pro']), '999.00');
	await client.query('BEGIN');
	await client.query(forbidden);
	await refused('an order is refused at commit', 'COMMIT', [], '23514');
	await client.query('BEGIN');
	await client.query(forbidden);
	await refused('or when it is asked for', 'SET CONSTRAINTS ALL IMMEDIATE', [], '23514');
	await refused('or at once without a transaction', forbidden, [], '23514');
	await client.query('BEGIN');
	await refused('CALL im_close_month is refused in a transaction', 'CALL im_close_month($1)', ['2022-01'], '25001');
	told('and runs outside of one', (await client.query('CALL im_close_month($1, $2)', ['2022-01', 100])).command, 'CALL');
	await client.end();
}

main().catch((error) => {
	console.log('not ok - ' + error);
	process.exit(1);
});
