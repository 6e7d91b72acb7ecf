using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Crypto.Signers;

/// <summary>
/// Checks a license file where there is no network: one file to copy. Needs the package BouncyCastle.Cryptography.
/// See docs/verifying.md.
/// </summary>
public static class VerifyLicense
{
    const long Day = 86400;
    static readonly Regex Beginning = new Regex(
        "^\\{\"iss\":\"keyport\",\"sub\":\"[0-9]+\",\"aud\":\"([0-9]+)\",\"iat\":([0-9]+),\"exp\":([0-9]+),\"license\":\\{");
    static readonly Regex End = new Regex(
        ",\"key_sha256\":\"([0-9a-f]{64})\",\"device_id\":(null|\"(?:[^\"\\\\]|\\\\.)*\")\\}\\}$");

    /// <summary>Returns the payload, which is JSON; throws if the file is not good.</summary>
    public static string Verify(
        string file, IDictionary<string, string> keys, string product, string licenseKey, string device, long now)
    {
        var parts = file.Trim().Split('.');
        Require(parts.Length == 3, "not a license file");
        var signed = Encoding.ASCII.GetBytes(parts[0] + "." + parts[1]);
        var verifier = new Ed25519Signer();
        verifier.Init(false, new Ed25519PublicKeyParameters(KeyOf(Text(parts[0]), keys), 0));
        verifier.BlockUpdate(signed, 0, signed.Length);
        var signature = Bytes(parts[2]);
        Require(signature.Length == 64 && verifier.VerifySignature(signature), "not signed with a key of this program");

        var payload = Text(parts[1]);
        var beginning = Beginning.Match(payload);
        var end = End.Match(payload);
        Require(beginning.Success && end.Success, "not a license file");
        Require(beginning.Groups[1].Value == product, "of another product");
        Require(now < long.Parse(beginning.Groups[3].Value), "expired");
        Require(now >= long.Parse(beginning.Groups[2].Value) - Day, "the clock is wrong");
        var typed = Regex.Replace(licenseKey, "[\\s-]", "").ToUpperInvariant();
        using (var sha256 = SHA256.Create())
        {
            var hash = BitConverter.ToString(sha256.ComputeHash(Encoding.UTF8.GetBytes(typed)));
            Require(hash.Replace("-", "").ToLowerInvariant() == end.Groups[1].Value, "of another license");
        }
        var bound = end.Groups[2].Value;
        Require(bound == "null" || bound == "\"" + device + "\"", "of another device");
        return payload;
    }

    static byte[] KeyOf(string header, IDictionary<string, string> keys)
    {
        foreach (var key in keys)
            if (header == "{\"alg\":\"EdDSA\",\"kid\":\"" + key.Key + "\",\"typ\":\"license+jwt\"}")
                return Enumerable.Range(0, 32).Select(i => Convert.ToByte(key.Value.Substring(2 * i, 2), 16)).ToArray();
        throw new FormatException("not signed with a key of this program");
    }

    static byte[] Bytes(string part)
    {
        var padded = part.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(padded.PadRight((padded.Length + 3) / 4 * 4, '='));
    }

    static string Text(string part) { return Encoding.UTF8.GetString(Bytes(part)); }

    static void Require(bool good, string otherwise)
    {
        if (!good) throw new FormatException(otherwise);
    }

    public static int Main(string[] args)
    {
        try
        {
            var keys = args.Skip(5).Select(key => key.Split('=')).ToDictionary(key => key[0], key => key[1]);
            Console.WriteLine(Verify(File.ReadAllText(args[0]), keys, args[1], args[2], args[3], long.Parse(args[4])));
            return 0;
        }
        catch (FormatException error)
        {
            Console.Error.WriteLine("no good license file: " + error.Message);
            return 1;
        }
    }
}
