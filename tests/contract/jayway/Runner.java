import com.jayway.jsonpath.*;
import java.io.*;
import java.math.*;
import java.nio.charset.StandardCharsets;
import java.util.*;

/** Reads lines base64(expression) TAB base64(document); answers one JSON line each. */
public class Runner {
    static void str(StringBuilder b, String s) {
        b.append('"');
        for (int i = 0; i < s.length(); i++) {
            char c = s.charAt(i);
            if (c == '"' || c == '\\') b.append('\\').append(c);
            else if (c < 32 || c > 126) b.append(String.format("\\u%04x", (int) c));
            else b.append(c);
        }
        b.append('"');
    }
    static void put(StringBuilder b, Object o) {
        if (o == null) b.append("null");
        else if (o instanceof String) str(b, (String) o);
        else if (o instanceof Boolean) b.append(o);
        else if (o instanceof Integer || o instanceof Long || o instanceof BigInteger) b.append(o);
        else if (o instanceof Double || o instanceof Float) {
            double d = ((Number) o).doubleValue();
            if (Double.isInfinite(d)) b.append(d > 0 ? "1e400" : "-1e400"); else b.append(o);
        }
        else if (o instanceof BigDecimal) { b.append("{\"BIGDECIMAL\":"); str(b, o.toString()); b.append('}'); }
        else if (o instanceof Map) {
            b.append('{'); boolean first = true;
            for (Map.Entry<?, ?> e : ((Map<?, ?>) o).entrySet()) {
                if (!first) b.append(','); first = false;
                str(b, (String) e.getKey()); b.append(':'); put(b, e.getValue());
            }
            b.append('}');
        } else if (o instanceof Collection) { // the keys of an object are a Set
            b.append('['); boolean first = true;
            for (Object e : (Collection<?>) o) { if (!first) b.append(','); first = false; put(b, e); }
            b.append(']');
        } else { b.append("{\"CLASS\":"); str(b, o.getClass().getName()); b.append('}'); }
    }
    static void eval(StringBuilder b, JsonPath p, Object doc, String key) {
        try {
            Object r = p.read(doc, Configuration.defaultConfiguration());
            b.append(",\"").append(key).append("\":"); put(b, r);
        } catch (Throwable t) {
            b.append(",\"").append(key).append("_error\":"); str(b, t.getClass().getSimpleName());
            if (key.equals("result")) { b.append(",\"message\":"); str(b, String.valueOf(t.getMessage())); }
        }
    }
    public static void main(String[] a) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, "US-ASCII");
        Object polluter = Configuration.defaultConfiguration().jsonProvider().parse("[[{\"a\":[1,2]}],[2,{\"b\":[3,[4]]}],{\"a\":[{\"a\":1}]}]");
        for (String line; (line = in.readLine()) != null; ) {
            String[] f = line.split("\t", -1);
            String expr = new String(Base64.getDecoder().decode(f[0]), StandardCharsets.UTF_8);
            // Afresh for each line: append() changes it.
            Object doc = Configuration.defaultConfiguration().jsonProvider().parse(new String(Base64.getDecoder().decode(f[1]), StandardCharsets.UTF_8));
            StringBuilder b = new StringBuilder("{");
            JsonPath p = null;
            try { p = JsonPath.compile(expr); b.append("\"definite\":").append(p.isDefinite()); }
            catch (Throwable t) { b.append("\"compile_error\":"); str(b, t.getClass().getSimpleName()); b.append(",\"message\":"); str(b, String.valueOf(t.getMessage())); }
            if (p != null) {
                eval(b, p, doc, "result");
                try { p.read(polluter, Configuration.defaultConfiguration()); } catch (Throwable t) { }
                eval(b, p, doc, "again");
            }
            out.println(b.append('}'));
            if (!in.ready()) out.flush();
        }
        out.flush();
    }
}
