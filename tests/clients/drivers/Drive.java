import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Paths;

/** Lets a test talk to the Java client: `new` and `check` lines in, one line of verdict out, all with tabs. */
public final class Drive {
    private static long now;

    public static void main(String[] words) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        KeyPort keyport = null;
        for (String line; (line = in.readLine()) != null; ) {
            String[] said = line.split("\t", -1);
            if (said[0].equals("new")) {
                keyport = opened(said);
                continue;
            }
            now = Long.parseLong(said[1]);
            KeyPort.Verdict seen = keyport.check(said[2]);
            out.println(seen.valid + "\t" + seen.status + "\t" + seen.fromMemory + "\t" + seen.supportCode + "\t"
                + seen.retryAfter + "\t" + seen.message + "\t" + seen.forSeller + "\t" + seen.answer.containsKey("status"));
        }
    }

    private static KeyPort opened(String[] said) throws Exception {
        KeyPort keyport = new KeyPort(said[1], said[2]).graceHours(Long.parseLong(said[3]))
            .timeoutMillis(Integer.parseInt(said[5])).clock(() -> now);
        if (!said[4].isEmpty()) keyport.memory(new File(said[4]));
        if (!said[6].isEmpty()) keyport.version(said[6]);
        if (!said[7].isEmpty()) keyport.deviceId(said[7]);
        for (String secret : said[8].split(" ")) if (!secret.isEmpty()) keyport.secret(secret.replace("EMPTY", ""));
        for (String pair : said[9].split(" ")) {
            String[] parts = pair.split("=");
            if (parts.length == 2) keyport.publicKey(parts[0], new String(Files.readAllBytes(Paths.get(parts[1]))));
        }
        return keyport;
    }
}
