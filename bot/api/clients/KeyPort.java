import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Asks a KeyPort server whether a license is good: one file to paste. Java 8 and later, no dependencies.
 * Put it into your own package: add your {@code package} line above the imports, or Java cannot import it.
 *
 * <pre>
 * KeyPort keyport = new KeyPort("https://license.example.com", "kp_live_...") // server, a key that may only validate
 *     .publicKey("KEY-ID", "-----BEGIN PUBLIC KEY-----...")  // from GET /api/v1/keys; or .secret("kp_sign_...")
 *     .version("1.4.0")
 *     .memory(new File(getDataFolder(), "license.txt"));
 * KeyPort.Verdict verdict = keyport.check(licenseKey);     // not on the main thread: it waits for the network
 * if (!verdict.valid) throw new IllegalStateException(verdict.message + " " + verdict.supportCode);
 * Map&lt;?, ?&gt; custom = (Map&lt;?, ?&gt;) verdict.answer.get("custom"); // null if the seller wrote nothing
 * long slots = ((Number) custom.get("slots")).longValue(); // whole numbers come as Long, others as Double
 * </pre>
 *
 * Java 8 to 14 check RSA signatures, so let the product sign with RSA; Java 15 and later check Ed25519 too. With
 * neither a public key nor a secret nothing is proven. Never ship a secret: whoever unpacks a jar can forge answers
 * with the secret in it, and cannot with a public key.
 */
public final class KeyPort {
    private static final long DAY_S = 86_400;
    private static final int MAX_BODY = 65_536;
    private static final String HMAC_MEMBER = ",\"signature\":\"";
    private static final SecureRandom CHANCE = new SecureRandom();

    private final String url;
    private final String apiKey;
    private final Map<String, PublicKey> publicKeys = new HashMap<>();
    private final List<String> secrets = new ArrayList<>();
    private String version;
    private String deviceId;
    private File memory;
    private long graceSeconds = 72 * 3600;
    private int timeoutMillis = 10_000;
    private LongSupplier clock = () -> System.currentTimeMillis() / 1000;
    private long waitUntil;
    private boolean complained;

    public KeyPort(String url, String apiKey) {
        this.url = url.replaceAll("/+$", "") + "/api/v1/validate";
        this.apiKey = apiKey;
        memory = new File("keyport-license-" + sha256(apiKey).substring(0, 12) + ".txt"); // one for each product
    }

    /** Pins a public key; pin two while the product's key is being replaced. */
    public KeyPort publicKey(String id, String pem) {
        publicKeys.put(id, readKey(Base64.getMimeDecoder().decode(pem.replaceAll("-----[^-]+-----", ""))));
        return this;
    }

    /** Names the secret of the body's signature; name two while it is being replaced. */
    public KeyPort secret(String secret) { secrets.add(secret); return this; }

    public KeyPort version(String version) { this.version = version; return this; }

    public KeyPort deviceId(String deviceId) { this.deviceId = deviceId; return this; }

    /** Names the file of the last good answer; otherwise it is in the working folder. Missing folders are made. */
    public KeyPort memory(File memory) { this.memory = memory; return this; }

    public KeyPort graceHours(long hours) { this.graceSeconds = hours * 3600; return this; }

    public KeyPort timeoutMillis(int timeoutMillis) { this.timeoutMillis = timeoutMillis; return this; }

    public KeyPort clock(LongSupplier unixSeconds) { this.clock = unixSeconds; return this; }

    /** What is known of the license. Status "unknown": the server could not be asked, or proved nothing. */
    public static final class Verdict {
        public final boolean valid;
        public final String status;
        public final String message;
        public final String supportCode; // the customer quotes it to the seller's staff
        public final boolean fromMemory;
        public final long retryAfter;
        public final String forSeller; // what the seller should hear: a refused question, no connection, no memory
        public final Map<String, Object> answer; // every member that came back, "custom" and "expires" among them

        private Verdict(boolean valid, String status, String message, String supportCode, boolean fromMemory,
                long retryAfter, String forSeller, Map<String, Object> answer) {
            this.valid = valid;
            this.status = status;
            this.message = message;
            this.supportCode = supportCode;
            this.fromMemory = fromMemory;
            this.retryAfter = retryAfter;
            this.forSeller = forSeller;
            this.answer = answer;
        }
    }

    /** What came back; the signature is over signedAt and the body. */
    private static final class Reply {
        int code = 200;
        byte[] body = {};
        String signedAt = "", keyId = "", signature = "", supportCode = "", retryAfter = "";
    }

    /** Returns whether the program may run; never throws for what the network or the server does. */
    public synchronized Verdict check(String licenseKey) {
        long now = clock.getAsLong();
        if (now < waitUntil) return unknown(licenseKey, now, "the server asked to wait");
        byte[] random = new byte[16];
        CHANCE.nextBytes(random);
        String nonce = nonce(licenseKey, hex(random));
        Reply reply;
        try {
            reply = ask(licenseKey, nonce);
        } catch (IOException error) {
            String late = error instanceof SocketTimeoutException ? "no answer in time" : "no connection";
            return unknown(licenseKey, now, late, "unknown", error.toString());
        }
        String why = "the server answered " + reply.code;
        switch (reply.code) {
            case 200:
                return answered(licenseKey, nonce, reply, now);
            case 401:
                String told = "This program's API key is refused: please tell the seller.";
                return unknown(licenseKey, now, why, "invalid_api_key", told);
            case 400: case 413: case 415: case 422:
                String message = text(Json.object(reply.body), "message", "The request was refused.");
                return unknown(licenseKey, now, why, "invalid_request", message);
            default:
                if (reply.retryAfter.matches("\\d{1,9}"))
                    waitUntil = now + Math.min(Long.parseLong(reply.retryAfter), DAY_S);
                return unknown(licenseKey, now, why);
        }
    }

    private Verdict answered(String licenseKey, String nonce, Reply reply, long now) {
        String flaw = flaw(reply, nonce);
        if (flaw != null) return unknown(licenseKey, now, flaw);
        Map<String, Object> answer = Json.object(reply.body);
        String status = text(answer, "status", "");
        if (Boolean.TRUE.equals(answer.get("valid"))) {
            return new Verdict(true, status, "", "", false, 0, remember(reply, now), answer);
        }
        memory.delete();
        String message = text(answer, "message", "The license is not valid: " + status + ".");
        String code = reply.supportCode.isEmpty() ? text(answer, "support_code", "") : reply.supportCode;
        return new Verdict(false, status, message, code, false, 0, "", answer);
    }

    // Asking

    private Reply ask(String licenseKey, String nonce) throws IOException {
        Map<String, String> asked = new LinkedHashMap<>();
        asked.put("license_key", licenseKey);
        asked.put("nonce", nonce);
        if (version != null) asked.put("version", version);
        if (deviceId != null) asked.put("device_id", deviceId);
        HttpURLConnection connection = (HttpURLConnection) new URL(url).openConnection();
        connection.setConnectTimeout(timeoutMillis);
        connection.setReadTimeout(timeoutMillis);
        connection.setInstanceFollowRedirects(false); // the API key goes to this server and to no other
        connection.setRequestProperty("Authorization", "Bearer " + apiKey);
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setDoOutput(true);
        connection.getOutputStream().write(bytes(Json.written(asked)));
        Reply reply = new Reply();
        reply.code = connection.getResponseCode();
        reply.body = readAll(reply.code < 400 ? connection.getInputStream() : connection.getErrorStream());
        reply.signedAt = header(connection, "X-Signature-Timestamp");
        reply.keyId = header(connection, "X-Signature-Key-Id");
        reply.signature = header(connection, "X-Signature-Ed25519") + header(connection, "X-Signature-RSA");
        reply.supportCode = header(connection, "X-Support-Code");
        reply.retryAfter = header(connection, "Retry-After");
        return reply;
    }

    private static String header(HttpURLConnection connection, String name) {
        String value = connection.getHeaderField(name);
        return value == null ? "" : value;
    }

    private static byte[] readAll(InputStream stream) throws IOException {
        ByteArrayOutputStream whole = new ByteArrayOutputStream();
        if (stream == null) return whole.toByteArray();
        try (InputStream open = stream) {
            byte[] part = new byte[8192];
            for (int count; (count = open.read(part)) >= 0 && whole.size() < MAX_BODY; ) whole.write(part, 0, count);
        }
        return whole.toByteArray();
    }

    // Proof

    /** Returns a random word and, tied to it, the license: the answer to another license's question never fits. */
    private String nonce(String licenseKey, String random) {
        String tidied = licenseKey.replaceAll("[\\s-]", "").toUpperCase(Locale.ROOT); // however typed, the same license
        return random + sha256(random + "\n" + tidied + "\n" + (deviceId == null ? "" : deviceId));
    }

    private static String sha256(String text) {
        try {
            return hex(MessageDigest.getInstance("SHA-256").digest(bytes(text)));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error); // every Java has SHA-256
        }
    }

    /** Returns why an answer proves nothing, or null. That it is fresh shows in the nonce, not on the clock. */
    private String flaw(Reply reply, String nonce) {
        if (!publicKeys.isEmpty() && !signed(reply)) return "the answer's signature is wrong or missing";
        if (!secrets.isEmpty() && !sealed(reply.body)) return "the answer's signature is wrong or missing";
        Map<String, Object> answer = Json.object(reply.body);
        if (!(answer.get("status") instanceof String) || !answer.containsKey("valid"))
            return "the answer is not KeyPort's";
        return nonce.equals(answer.get("nonce")) ? null : "the answer is to another question";
    }

    /** Tells whether one of the pinned public keys signed timestamp and body. */
    private boolean signed(Reply reply) {
        PublicKey key = publicKeys.get(reply.keyId);
        if (key == null || !reply.signedAt.matches("\\d{1,12}")) return false;
        try {
            boolean isRsa = key.getAlgorithm().equals("RSA");
            Signature check = Signature.getInstance(isRsa ? "SHA256withRSA" : "Ed25519");
            check.initVerify(key);
            check.update(bytes(reply.signedAt));
            check.update(reply.body);
            return check.verify(isRsa ? Base64.getDecoder().decode(reply.signature) : unhex(reply.signature));
        } catch (GeneralSecurityException | RuntimeException error) { // whatever a provider throws is no proof
            return false;
        }
    }

    private static PublicKey readKey(byte[] der) {
        for (String algorithm : new String[] {"RSA", "Ed25519"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePublic(new X509EncodedKeySpec(der));
            } catch (GeneralSecurityException error) {
                continue; // of another kind, or of one that this Java does not know
            }
        }
        throw new IllegalArgumentException("This Java cannot use this public key; before Java 15, sign with RSA.");
    }

    /** Tells whether the last "signature" member is the HMAC of the body without it. */
    private boolean sealed(byte[] body) {
        String whole = new String(body, StandardCharsets.ISO_8859_1); // one character per byte
        int start = whole.lastIndexOf(HMAC_MEMBER);
        int digits = start + HMAC_MEMBER.length();
        if (start < 0 || whole.length() < digits + 65 || whole.charAt(digits + 64) != '"') return false;
        String rest = whole.substring(0, start) + whole.substring(digits + 65);
        return sealFits(rest.getBytes(StandardCharsets.ISO_8859_1), whole.substring(digits, digits + 64));
    }

    private boolean sealFits(byte[] data, String theirs) {
        for (String secret : secrets) {
            if (secret.isEmpty()) continue; // as a variable that was never set leaves it: everybody knows it
            if (MessageDigest.isEqual(bytes(seal(secret, data)), bytes(theirs))) return true; // in constant time
        }
        return false;
    }

    private static String seal(String secret, byte[] data) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(bytes(secret), "HmacSHA256"));
            return hex(mac.doFinal(data));
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error); // every Java has it
        }
    }

    // Memory: four lines, checked again whenever they are read

    /** Returns what the seller should hear if that fails, once. */
    private String remember(Reply reply, long now) {
        String at = reply.signedAt;
        String signature = reply.signature;
        if (publicKeys.isEmpty()) {
            at = Long.toString(now);
            boolean sealing = !secrets.isEmpty() && !secrets.get(0).isEmpty();
            signature = !sealing ? "" : seal(secrets.get(0), join(bytes(at), reply.body));
        }
        try {
            memory.getAbsoluteFile().getParentFile().mkdirs();
            Files.write(memory.toPath(), join(bytes(at + "\n" + reply.keyId + "\n" + signature + "\n"), reply.body));
        } catch (IOException | RuntimeException error) { // a disk that cannot be written locks nobody out
            boolean told = complained;
            complained = true;
            return told ? "" : "The answer cannot be remembered: " + error;
        }
        return "";
    }

    private Verdict unknown(String licenseKey, long now, String why) {
        return unknown(licenseKey, now, why, "unknown", "");
    }

    /** Lets the last good answer stand if there is a young one: what came instead says nothing that is proven. */
    private Verdict unknown(String licenseKey, long now, String why, String status, String forSeller) {
        long wait = Math.max(0, waitUntil - now);
        Map<String, Object> answer = recall(licenseKey, now);
        if (!answer.isEmpty()) {
            String message = "Not checked now: " + why + ".";
            return new Verdict(true, text(answer, "status", ""), message, "", true, wait, forSeller, answer);
        }
        boolean refused = !status.equals("unknown");
        String message = refused ? forSeller : "The license could not be checked: " + why + ".";
        return new Verdict(false, status, message, "", false, wait, forSeller, answer);
    }

    private Map<String, Object> recall(String licenseKey, long now) {
        String[] lines;
        try {
            lines = new String(Files.readAllBytes(memory.toPath()), StandardCharsets.UTF_8).split("\n", 4);
        } catch (IOException | RuntimeException error) {
            return Collections.emptyMap();
        }
        if (lines.length < 4 || !lines[0].matches("\\d{1,12}")) return Collections.emptyMap();
        Reply reply = new Reply();
        reply.signedAt = lines[0];
        reply.keyId = lines[1];
        reply.signature = lines[2];
        reply.body = bytes(lines[3]);
        long age = now - Long.parseLong(reply.signedAt);
        // A clock that stands before the time in the file: wrong by a little, or set back to lengthen the grace.
        boolean young = age >= -Math.min(DAY_S, graceSeconds) && age < graceSeconds;
        if (!young || !kept(reply)) return Collections.emptyMap();
        Map<String, Object> answer = Json.object(reply.body);
        String nonce = text(answer, "nonce", "");
        boolean fits = nonce.length() > 32 && nonce.equals(nonce(licenseKey, nonce.substring(0, 32)));
        return fits && Boolean.TRUE.equals(answer.get("valid")) ? answer : Collections.emptyMap();
    }

    private boolean kept(Reply reply) {
        if (!publicKeys.isEmpty()) return signed(reply);
        return secrets.isEmpty() || sealFits(join(bytes(reply.signedAt), reply.body), reply.signature);
    }

    private static String text(Map<String, Object> answer, String name, String otherwise) {
        Object value = answer.get(name);
        return value instanceof String ? (String) value : otherwise;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static String hex(byte[] bytes) {
        StringBuilder digits = new StringBuilder();
        for (byte one : bytes) digits.append(String.format("%02x", one));
        return digits.toString();
    }

    private static byte[] unhex(String digits) {
        if (!digits.matches("([0-9a-f]{2})+")) throw new IllegalArgumentException("no hex digits");
        byte[] bytes = new byte[digits.length() / 2];
        for (int i = 0; i < bytes.length; i++)
            bytes[i] = (byte) Integer.parseInt(digits.substring(2 * i, 2 * i + 2), 16);
        return bytes;
    }

    /** As much JSON as the answers need: objects, lists, texts, numbers (Long or Double), true, false and null. */
    private static final class Json {
        private static final int MAX_DEPTH = 64;
        private final String text;
        private int at;

        private Json(String text) {
            this.text = text;
        }

        /** Returns the members of an object, none of anything else. */
        @SuppressWarnings("unchecked")
        static Map<String, Object> object(byte[] body) {
            Json json = new Json(new String(body, StandardCharsets.UTF_8));
            try {
                Object value = json.value(0);
                return value instanceof Map && json.peek() == 0 ? (Map<String, Object>) value : Collections.emptyMap();
            } catch (IllegalArgumentException | IndexOutOfBoundsException error) {
                return Collections.emptyMap();
            }
        }

        static String written(Map<String, String> members) {
            StringBuilder out = new StringBuilder("{");
            for (Map.Entry<String, String> member : members.entrySet()) {
                if (out.length() > 1) out.append(',');
                out.append('"').append(member.getKey()).append("\":\"");
                for (char c : member.getValue().toCharArray()) {
                    if (c == '"' || c == '\\' || c < ' ') out.append(String.format("\\u%04x", (int) c));
                    else out.append(c);
                }
                out.append('"');
            }
            return out.append('}').toString();
        }

        /** Returns the next character that is no space, or 0 at the end. */
        private char peek() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
            return at < text.length() ? text.charAt(at) : 0;
        }

        private boolean take(char expected) {
            if (peek() != expected) return false;
            at++;
            return true;
        }

        private void need(char expected) {
            if (!take(expected)) throw new IllegalArgumentException("expected " + expected);
        }

        private Object value(int depth) {
            if (depth > MAX_DEPTH) throw new IllegalArgumentException("too deep");
            switch (peek()) {
                case '{': return members(depth);
                case '[': return list(depth);
                case '"': return string();
                default: return word();
            }
        }

        private Map<String, Object> members(int depth) {
            Map<String, Object> found = new LinkedHashMap<>();
            need('{');
            if (take('}')) return found;
            do {
                String name = string();
                need(':');
                found.put(name, value(depth + 1));
            } while (take(','));
            need('}');
            return found;
        }

        private List<Object> list(int depth) {
            List<Object> found = new ArrayList<>();
            need('[');
            if (take(']')) return found;
            do found.add(value(depth + 1)); while (take(','));
            need(']');
            return found;
        }

        private String string() {
            need('"');
            StringBuilder out = new StringBuilder();
            for (char c; (c = text.charAt(at++)) != '"'; ) out.append(c == '\\' ? escaped() : c);
            return out.toString();
        }

        private char escaped() {
            char c = text.charAt(at++);
            if (c == 'u') {
                at += 4;
                return (char) Integer.parseInt(text.substring(at - 4, at), 16);
            }
            int known = "bfnrt\"\\/".indexOf(c);
            if (known < 0) throw new IllegalArgumentException("unknown escape");
            return "\b\f\n\r\t\"\\/".charAt(known);
        }

        private Object word() {
            int start = at;
            while (at < text.length() && ",]} \t\r\n".indexOf(text.charAt(at)) < 0) at++;
            String word = text.substring(start, at);
            switch (word) {
                case "true": return true;
                case "false": return false;
                case "null": return null;
                default: return number(word);
            }
        }

        /** Returns a Long if it is whole; throws NumberFormatException, an IllegalArgumentException, if it is none. */
        private static Number number(String word) {
            if (word.matches("-?\\d{1,18}")) return Long.valueOf(word);
            return Double.valueOf(word);
        }
    }
}
