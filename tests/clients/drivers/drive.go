// Lets a test talk to the Go client: `new` and `check` lines in, one line of verdict out, all with tabs.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"drive/keyport"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	var now int64
	var client *keyport.Client
	for lines.Scan() {
		said := strings.Split(lines.Text(), "\t")
		if said[0] == "new" {
			client = opened(said)
			client.Now = func() time.Time { return time.Unix(now, 0) }
			continue
		}
		now, _ = strconv.ParseInt(said[1], 10, 64)
		seen := client.Check(said[2])
		fmt.Printf("%t\t%s\t%t\t%s\t%d\t%s\t%s\t%t\n", seen.Valid, seen.Status, seen.FromMemory,
			seen.SupportCode, seen.RetryAfter, seen.Message, seen.ForSeller,
			strings.Contains(string(seen.Body), `"status"`))
	}
}

func opened(said []string) *keyport.Client {
	grace, _ := strconv.Atoi(said[3])
	if grace == 0 {
		grace = -1 // here 0 means 72 hours
	}
	timeout, _ := strconv.Atoi(said[5])
	keys := map[string]string{}
	for _, pair := range strings.Fields(said[9]) {
		id, path, _ := strings.Cut(pair, "=")
		text, _ := os.ReadFile(path)
		keys[id] = string(text)
	}
	secrets := strings.Fields(said[8])
	for i, secret := range secrets {
		secrets[i] = strings.ReplaceAll(secret, "EMPTY", "")
	}
	return &keyport.Client{
		URL: said[1], APIKey: said[2], Memory: said[4], Version: said[6], DeviceID: said[7],
		Grace: time.Duration(grace) * time.Hour, Timeout: time.Duration(timeout) * time.Millisecond,
		Secrets: secrets, PublicKeys: keys,
	}
}
