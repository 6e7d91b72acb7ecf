import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Checks a license file where there is no network: one file to copy. Java 17 or newer; see docs/verifying.md. */
public final class VerifyLicense {
    private static final long DAY = 86_400;
    private static final String ED25519 = "302a300506032b6570032100"; // what stands before a raw key in X.509
    private static final Pattern BEGINNING = Pattern.compile(
        "^\\{\"iss\":\"keyport\",\"sub\":\"\\d+\",\"aud\":\"(\\d+)\",\"iat\":(\\d+),\"exp\":(\\d+),\"license\":\\{");
    private static final Pattern END = Pattern.compile(
        ",\"key_sha256\":\"([0-9a-f]{64})\",\"device_id\":(null|\"(?:[^\"\\\\]|\\\\.)*+\")\\}\\}$");

    /** Returns the payload, which is JSON; throws if the file is not good. */
    static String verify(String file, Map<String, String> keys, String product, String licenseKey, String device,
            long now) throws GeneralSecurityException {
        String[] parts = file.strip().split("\\.", -1);
        require(parts.length == 3, "not a license file");
        PublicKey key = keyOf(text(parts[0]), keys);
        Signature signature = Signature.getInstance("Ed25519");
        signature.initVerify(key);
        signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
        byte[] signed = Base64.getUrlDecoder().decode(parts[2]);
        require(signed.length == 64 && signature.verify(signed), "not signed with a key of this program");

        String payload = text(parts[1]);
        Matcher beginning = BEGINNING.matcher(payload);
        Matcher end = END.matcher(payload);
        require(beginning.find() && end.find(), "not a license file");
        require(beginning.group(1).equals(product), "of another product");
        require(now < Long.parseLong(beginning.group(3)), "expired");
        require(now >= Long.parseLong(beginning.group(2)) - DAY, "the clock is wrong");
        byte[] typed = licenseKey.replaceAll("[\\s-]", "").toUpperCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8);
        String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(typed));
        require(hash.equals(end.group(1)), "of another license");
        require(end.group(2).equals("null") || end.group(2).equals('"' + device + '"'), "of another device");
        return payload;
    }

    private static PublicKey keyOf(String header, Map<String, String> keys) throws GeneralSecurityException {
        for (Map.Entry<String, String> key : keys.entrySet()) {
            String expected = "{\"alg\":\"EdDSA\",\"kid\":\"" + key.getKey() + "\",\"typ\":\"license+jwt\"}";
            if (header.equals(expected)) {
                byte[] encoded = HexFormat.of().parseHex(ED25519 + key.getValue());
                return KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded));
            }
        }
        throw new GeneralSecurityException("not signed with a key of this program");
    }

    private static String text(String part) {
        return new String(Base64.getUrlDecoder().decode(part), StandardCharsets.UTF_8);
    }

    private static void require(boolean good, String otherwise) throws GeneralSecurityException {
        if (!good) throw new GeneralSecurityException(otherwise);
    }

    public static void main(String[] args) throws Exception {
        Map<String, String> keys = new HashMap<>();
        for (int i = 5; i < args.length; i++) keys.put(args[i].split("=")[0], args[i].split("=")[1]);
        try {
            String file = Files.readString(Path.of(args[0]), StandardCharsets.US_ASCII);
            System.out.println(verify(file, keys, args[1], args[2], args[3], Long.parseLong(args[4])));
        } catch (GeneralSecurityException | IllegalArgumentException error) {
            System.err.println("no good license file: " + error.getMessage());
            System.exit(1);
        }
    }
}
