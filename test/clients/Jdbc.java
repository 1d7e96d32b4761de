// JDBC: a String is sent as varchar, which is no month and no card.
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.LocalDate;

public class Jdbc {
	static final String FORBIDDEN = "INSERT INTO im_order (app_id, order_id, at, action, item, option, months)"
		+ " VALUES (1, 50, '2023-03-12', 'buy', 'plan', 'pro', 1)";
	static Connection connection;

	static Object ask(String query, Object... values) throws SQLException {
		try (PreparedStatement statement = connection.prepareStatement(query)) {
			for (int i = 0; i < values.length; i++)
				statement.setObject(i + 1, values[i]);
			if (!statement.execute())
				return null;
			ResultSet rows = statement.getResultSet();
			return rows.next() ? rows.getObject(1) : null;
		}
	}

	static void told(String what, Object got, Object expected) {
		boolean good = got == null ? expected == null : got.equals(expected);
		System.out.println((good ? "ok - " : "not ok - ") + what + (good ? "" : ": " + got));
	}

	interface Action { void run() throws SQLException; }

	static void refused(String what, String state, Action action) throws SQLException {
		try {
			action.run();
			told(what, "nothing", state);
		} catch (SQLException error) {
			told(what, error.getSQLState(), state);
		}
		if (!connection.getAutoCommit())
			connection.rollback();
	}

	public static void main(String[] urls) throws SQLException {
		String total = "SELECT im_monthly_total(?, ?)";
		BigDecimal march = new BigDecimal("9956.22");

		connection = DriverManager.getConnection(urls[0]);
		refused("a String is no month", "42883", () -> ask(total, 1L, "2023-03"));
		told("with a cast it is", ask("SELECT im_monthly_total(?, ?::im_month)", 1L, "2023-03"), march);
		told("a LocalDate stands for its month", ask(total, 1L, LocalDate.of(2023, 3, 1)), march);
		refused("a java.sql.Date does not", "22007", () -> ask(total, 1L, Date.valueOf("2023-03-01")));
		told("with a cast it does", ask("SELECT im_monthly_total(?, ?::date)", 1L, Date.valueOf("2023-03-01")), march);
		told("a card needs one too", ask("SELECT amount FROM im_quote(?::im_rate_card, ?)",
			ask("SELECT im_bundled_card('cn', '2019-12-10')::text"), "pro"), new BigDecimal("999.00"));
		told("the number of a line is an Integer", ask("SELECT line FROM im_bi_bill_line WHERE month = ?", LocalDate.of(2023, 3, 1)), 1);
		told("jsonb and ranges are texts in a PGobject", ask("SELECT period FROM im_monthly_bill(1, '2023-03')").toString(), "[2023-03-01,2023-06-01)");
		told("money in jsonb is taken as text", ask("SELECT items ->> 'plan' FROM im_cheapest_plan(1, '2023-03') WHERE rank = 1"), "999.00");
		ask("CALL im_close_month(?::im_month)", "2022-01");
		told("CALL runs with autocommit", ask("SELECT state FROM im_close_progress WHERE month = '2022-01-01'"), "closed");
		refused("the escape {call ...} makes a SELECT of it", "42809", () -> connection.prepareCall("{call im_close_month('2022-01')}").execute());
		connection.setAutoCommit(false);
		refused("CALL is refused without autocommit", "25001", () -> ask("CALL im_close_month(?::im_month)", "2022-01"));
		ask(FORBIDDEN);
		refused("an order is refused at commit", "23514", () -> connection.commit());
		ask(FORBIDDEN);
		refused("or when it is asked for", "23514", () -> ask("SET CONSTRAINTS ALL IMMEDIATE"));
		connection.close();
		connection = DriverManager.getConnection(urls[0] + "&stringtype=unspecified&escapeSyntaxCallMode=call");
		told("with stringtype=unspecified a String is a month", ask(total, 1L, "2023-03"), march);
		connection.prepareCall("{call im_close_month('2022-01')}").execute();
		told("with escapeSyntaxCallMode=call the escape calls", true, true);
	}
}
