import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.lang.reflect.Array;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import org.apache.velocity.Template;
import org.apache.velocity.VelocityContext;
import org.apache.velocity.app.event.InvalidReferenceEventHandler;
import org.apache.velocity.context.Context;
import org.apache.velocity.runtime.RuntimeInstance;
import org.apache.velocity.runtime.directive.ForeachScope;
import org.apache.velocity.runtime.RuntimeServices;
import org.apache.velocity.runtime.parser.Parser;
import org.apache.velocity.util.introspection.Info;
import org.apache.velocity.util.introspection.UberspectImpl;
import org.apache.velocity.util.introspection.VelMethod;
import org.apache.velocity.util.introspection.VelPropertyGet;
import org.apache.velocity.util.introspection.VelPropertySet;

/**
 * Renders templates with Apache Velocity 1.7, set up as the service has it.
 *
 * <p>It reads cases from standard input, one a line: a template and a payload of JSON, each in
 * base64, with a blank between them. For each it writes a line: "ok", "parse", "exec" or "skip", a
 * blank, and in base64 the output, the exception, or the name of a row of the table of differences.
 */
public final class Oracle {
  /** Why the case that runs now has no answer; null if it has one. */
  static String skipped;

  public static void main(String[] args) throws Exception {
    RuntimeInstance engine = engine();
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    PrintStream out = new PrintStream(System.out, false, "US-ASCII");
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] fields = line.split(" ", -1);
      out.println(render(engine, decode(fields[0]), decode(fields[1])));
      if (!in.ready()) {
        out.flush();
      }
    }
    out.flush();
  }

  static RuntimeInstance engine() {
    Properties p = new Properties();
    p.setProperty("runtime.log.logsystem.class", "org.apache.velocity.runtime.log.NullLogChute");
    p.setProperty("velocimacro.permissions.allow.inline", "false");
    p.setProperty("directive.foreach.maxloops", "1000");
    p.setProperty("eventhandler.invalidreferences.class", Nothing.class.getName());
    p.setProperty("runtime.introspector.uberspect", Closed.class.getName());
    p.setProperty("parser.pool.class", Parsers.class.getName());
    p.setProperty("resource.loader", "string");
    p.setProperty(
        "string.resource.loader.class",
        "org.apache.velocity.runtime.resource.loader.StringResourceLoader");
    RuntimeInstance engine = new RuntimeInstance();
    engine.init(p);
    engine.removeDirective("evaluate");
    return engine;
  }

  static String render(RuntimeInstance engine, String text, String body) {
    skipped = null;
    String kind = "parse";
    String result;
    try {
      Template t = new Template();
      t.setRuntimeServices(engine);
      t.setName("template");
      t.setData(engine.parse(new StringReader(text), "template", true));
      t.initDocument();
      kind = "exec";
      StringWriter writer = new StringWriter();
      t.merge(context(body), writer);
      kind = "ok";
      result = writer.toString();
    } catch (Throwable e) {
      result = e.toString();
    }
    if (skipped != null) {
      kind = "skip";
      result = skipped;
    }
    return kind + " " + encode(result);
  }

  static Context context(String body) {
    VelocityContext c = new VelocityContext();
    c.put("input", new Input(body));
    c.put("util", new Util());
    c.put("stageVariables", map("a", "1", "b", "two"));
    c.put(
        "context",
        map(
            "stage",
            "live",
            "n",
            1700000000000L,
            "identity",
            map("sourceIp", "192.0.2.7"),
            "requestOverride",
            map("path", map(), "header", map(), "querystring", map()),
            "responseOverride",
            map("header", map())));
    return c;
  }

  static Map<String, Object> map(Object... members) {
    Map<String, Object> m = new LinkedHashMap<>();
    for (int i = 0; i < members.length; i += 2) {
      m.put((String) members[i], members[i + 1]);
    }
    return m;
  }

  static String decode(String text) {
    return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
  }

  /** Half of a surrogate pair is U+FFFD, as it is in every text in UTF-8. */
  static String encode(String text) {
    StringBuilder b = new StringBuilder();
    text.codePoints()
        .forEach(c -> b.appendCodePoint(c >= 0xd800 && c <= 0xdfff ? 0xfffd : c));
    return Base64.getEncoder().encodeToString(b.toString().getBytes(StandardCharsets.UTF_8));
  }

  /** Gives a new parser each time: a parser remembers the macros of the last template. */
  public static final class Parsers implements org.apache.velocity.runtime.ParserPool {
    RuntimeServices engine;

    public void initialize(RuntimeServices rs) {
      engine = rs;
    }

    public Parser get() {
      return engine.createNewParser();
    }

    public void put(Parser parser) {}
  }

  /** What has no value is empty text. */
  public static final class Nothing implements InvalidReferenceEventHandler {
    public Object invalidGetMethod(Context c, String ref, Object of, String property, Info i) {
      return "";
    }

    public boolean invalidSetMethod(Context c, String left, String right, Info i) {
      return false;
    }

    public Object invalidMethod(Context c, String ref, Object of, String method, Info i) {
      return "";
    }
  }

  /** Finds only the methods and the properties that the service is known to have. */
  public static final class Closed extends UberspectImpl {
    static final Map<Class<?>, Set<String>> METHODS = new LinkedHashMap<>();

    static void methods(Class<?> of, String names) {
      METHODS.put(of, new HashSet<>(Arrays.asList(names.split(" "))));
    }

    static {
      methods(
          String.class,
          "length isEmpty isBlank charAt codePointAt substring indexOf lastIndexOf contains"
              + " startsWith endsWith equals contentEquals equalsIgnoreCase compareTo"
              + " compareToIgnoreCase matches replace replaceAll replaceFirst split toLowerCase"
              + " toUpperCase trim strip stripLeading stripTrailing concat repeat toString intern"
              + " hashCode format valueOf toCharArray");
      methods(
          List.class,
          "size isEmpty get add addAll set remove removeAll retainAll contains containsAll indexOf"
              + " lastIndexOf subList clear equals hashCode toString iterator count");
      methods(
          ForeachScope.class,
          "getIndex getCount hasNext getHasNext isFirst getFirst isLast getLast getParent"
              + " getTopmost getReplaced get put putAll putIfAbsent getOrDefault replace"
              + " containsKey containsValue remove size isEmpty keySet values entrySet clear"
              + " equals hashCode toString");
      methods(
          Map.class,
          "get put putAll putIfAbsent getOrDefault replace containsKey containsValue remove size"
              + " isEmpty keySet values entrySet clear equals hashCode toString");
      methods(Map.Entry.class, "getKey getValue setValue equals hashCode toString");
      methods(
          Collection.class,
          "size isEmpty contains containsAll remove iterator toArray equals hashCode toString");
      methods(Iterator.class, "hasNext next");
      methods(
          Number.class,
          "intValue longValue shortValue byteValue doubleValue floatValue isNaN isInfinite"
              + " compareTo equals hashCode toString parseInt parseLong parseDouble valueOf"
              + " toHexString toBinaryString toOctalString compare max min sum");
      methods(
          Boolean.class, "booleanValue compareTo equals hashCode toString parseBoolean valueOf");
      methods(Character.class, "equals hashCode toString");
      methods(Input.class, "path json params");
      methods(
          Util.class,
          "escapeJavaScript parseJson urlEncode urlDecode base64Encode base64Decode");
    }

    static Set<String> of(Object o) {
      for (Map.Entry<Class<?>, Set<String>> e : METHODS.entrySet()) {
        if (e.getKey().isInstance(o)) {
          return e.getValue();
        }
      }
      return null;
    }

    /** Tells whether an object is a number of a type that it need not have. */
    static boolean isNarrow(Object o) {
      return o instanceof Byte
          || o instanceof Short
          || o instanceof Float
          || o instanceof Long && ((Long) o).intValue() == (Long) o
          || o instanceof java.math.BigInteger && ((java.math.BigInteger) o).bitLength() < 64;
    }

    @Override
    public VelMethod getMethod(Object o, String name, Object[] args, Info i) throws Exception {
      if (o != null) {
        Set<String> names = o.getClass().isArray() ? METHODS.get(List.class) : of(o);
        if (names == null) {
          skipped = "objects";
          return null;
        }
        if (!names.contains(name)) {
          return null;
        }
        if (isNarrow(o)) {
          skipped = "types";
        }
        for (Object arg : args) {
          if (isNarrow(arg)) {
            skipped = "types";
          }
        }
        if (name.equals("hashCode") && !(o instanceof Set) && !(o instanceof List)
            && (o instanceof Collection || o instanceof Iterator || o.getClass().isArray())) {
          skipped = "addresses";
        }
        if (name.equals("count") && args.length == 0) {
          name = "size";
        }
        if (name.equals("toArray") && args.length > 0) {
          return null;
        }
      }
      return super.getMethod(o, name, args, i);
    }

    @Override
    public VelPropertyGet getPropertyGet(Object o, String name, Info i) throws Exception {
      boolean closed = name.equalsIgnoreCase("class") || name.equalsIgnoreCase("info");
      if (closed && o instanceof Map) {
        return new Member(name);
      }
      if (closed
          || o instanceof String && !name.equals("empty")
          || o instanceof Input && !name.equals("body")) {
        return null;
      }
      return super.getPropertyGet(o, name, i);
    }
  }

  /** A member of a map, whatever its class has under the name. */
  static final class Member implements VelPropertyGet {
    final String name;

    Member(String name) {
      this.name = name;
    }

    public Object invoke(Object o) {
      return ((Map<?, ?>) o).get(name);
    }

    public boolean isCacheable() {
      return false;
    }

    public String getMethodName() {
      return "get";
    }
  }

  /** $input. */
  public static final class Input {
    final String text;
    Object root;
    boolean parsed;

    Input(String text) {
      this.text = text;
    }

    public String getBody() {
      return text.isEmpty() ? "{}" : text;
    }

    /** Follows a definite path; the other paths are a language of their own. */
    public Object path(String path) {
      if (path == null) {
        skipped = "null path";
        return null;
      }
      if (!parsed) {
        parsed = true;
        root = new Reader(getBody()).document();
      }
      if (!path.matches("\\$(\\.[A-Za-z]+|\\['[a-z]+'\\]|\\[-?[0-9]\\])*")) {
        skipped = "paths";
        return null;
      }
      Object v = root;
      for (String step : path.substring(1).split("(?=[.\\[])")) {
        if (step.isEmpty()) {
          continue;
        }
        String name = step.replaceAll("[.\\[\\]']", "");
        if (step.startsWith(".") || step.startsWith("['")) {
          v = v instanceof Map ? ((Map<?, ?>) v).get(name) : null;
        } else if (v instanceof List) {
          List<?> l = (List<?>) v;
          int i = Integer.parseInt(name);
          i = i < 0 ? i + l.size() : i;
          v = i >= 0 && i < l.size() ? l.get(i) : null;
        } else {
          v = null;
        }
      }
      return v;
    }

    public String json(String path) {
      Object v = path(path);
      return v == null ? "\"\"" : Json.write(new StringBuilder(), v, false).toString();
    }

    public Object params() {
      return all;
    }

    final Map<String, Object> all =
        map(
            "path", map(),
            "querystring", map("q", "1", "dup", "qs"),
            "header", map("X-A", "h1", "dup", "hd"));

    public Object params(String name) {
      for (Object part : all.values()) {
        if (part instanceof Map && ((Map<?, ?>) part).containsKey(name)) {
          return ((Map<?, ?>) part).get(name);
        }
      }
      return null;
    }

    @Override
    public String toString() {
      return "";
    }
  }

  /** $util, of which all methods take one text. */
  public static final class Util {
    static String text(Object o) {
      if (o == null) {
        skipped = "null argument of $util";
        return "";
      }
      return o.toString();
    }

    public String base64Encode(Object o) {
      return Base64.getEncoder().encodeToString(text(o).getBytes(StandardCharsets.UTF_8));
    }

    public String base64Decode(Object o) {
      skipped = "decoders";
      return "";
    }

    public String urlDecode(Object o) {
      skipped = "decoders";
      return "";
    }

    public Object parseJson(Object o) {
      String s = text(o);
      return s.isEmpty() ? null : new Reader(s).document();
    }

    public String urlEncode(Object o) throws Exception {
      return java.net.URLEncoder.encode(text(o), "UTF-8");
    }

    public String escapeJavaScript(Object o) {
      return org.apache.commons.lang.StringEscapeUtils.escapeJavaScript(text(o));
    }

    @Override
    public String toString() {
      return "";
    }
  }

  /** A list that came out of JSON, and prints as such. */
  public static final class JsonList extends ArrayList<Object> {
    @Override
    public String toString() {
      return Json.write(new StringBuilder(), this, true).toString();
    }
  }

  static final class Json {
    static StringBuilder write(StringBuilder b, Object v, boolean slash) {
      if (v instanceof Double && ((Double) v).isInfinite()) {
        return b.append("null");
      }
      if (v == null || v instanceof Number || v instanceof Boolean) {
        return b.append(v);
      }
      if (v instanceof String) {
        return quote(b, (String) v, slash);
      }
      String separator = "";
      if (v instanceof List) {
        b.append('[');
        for (Object item : (List<?>) v) {
          write(b.append(separator), item, slash);
          separator = ",";
        }
        return b.append(']');
      }
      if (v instanceof Map) {
        b.append('{');
        for (Map.Entry<?, ?> e : ((Map<?, ?>) v).entrySet()) {
          quote(b.append(separator), String.valueOf(e.getKey()), slash).append(':');
          write(b, e.getValue(), slash);
          separator = ",";
        }
        return b.append('}');
      }
      skipped = "objects in JSON";
      return b;
    }

    static StringBuilder quote(StringBuilder b, String s, boolean slash) {
      b.append('"');
      for (char c : s.toCharArray()) {
        int i = "\"\\/\b\f\n\r\t".indexOf(c);
        if (i >= 0 && (c != '/' || slash)) {
          b.append('\\').append("\"\\/bfnrt".charAt(i));
        } else if (c < ' ' || c >= 0x7f && c <= 0x9f || c >= 0x2000 && c <= 0x20ff) {
          b.append(String.format("\\u%04X", (int) c));
        } else {
          b.append(c);
        }
      }
      return b.append('"');
    }
  }

  /** Reads JSON. What is none is left to the tests of that: cases with it are skipped. */
  static final class Reader {
    final String s;
    int i;

    Reader(String s) {
      this.s = s;
    }

    Object document() {
      try {
        Object v = value();
        blanks();
        if (i < s.length()) {
          throw new IllegalArgumentException("more");
        }
        return v;
      } catch (RuntimeException e) {
        skipped = "payloads";
        return null;
      }
    }

    void blanks() {
      while (i < s.length() && " \t\r\n".indexOf(s.charAt(i)) >= 0) {
        i++;
      }
    }

    boolean accept(char c) {
      blanks();
      if (i < s.length() && s.charAt(i) == c) {
        i++;
        return true;
      }
      return false;
    }

    void want(char c) {
      if (!accept(c)) {
        throw new IllegalArgumentException("want " + c);
      }
    }

    Object value() {
      if (accept('{')) {
        Map<String, Object> m = new LinkedHashMap<>();
        for (boolean more = !accept('}'); more; more = !accept('}')) {
          if (!m.isEmpty()) {
            want(',');
          }
          want('"');
          String name = string();
          want(':');
          m.put(name, value());
        }
        return m;
      }
      if (accept('[')) {
        List<Object> l = new JsonList();
        for (boolean more = !accept(']'); more; more = !accept(']')) {
          if (!l.isEmpty()) {
            want(',');
          }
          l.add(value());
        }
        return l;
      }
      if (accept('"')) {
        return string();
      }
      int start = i;
      while (i < s.length() && ",]} \t\r\n".indexOf(s.charAt(i)) < 0) {
        i++;
      }
      return scalar(s.substring(start, i));
    }

    Object scalar(String word) {
      switch (word) {
        case "true":
          return true;
        case "false":
          return false;
        case "null":
          return null;
        default:
      }
      if (word.matches("-?(0|[1-9][0-9]*)")) {
        java.math.BigInteger n = new java.math.BigInteger(word);
        if (n.bitLength() < 32) {
          return n.intValue();
        }
        return n.bitLength() < 64 ? (Object) n.longValue() : n;
      }
      if (!word.matches("-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?")) {
        throw new IllegalArgumentException(word);
      }
      return word.length() > 18 ? (Object) new java.math.BigDecimal(word) : Double.valueOf(word);
    }

    String string() {
      StringBuilder b = new StringBuilder();
      for (char c = s.charAt(i++); c != '"'; c = s.charAt(i++)) {
        if (c != '\\') {
          b.append(c);
          continue;
        }
        c = s.charAt(i++);
        int n = "bfnrt".indexOf(c);
        if (c == 'u') {
          b.append((char) Integer.parseInt(s.substring(i, i + 4), 16));
          i += 4;
        } else if (n >= 0) {
          b.append("\b\f\n\r\t".charAt(n));
        } else if ("\"\\/".indexOf(c) >= 0) {
          b.append(c);
        } else {
          throw new IllegalArgumentException("escape");
        }
      }
      return b.toString();
    }
  }
}
