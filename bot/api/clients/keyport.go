// Package keyport asks a KeyPort server whether a license is good: one file to paste, the standard library alone.
//
//	client := &keyport.Client{
//		URL:        "https://license.example.com",              // your server, as its operator names it
//		APIKey:     "kp_live_...",                              // an API key that may only validate
//		PublicKeys: map[string]string{"KEY-ID": "-----BEGIN..."}, // from GET /api/v1/keys; or Secrets
//		Version:    "1.4.0",
//	}
//	verdict := client.Check(licenseKey)
//	if !verdict.Valid {
//		log.Fatal(verdict.Message, " ", verdict.SupportCode)
//	}
//
// With neither PublicKeys nor Secrets nothing is proven. Never ship a secret: whoever unpacks a program can forge
// answers with the secret in it, and cannot with a public key.
package keyport

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	day     = 86_400 // seconds
	maxBody = 65_536
)

// Client asks, checks the proof, and goes on with the last good answer while the server cannot be asked.
// Fill in the fields before the first Check; from then on it may be used by many goroutines.
type Client struct {
	URL, APIKey       string
	PublicKeys        map[string]string // key id to PEM, Ed25519 or RSA
	Secrets           []string          // kp_sign_...; two while the secret is being replaced
	Version, DeviceID string
	Memory            string           // a file; keyport-license-….txt in the working folder when empty
	Grace             time.Duration    // 72 hours when 0
	Timeout           time.Duration    // 10 seconds when 0
	Now               func() time.Time // time.Now when nil

	lock       sync.Mutex
	waitUntil  int64
	complained bool
}

// Verdict is what is known of the license. Status "unknown": the server could not be asked, or proved nothing.
type Verdict struct {
	Valid       bool
	Status      string
	Message     string
	SupportCode string // the customer quotes it to the seller's staff
	FromMemory  bool
	RetryAfter  int64
	ForSeller   string // what the seller should hear: a refused question, no connection, no memory
	Body        []byte // the whole answer, for "custom" and "expires"
}

type answer struct {
	Valid       *bool  `json:"valid"`
	Status      string `json:"status"`
	Nonce       string `json:"nonce"`
	Message     string `json:"message"`
	SupportCode string `json:"support_code"`
}

// reply is what came back; the signature is over signedAt and the body.
type reply struct {
	code                       int
	body                       []byte
	signedAt, keyID, signature string
	supportCode, retryAfter    string
}

// Check returns whether the program may run, whatever the network or the server does.
func (c *Client) Check(licenseKey string) Verdict {
	c.lock.Lock()
	defer c.lock.Unlock()
	now := c.now()
	if now < c.waitUntil {
		return c.unknown(licenseKey, now, "the server asked to wait")
	}
	random := make([]byte, 16)
	if _, err := rand.Read(random); err != nil {
		return c.unknown(licenseKey, now, "this computer has no random numbers")
	}
	nonce := c.nonce(licenseKey, hex.EncodeToString(random))
	got, err := c.ask(licenseKey, nonce)
	if err != nil {
		return c.silent(licenseKey, now, err)
	}
	switch got.code {
	case 200:
		return c.answered(licenseKey, nonce, got, now)
	case 401:
		told := "This program's API key is refused: please tell the seller."
		return c.refused(licenseKey, now, got.code, "invalid_api_key", told)
	case 400, 413, 415, 422:
		told := or(read(got.body).Message, "The request was refused.")
		return c.refused(licenseKey, now, got.code, "invalid_request", told)
	}
	if pause, err := strconv.ParseInt(got.retryAfter, 10, 64); err == nil && pause > 0 {
		c.waitUntil = now + min64(pause, day)
	}
	return c.unknown(licenseKey, now, fmt.Sprint("the server answered ", got.code))
}

// silent tells the customer that nothing came, and the seller why.
func (c *Client) silent(licenseKey string, now int64, err error) Verdict {
	why := "no connection"
	if late, ok := err.(interface{ Timeout() bool }); ok && late.Timeout() {
		why = "no answer in time"
	}
	verdict := c.unknown(licenseKey, now, why)
	verdict.ForSeller = err.Error()
	return verdict
}

// refused tells the seller; it proves nothing, so a good answer stands on.
func (c *Client) refused(licenseKey string, now int64, code int, status, told string) Verdict {
	verdict := c.unknown(licenseKey, now, fmt.Sprint("the server answered ", code))
	if !verdict.Valid {
		verdict.Status, verdict.Message = status, told
	}
	verdict.ForSeller = told
	return verdict
}

func (c *Client) answered(licenseKey, nonce string, got reply, now int64) Verdict {
	if flaw := c.flaw(got, nonce); flaw != "" {
		return c.unknown(licenseKey, now, flaw)
	}
	found := read(got.body)
	if *found.Valid {
		return Verdict{Valid: true, Status: found.Status, ForSeller: c.remember(got, now), Body: got.body}
	}
	_ = os.Remove(c.memory())
	return Verdict{
		Status:      found.Status,
		Message:     or(found.Message, "The license is not valid: "+found.Status+"."),
		SupportCode: or(got.supportCode, found.SupportCode),
		Body:        got.body,
	}
}

func (c *Client) ask(licenseKey, nonce string) (reply, error) {
	asked := map[string]string{"license_key": licenseKey, "nonce": nonce}
	if c.Version != "" {
		asked["version"] = c.Version
	}
	if c.DeviceID != "" {
		asked["device_id"] = c.DeviceID
	}
	text, err := json.Marshal(asked)
	if err != nil {
		return reply{}, err
	}
	request, err := http.NewRequest("POST", strings.TrimRight(c.URL, "/")+"/api/v1/validate", bytes.NewReader(text))
	if err != nil {
		return reply{}, err
	}
	request.Header.Set("Authorization", "Bearer "+c.APIKey)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http().Do(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	header := response.Header.Get
	return reply{
		code:        response.StatusCode,
		body:        body,
		signedAt:    header("X-Signature-Timestamp"),
		keyID:       header("X-Signature-Key-Id"),
		signature:   or(header("X-Signature-Ed25519"), header("X-Signature-RSA")),
		supportCode: header("X-Support-Code"),
		retryAfter:  header("Retry-After"),
	}, err
}

func (c *Client) http() *http.Client {
	timeout := c.Timeout
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &http.Client{Timeout: timeout, CheckRedirect: stay} // the API key goes to this server and to no other
}

// nonce returns a random word and, tied to it, the license: the answer to another license's question never fits.
func (c *Client) nonce(licenseKey, random string) string {
	tidied := strings.ReplaceAll(strings.Join(strings.Fields(licenseKey), ""), "-", "")
	// However it was typed, it is the same license.
	return random + digest(random+"\n"+strings.ToUpper(tidied)+"\n"+c.DeviceID)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// flaw returns why an answer proves nothing, or an empty text. That it is fresh shows in the nonce, not on the clock.
func (c *Client) flaw(got reply, nonce string) string {
	if len(c.PublicKeys) > 0 && !c.signed(got) {
		return "the answer's signature is wrong or missing"
	}
	if len(c.Secrets) > 0 && !c.sealed(got.body) {
		return "the answer's signature is wrong or missing"
	}
	found := read(got.body)
	if found.Valid == nil || found.Status == "" {
		return "the answer is not KeyPort's"
	}
	if found.Nonce != nonce {
		return "the answer is to another question"
	}
	return ""
}

// signed tells whether one of the pinned public keys signed timestamp and body.
func (c *Client) signed(got reply) bool {
	block, _ := pem.Decode([]byte(c.PublicKeys[got.keyID]))
	if _, err := strconv.ParseInt(got.signedAt, 10, 64); block == nil || err != nil {
		return false
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return false
	}
	data := append([]byte(got.signedAt), got.body...)
	switch key := key.(type) {
	case ed25519.PublicKey:
		signature, err := hex.DecodeString(got.signature)
		return err == nil && ed25519.Verify(key, data, signature)
	case *rsa.PublicKey:
		signature, err := base64.StdEncoding.DecodeString(got.signature)
		digest := sha256.Sum256(data)
		return err == nil && rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

// sealed tells whether the last "signature" member is the HMAC of the body without it.
func (c *Client) sealed(body []byte) bool {
	member := []byte(`,"signature":"`)
	start := bytes.LastIndex(body, member)
	digits := start + len(member)
	if start < 0 || len(body) < digits+65 || body[digits+64] != '"' {
		return false
	}
	rest := append(append([]byte{}, body[:start]...), body[digits+65:]...)
	return c.sealFits(rest, string(body[digits:digits+64]))
}

func (c *Client) sealFits(data []byte, theirs string) bool {
	for _, secret := range c.Secrets {
		// An empty secret, as a variable that was never set leaves it, is one that everybody knows.
		if secret != "" && hmac.Equal([]byte(seal(secret, data)), []byte(theirs)) { // in constant time
			return true
		}
	}
	return false
}

// remember keeps four lines, which are checked again whenever they are read. It returns what the seller should hear
// if that fails, once: a disk that cannot be written locks nobody out.
func (c *Client) remember(got reply, now int64) string {
	if len(c.PublicKeys) == 0 {
		got.signedAt, got.signature = strconv.FormatInt(now, 10), ""
		if len(c.Secrets) > 0 {
			got.signature = seal(c.Secrets[0], append([]byte(got.signedAt), got.body...))
		}
	}
	lines := got.signedAt + "\n" + got.keyID + "\n" + got.signature + "\n" + string(got.body)
	err := os.MkdirAll(filepath.Dir(c.memory()), 0o700)
	if err == nil {
		err = os.WriteFile(c.memory(), []byte(lines), 0o600)
	}
	if err == nil || c.complained {
		return ""
	}
	c.complained = true
	return "The answer cannot be remembered: " + err.Error()
}

// unknown lets the last good answer stand if there is a young one.
func (c *Client) unknown(licenseKey string, now int64, why string) Verdict {
	verdict := Verdict{Status: "unknown", Message: "The license could not be checked: " + why + "."}
	if body := c.recall(licenseKey, now); body != nil {
		verdict = Verdict{Valid: true, Status: read(body).Status, FromMemory: true, Body: body}
		verdict.Message = "Not checked now: " + why + "."
	}
	if c.waitUntil > now {
		verdict.RetryAfter = c.waitUntil - now
	}
	return verdict
}

func (c *Client) recall(licenseKey string, now int64) []byte {
	kept, err := os.ReadFile(c.memory())
	lines := strings.SplitN(string(kept), "\n", 4)
	if err != nil || len(lines) < 4 {
		return nil
	}
	got := reply{signedAt: lines[0], keyID: lines[1], signature: lines[2], body: []byte(lines[3])}
	at, err := strconv.ParseInt(got.signedAt, 10, 64)
	grace := c.Grace
	if grace == 0 {
		grace = 72 * time.Hour
	}
	limit := int64(grace.Seconds())
	// A clock that stands before the time in the file: wrong by a little, or set back to lengthen the grace.
	if err != nil || now-at < -min64(day, limit) || now-at >= limit || !c.kept(got) {
		return nil
	}
	found := read(got.body)
	if found.Valid == nil || !*found.Valid || len(found.Nonce) <= 32 {
		return nil
	}
	if found.Nonce != c.nonce(licenseKey, found.Nonce[:32]) {
		return nil
	}
	return got.body
}

func (c *Client) kept(got reply) bool {
	if len(c.PublicKeys) > 0 {
		return c.signed(got)
	}
	return len(c.Secrets) == 0 || c.sealFits(append([]byte(got.signedAt), got.body...), got.signature)
}

// memory returns the file; its name is made of the API key, so that no two products share one.
func (c *Client) memory() string {
	return or(c.Memory, "keyport-license-"+digest(c.APIKey)[:12]+".txt")
}

func (c *Client) now() int64 {
	if c.Now == nil {
		return time.Now().Unix()
	}
	return c.Now().Unix()
}

// read returns the members of a JSON object, none of anything else.
func read(body []byte) answer {
	var found answer
	if json.Unmarshal(body, &found) != nil {
		return answer{}
	}
	return found
}

func seal(secret string, data []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(data)
	return hex.EncodeToString(mac.Sum(nil))
}

func or(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func min64(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}
