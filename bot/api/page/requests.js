// The four requests of the playground: which fields each needs, what goes over the wire, and the same as a curl line.

import { BASE } from "./api.js";

const SHOWN_OF_KEY = 12;

export const KINDS = {
  validate: { fields: ["license_key", "version", "device_id", "nonce", "secret"], build: validate },
  lookup: { fields: ["license_key"], build: lookUp },
  file: { fields: ["license_key", "version", "device_id"], build: licenseFile },
  keys: { fields: [], build: publicKeys },
};

/** What is sent for the values of the form. */
export function build(kind, values) {
  return KINDS[kind].build(values, { Authorization: `Bearer ${values.api_key}` });
}

function validate(values, headers) {
  const asked = { license_key: values.license_key };
  for (const name of ["version", "device_id", "nonce"]) if (values[name]) asked[name] = values[name];
  return {
    method: "POST",
    path: "api/v1/validate",
    headers: { ...headers, "Content-Type": "application/json" },
    body: JSON.stringify(asked),
  };
}

function lookUp(values, headers) {
  return { method: "GET", path: `api/v1/license/${encodeURIComponent(values.license_key)}`, headers };
}

function licenseFile(values, headers) {
  const asked = new URLSearchParams();
  for (const name of ["device_id", "version"]) if (values[name]) asked.set(name, values[name]);
  const query = asked.size ? `?${asked}` : "";
  return { method: "GET", path: `api/v1/license/${encodeURIComponent(values.license_key)}/file${query}`, headers };
}

export function publicKeys(_values, headers) {
  return { method: "GET", path: "api/v1/keys", headers };
}

/** What is wrong with the form, by field; nothing is sent then. */
export function problems(kind, values) {
  const found = {};
  if (!values.api_key) found.api_key = "Paste the product's API key; staff see it once, when they create the product.";
  else if (!/^[\x21-\x7e]+$/.test(values.api_key)) found.api_key = "This is no API key: it holds blanks or letters that no API key has. Copy it again.";
  if (KINDS[kind].fields.includes("license_key") && !values.license_key.trim()) found.license_key = "Type or paste a license key.";
  return found;
}

/** The request as a line for a shell. */
export function curl(kind, values, { masked }) {
  const key = values.api_key || "kp_live_...";
  const shown = masked && values.api_key ? `${key.slice(0, Math.min(SHOWN_OF_KEY, key.length >> 1))}…` : key;
  const request = build(kind, { ...values, api_key: shown, license_key: values.license_key || "ABCD-EFGH-JKMN-PQRS" });
  const lines = [`curl -sS -i ${quoted(new URL(request.path, BASE).href)}`];
  for (const [name, value] of Object.entries(request.headers)) lines.push(`-H ${quoted(`${name}: ${value}`)}`);
  if (request.body) lines.push(`-d ${quoted(request.body)}`);
  return lines.join(" \\\n  ");
}

function quoted(words) {
  return `'${words.replaceAll("'", "'\\''")}'`;
}
