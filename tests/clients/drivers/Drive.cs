using System;
using System.IO;
using System.Linq;
using System.Text;

/// <summary>Lets a test talk to the C# client: `new` and `check` lines in, one line of verdict out, with tabs.</summary>
public static class Drive
{
    public static void Main()
    {
        var reader = new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false));
        var writer = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false)) { AutoFlush = true };
        long now = 0;
        KeyPort keyport = null;
        for (string line = reader.ReadLine(); line != null; line = reader.ReadLine())
        {
            string[] said = line.Split('\t');
            if (said[0] == "new")
            {
                keyport = Opened(said);
                keyport.Clock = () => DateTimeOffset.FromUnixTimeSeconds(now);
                continue;
            }
            now = long.Parse(said[1]);
            KeyPort.Verdict seen = keyport.CheckAsync(said[2]).GetAwaiter().GetResult();
            writer.Write(string.Join("\t", seen.Valid ? "true" : "false", seen.Status,
                seen.FromMemory ? "true" : "false", seen.SupportCode, seen.RetryAfter, seen.Message,
                seen.ForSeller, seen.Body.Contains("\"status\"") ? "true" : "false") + "\n");
        }
    }

    private static KeyPort Opened(string[] said)
    {
        var keyport = new KeyPort(said[1], said[2], int.Parse(said[5]))
        {
            Grace = TimeSpan.FromHours(int.Parse(said[3])),
            Version = said[6] == "" ? null : said[6],
            DeviceId = said[7] == "" ? null : said[7],
        };
        if (said[4] != "") keyport.Memory = said[4];
        var secrets = said[8].Split(' ').Where(secret => secret != "");
        keyport.Secrets.AddRange(secrets.Select(secret => secret.Replace("EMPTY", "")));
        foreach (string[] pair in said[9].Split(' ').Select(one => one.Split('=')).Where(pair => pair.Length == 2))
        {
            string[] numbers = File.ReadAllLines(pair[1] + ".rsa"); // n and e, as the list of keys has them
            keyport.AddPublicKey(pair[0], numbers[0], numbers[1]);
        }
        return keyport;
    }
}
