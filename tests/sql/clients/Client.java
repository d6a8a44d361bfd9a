// The JDBC driver: greeting, typed columns, prepared statements, metadata, errors; as it is configured by itself.
import java.sql.*;
import java.util.*;

public class Client {
    public static void main(String[] given) throws Exception {
        Class.forName("com.clickhouse.jdbc.Driver"); // run from its source, it is not found by itself
        Properties as = new Properties();
        as.put("user", "java");
        as.put("password", given[1]);
        try (Connection made = DriverManager.getConnection(given[0], as)) {
            check(made.isValid(5), "ping");
            check(made.getMetaData().getDatabaseProductVersion().startsWith("26."), "version");
            try (Statement asked = made.createStatement();
                    ResultSet rows = asked.executeQuery(
                            "SELECT session_id, exchanges, started_at, replay_url FROM v_sessions WHERE principal = 'ann'")) {
                check(rows.next(), "a row");
                check(rows.getString(1).equals(given[2]), "session_id " + rows.getString(1));
                check(rows.getLong("exchanges") == 20, "exchanges");
                check(rows.getTimestamp("started_at").toInstant().toString().startsWith("2026-"), "started_at");
                check(rows.getString("replay_url").startsWith("/sessions/"), "replay_url");
                check(!rows.next(), "one row");
            }
            try (PreparedStatement asked = made.prepareStatement("SELECT count() FROM v_sessions WHERE principal = ?")) {
                asked.setString(1, "' OR 1=1 --");
                try (ResultSet rows = asked.executeQuery()) {
                    check(rows.next() && rows.getLong(1) == 0, "a parameter is a value");
                }
            }
            try (Statement asked = made.createStatement();
                    ResultSet rows = asked.executeQuery("SELECT number, toString(number) FROM numbers(100000)")) {
                long sum = 0;
                while (rows.next()) sum += rows.getLong(1);
                check(sum == 4999950000L, "all rows");
            }
            Set<String> columns = new HashSet<>();
            try (ResultSet rows = made.getMetaData().getColumns(null, "audit", "v_sessions", null)) {
                while (rows.next()) columns.add(rows.getString("COLUMN_NAME"));
            }
            check(columns.contains("replay_url"), "metadata " + columns);
            try (Statement asked = made.createStatement()) {
                asked.executeQuery("SELECT file('/etc/passwd')");
                check(false, "file() must be refused");
            } catch (SQLException refused) {
                check(refused.getMessage().contains("not available here"), refused.getMessage());
            }
        }
        System.out.println("ok");
    }

    private static void check(boolean holds, String what) {
        if (!holds) throw new AssertionError(what);
    }
}
