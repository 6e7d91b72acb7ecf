using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net.Http;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;

/// <summary>
/// Asks a KeyPort server whether a license is good: one file to paste. .NET Framework 4.7 and later (references to
/// System.Net.Http and System.Runtime.Serialization), .NET 6 and later, Mono; no packages.
/// <code>
/// var keyport = new KeyPort("https://license.example.com", "kp_live_...") { Version = "1.4.0" };
/// // The key above is an API key that may only validate.
/// keyport.AddPublicKey("KEY-ID", n: "...", e: "AQAB");        // from GET /api/v1/keys; or keyport.Secrets.Add(...)
/// var verdict = await keyport.CheckAsync(licenseKey);
/// if (!verdict.Valid) throw new Exception(verdict.Message + " " + verdict.SupportCode);
/// </code>
/// Let the product sign with RSA: .NET has no Ed25519 of its own. With neither a public key nor a secret nothing is
/// proven. Never ship a secret: whoever unpacks a program can forge answers with it, and cannot with a public key.
/// One object may be asked by one caller at a time.
/// </summary>
public sealed class KeyPort
{
    private const long Day = 86400; // seconds
    private const string HmacMember = ",\"signature\":\"";
    private static readonly Encoding Latin1 = Encoding.GetEncoding("ISO-8859-1");
    private static readonly Encoding Utf8 = new UTF8Encoding(false);

    private readonly HttpClient http;
    private readonly Dictionary<string, RSAParameters> publicKeys = new Dictionary<string, RSAParameters>();
    private readonly Uri url;
    private readonly string apiKey;
    private long waitUntil;
    private bool complained;

    public string Version { get; set; }
    public string DeviceId { get; set; }
    public string Memory { get; set; } // a file
    public TimeSpan Grace { get; set; } = TimeSpan.FromHours(72);
    public List<string> Secrets { get; } = new List<string>(); // kp_sign_...; two while the secret is being replaced
    public Func<DateTimeOffset> Clock { get; set; } = () => DateTimeOffset.UtcNow;

    public KeyPort(string url, string apiKey, int timeoutMillis = 10000)
    {
        this.url = new Uri(url.TrimEnd('/') + "/api/v1/validate");
        this.apiKey = apiKey;
        Memory = "keyport-license-" + Sha256(apiKey).Substring(0, 12) + ".txt"; // one for each product
        var handler = new HttpClientHandler { AllowAutoRedirect = false }; // the API key goes to this server alone
        http = new HttpClient(handler) { Timeout = TimeSpan.FromMilliseconds(timeoutMillis) };
    }

    /// <summary>Pins an RSA key by its members n and e; pin two while the product's key is being replaced.</summary>
    public void AddPublicKey(string id, string n, string e)
    {
        publicKeys[id] = new RSAParameters { Modulus = FromBase64Url(n), Exponent = FromBase64Url(e) };
    }

    /// <summary>What is known of the license. "unknown": the server could not be asked, or proved nothing.</summary>
    public sealed class Verdict
    {
        public bool Valid { get; internal set; }
        public string Status { get; internal set; } = "";
        public string Message { get; internal set; } = "";
        public string SupportCode { get; internal set; } = ""; // the customer quotes it to the seller's staff
        public bool FromMemory { get; internal set; }
        public long RetryAfter { get; internal set; }
        public string ForSeller { get; internal set; } = ""; // what the seller should hear, not the customer
        public string Body { get; internal set; } = ""; // the whole answer, for "custom" and "expires"
    }

    [DataContract]
    private sealed class Answer
    {
#pragma warning disable 0649 // the reader of JSON fills them
        [DataMember(Name = "valid", IsRequired = true)] public bool Valid;
        [DataMember(Name = "status", IsRequired = true)] public string Status;
        [DataMember(Name = "nonce")] public string Nonce;
        [DataMember(Name = "message")] public string Message;
        [DataMember(Name = "support_code")] public string SupportCode;
#pragma warning restore 0649
    }

    [DataContract]
    private sealed class Question
    {
        [DataMember(Name = "license_key")] public string LicenseKey;
        [DataMember(Name = "nonce")] public string Nonce;
        [DataMember(Name = "version", EmitDefaultValue = false)] public string Version;
        [DataMember(Name = "device_id", EmitDefaultValue = false)] public string DeviceId;
    }

    /// <summary>What came back; the signature is over SignedAt and the body.</summary>
    private sealed class Reply
    {
        public int Code = 200;
        public byte[] Body = new byte[0];
        public string SignedAt = "", KeyId = "", Signature = "", SupportCode = "", RetryAfter = "";
    }

    /// <summary>Returns whether the program may run; never throws for what the network or the server does.</summary>
    public async Task<Verdict> CheckAsync(string licenseKey)
    {
        long now = Clock().ToUnixTimeSeconds();
        if (now < waitUntil) return Unknown(licenseKey, now, "the server asked to wait");
        var random = new byte[16];
        using (var chance = RandomNumberGenerator.Create()) chance.GetBytes(random);
        string nonce = NonceFor(licenseKey, Hex(random));
        Reply reply;
        try
        {
            reply = await Ask(licenseKey, nonce).ConfigureAwait(false);
        }
        catch (Exception error) when (error is HttpRequestException || error is OperationCanceledException
            || error is IOException || error is System.Net.WebException)
        {
            string late = error is OperationCanceledException ? "no answer in time" : "no connection";
            string cause = error.GetType().Name + ": " + (error.InnerException ?? error).Message;
            return Unknown(licenseKey, now, late, "unknown", cause);
        }
        string why = "the server answered " + reply.Code;
        switch (reply.Code)
        {
            case 200:
                return Answered(licenseKey, nonce, reply, now);
            case 401:
                const string told = "This program's API key is refused: please tell the seller.";
                return Unknown(licenseKey, now, why, "invalid_api_key", told);
            case 400: case 413: case 415: case 422:
                string message = Read(reply.Body)?.Message ?? "The request was refused.";
                return Unknown(licenseKey, now, why, "invalid_request", message);
            default:
                if (long.TryParse(reply.RetryAfter, out long pause) && pause > 0)
                    waitUntil = now + Math.Min(pause, Day);
                return Unknown(licenseKey, now, why);
        }
    }

    private Verdict Answered(string licenseKey, string nonce, Reply reply, long now)
    {
        string flaw = Flaw(reply, nonce);
        if (flaw != null) return Unknown(licenseKey, now, flaw);
        Answer answer = Read(reply.Body);
        var verdict = new Verdict { Valid = answer.Valid, Status = answer.Status, Body = Utf8.GetString(reply.Body) };
        if (answer.Valid)
        {
            verdict.ForSeller = Remember(reply, now);
            return verdict;
        }
        Failure(() => File.Delete(Memory));
        verdict.Message = answer.Message ?? "The license is not valid: " + answer.Status + ".";
        verdict.SupportCode = reply.SupportCode != "" ? reply.SupportCode : answer.SupportCode ?? "";
        return verdict;
    }

    // Asking

    private async Task<Reply> Ask(string licenseKey, string nonce)
    {
        var asked = new Question { LicenseKey = licenseKey, Nonce = nonce, Version = Version, DeviceId = DeviceId };
        var json = new MemoryStream();
        new DataContractJsonSerializer(typeof(Question)).WriteObject(json, asked);
        using (var request = new HttpRequestMessage(HttpMethod.Post, url))
        {
            request.Headers.TryAddWithoutValidation("Authorization", "Bearer " + apiKey);
            request.Content = new ByteArrayContent(json.ToArray());
            request.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
            using (var response = await http.SendAsync(request).ConfigureAwait(false))
            {
                return new Reply
                {
                    Code = (int)response.StatusCode,
                    Body = await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false),
                    SignedAt = Header(response, "X-Signature-Timestamp"),
                    KeyId = Header(response, "X-Signature-Key-Id"),
                    Signature = Header(response, "X-Signature-RSA"),
                    SupportCode = Header(response, "X-Support-Code"),
                    RetryAfter = Header(response, "Retry-After"),
                };
            }
        }
    }

    private static string Header(HttpResponseMessage response, string name)
    {
        return response.Headers.TryGetValues(name, out IEnumerable<string> values) ? values.First() : "";
    }

    private static Answer Read(byte[] body)
    {
        try
        {
            return (Answer)new DataContractJsonSerializer(typeof(Answer)).ReadObject(new MemoryStream(body));
        }
        catch (Exception error) when (error is SerializationException || error is FormatException
            || error is System.Xml.XmlException)
        {
            return null;
        }
    }

    // Proof

    /// <summary>A random word and, tied to it, the license: the answer to another's question never fits.</summary>
    private string NonceFor(string licenseKey, string random)
    {
        // However it was typed, it is the same license.
        var kept = licenseKey.Where(symbol => symbol != '-' && !char.IsWhiteSpace(symbol)).ToArray();
        return random + Sha256(random + "\n" + new string(kept).ToUpperInvariant() + "\n" + DeviceId);
    }

    private static string Sha256(string text)
    {
        using (var sha = SHA256.Create()) return Hex(sha.ComputeHash(Utf8.GetBytes(text)));
    }

    /// <summary>Returns why an answer proves nothing, or null. That it is fresh shows in the nonce.</summary>
    private string Flaw(Reply reply, string nonce)
    {
        if (publicKeys.Count > 0 && !Signed(reply)) return "the answer's signature is wrong or missing";
        if (Secrets.Count > 0 && !Sealed(reply.Body)) return "the answer's signature is wrong or missing";
        Answer answer = Read(reply.Body);
        if (answer == null || answer.Status == null) return "the answer is not KeyPort's";
        return answer.Nonce == nonce ? null : "the answer is to another question";
    }

    /// <summary>Tells whether one of the pinned public keys signed timestamp and body.</summary>
    private bool Signed(Reply reply)
    {
        if (!IsTime(reply.SignedAt) || !publicKeys.TryGetValue(reply.KeyId, out RSAParameters key)) return false;
        byte[] data = Utf8.GetBytes(reply.SignedAt).Concat(reply.Body).ToArray();
        try
        {
            using (var rsa = RSA.Create())
            {
                rsa.ImportParameters(key);
                byte[] signature = Convert.FromBase64String(reply.Signature);
                return signature.Length == key.Modulus.Length // Mono stumbles over others
                    && rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
            }
        }
        catch (Exception) // whatever a provider throws is no proof
        {
            return false;
        }
    }

    /// <summary>Tells whether the last "signature" member is the HMAC of the body without it.</summary>
    private bool Sealed(byte[] body)
    {
        string whole = Latin1.GetString(body); // one character per byte
        int start = whole.LastIndexOf(HmacMember, StringComparison.Ordinal);
        int digits = start + HmacMember.Length;
        if (start < 0 || whole.Length < digits + 65 || whole[digits + 64] != '"') return false;
        string rest = whole.Remove(start, HmacMember.Length + 65);
        return SealFits(Latin1.GetBytes(rest), whole.Substring(digits, 64));
    }

    private bool SealFits(byte[] data, string theirs)
    {
        // An empty secret, as a variable that was never set leaves it, is one that everybody knows.
        return Secrets.Any(secret => !string.IsNullOrEmpty(secret) && SameText(Seal(secret, data), theirs));
    }

    private static string Seal(string secret, byte[] data)
    {
        using (var hmac = new HMACSHA256(Utf8.GetBytes(secret))) return Hex(hmac.ComputeHash(data));
    }

    /// <summary>Compares in constant time.</summary>
    private static bool SameText(string ours, string theirs)
    {
        int difference = ours.Length ^ theirs.Length;
        for (int i = 0; i < ours.Length && i < theirs.Length; i++) difference |= ours[i] ^ theirs[i];
        return difference == 0;
    }

    // Memory: four lines, checked again whenever they are read

    /// <summary>Returns what the seller should hear if that fails, once.</summary>
    private string Remember(Reply reply, long now)
    {
        string at = reply.SignedAt, signature = reply.Signature;
        if (publicKeys.Count == 0)
        {
            at = now.ToString();
            byte[] data = Utf8.GetBytes(at).Concat(reply.Body).ToArray();
            signature = string.IsNullOrEmpty(Secrets.FirstOrDefault()) ? "" : Seal(Secrets[0], data);
        }
        byte[] head = Utf8.GetBytes(at + "\n" + reply.KeyId + "\n" + signature + "\n");
        string failure = Failure(() =>
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Memory)));
            File.WriteAllBytes(Memory, head.Concat(reply.Body).ToArray());
        });
        if (failure == "" || complained) return "";
        complained = true;
        return "The answer cannot be remembered: " + failure;
    }

    /// <summary>Lets the last good answer stand if there is a young one: what came instead proves nothing.</summary>
    private Verdict Unknown(
        string licenseKey, long now, string why, string status = "unknown", string forSeller = "")
    {
        Verdict verdict = Recall(licenseKey, now);
        string message = verdict != null ? "Not checked now: " : "The license could not be checked: ";
        message = verdict == null && status != "unknown" ? forSeller : message + why + ".";
        verdict = verdict ?? new Verdict { Status = status };
        verdict.Message = message;
        verdict.ForSeller = forSeller;
        verdict.RetryAfter = Math.Max(0, waitUntil - now);
        return verdict;
    }

    private Verdict Recall(string licenseKey, long now)
    {
        string[] lines = new string[0];
        Failure(() => lines = Utf8.GetString(File.ReadAllBytes(Memory)).Split(new[] { '\n' }, 4));
        if (lines.Length < 4 || !IsTime(lines[0])) return null;
        var reply = new Reply { SignedAt = lines[0], KeyId = lines[1], Signature = lines[2] };
        reply.Body = Utf8.GetBytes(lines[3]);
        long age = now - long.Parse(reply.SignedAt);
        // A clock that stands before the time in the file: wrong by a little, or set back to lengthen the grace.
        double grace = Grace.TotalSeconds;
        if (age < -Math.Min(Day, grace) || age >= grace || !Kept(reply)) return null;
        Answer answer = Read(reply.Body);
        string nonce = answer?.Nonce ?? "";
        if (nonce.Length <= 32 || !answer.Valid || nonce != NonceFor(licenseKey, nonce.Substring(0, 32))) return null;
        return new Verdict { Valid = true, Status = answer.Status, FromMemory = true, Body = lines[3] };
    }

    private bool Kept(Reply reply)
    {
        if (publicKeys.Count > 0) return Signed(reply);
        byte[] data = Utf8.GetBytes(reply.SignedAt).Concat(reply.Body).ToArray();
        return Secrets.Count == 0 || SealFits(data, reply.Signature);
    }

    /// <summary>Returns why it failed, or nothing: a disk that cannot be read or written locks nobody out.</summary>
    private static string Failure(Action work)
    {
        try
        {
            work();
            return "";
        }
        catch (Exception error) when (error is IOException || error is UnauthorizedAccessException
            || error is ArgumentException || error is NotSupportedException)
        {
            return error.Message;
        }
    }

    private static bool IsTime(string text)
    {
        return text.Length > 0 && text.Length <= 12 && text.All(digit => digit >= '0' && digit <= '9');
    }

    private static string Hex(byte[] bytes)
    {
        return BitConverter.ToString(bytes).Replace("-", "").ToLowerInvariant();
    }

    private static byte[] FromBase64Url(string text)
    {
        string standard = text.Replace('-', '+').Replace('_', '/');
        return Convert.FromBase64String(standard.PadRight((standard.Length + 3) / 4 * 4, '='));
    }
}
