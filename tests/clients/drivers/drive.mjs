// Lets a test talk to the JavaScript client: `new` and `check` lines in, one line of verdict out, all with tabs.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

const { KeyPort } = await import(process.argv[2]);
let now = 0;
let keyport;
for await (const line of createInterface({ input: process.stdin })) {
  const [word, ...said] = line.split("\t");
  if (word === "new") {
    const [url, apiKey, grace, memory, timeout, version, deviceId, secrets, keys] = said;
    const pairs = keys.split(" ").filter(Boolean).map((one) => one.split("="));
    keyport = new KeyPort({
      url,
      apiKey,
      publicKeys: Object.fromEntries(pairs.map(([id, path]) => [id, readFileSync(path, "utf8")])),
      secrets: secrets.split(" ").filter(Boolean).map((secret) => secret.replace("EMPTY", "")),
      version: version || undefined,
      deviceId: deviceId || undefined,
      memory: memory || undefined,
      graceHours: +grace,
      timeoutMs: +timeout,
      clock: () => now,
    });
    continue;
  }
  now = +said[0];
  const seen = await keyport.check(said[1]);
  const told = [seen.valid, seen.status, seen.fromMemory, seen.supportCode, seen.retryAfter, seen.message];
  told.push(seen.forSeller, "status" in seen.answer);
  console.log(told.join("\t"));
}
