// Checks a license file where there is no network: one file to copy. Go 1.18 or newer, nothing else.
// See docs/verifying.md.
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
)

const day = 86400

type License struct {
	Status       string          `json:"status"`
	Expires      *string         `json:"expires"`
	MaxIPs       *int            `json:"max_ips"`
	Version      *string         `json:"version"`
	VersionValid *bool           `json:"version_valid"`
	Custom       json.RawMessage `json:"custom"`
	KeySHA256    string          `json:"key_sha256"`
	DeviceID     *string         `json:"device_id"`
}

type part struct {
	Alg, Typ, Kid string // of the header
	Iss, Aud      string // of the payload
	Iat, Exp      int64
	License       *License
}

func read(text string) (decoded part, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &decoded)
	}
	return decoded, err
}

// Verify returns what the file says of the license, or why it is not good.
func Verify(file string, keys map[string]string, product, licenseKey, device string, now int64) (*License, error) {
	parts := strings.Split(strings.TrimSpace(file), ".")
	if len(parts) != 3 {
		return nil, errors.New("not a license file")
	}
	header, err := read(parts[0])
	if err != nil || header.Alg != "EdDSA" || header.Typ != "license+jwt" {
		return nil, errors.New("not a license file")
	}
	key, err := hex.DecodeString(keys[header.Kid])
	signature, bad := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || bad != nil || len(key) != ed25519.PublicKeySize ||
		!ed25519.Verify(key, []byte(parts[0]+"."+parts[1]), signature) {
		return nil, errors.New("not signed with a key of this program")
	}

	claims, err := read(parts[1])
	if err != nil || claims.License == nil {
		return nil, errors.New("not a license file")
	}
	typed := strings.ToUpper(strings.ReplaceAll(strings.Join(strings.Fields(licenseKey), ""), "-", ""))
	hash := sha256.Sum256([]byte(typed))
	bound := claims.License.DeviceID
	switch {
	case claims.Iss != "keyport" || claims.Aud != product:
		return nil, errors.New("of another product")
	case now >= claims.Exp:
		return nil, errors.New("expired")
	case now < claims.Iat-day:
		return nil, errors.New("the clock is wrong")
	case hex.EncodeToString(hash[:]) != claims.License.KeySHA256:
		return nil, errors.New("of another license")
	case bound != nil && *bound != device:
		return nil, errors.New("of another device")
	}
	return claims.License, nil
}

func main() {
	keys := map[string]string{}
	for _, key := range os.Args[6:] {
		id, public, _ := strings.Cut(key, "=")
		keys[id] = public
	}
	file, err := os.ReadFile(os.Args[1])
	now, bad := strconv.ParseInt(os.Args[5], 10, 64)
	if err == nil {
		err = bad
	}
	var license *License
	if err == nil {
		license, err = Verify(string(file), keys, os.Args[2], os.Args[3], os.Args[4], now)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "no good license file:", err)
		os.Exit(1)
	}
	shown, _ := json.Marshal(license)
	fmt.Println(string(shown))
}
