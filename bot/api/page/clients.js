// The drop-in clients: one file each, to be looked at and copied.

import { read, send, text } from "./api.js";
import { copies, el, fill, find } from "./dom.js";
import { code } from "./json.js";

/** Show which clients there are. */
export async function showClients() {
  try {
    const { clients } = await read("docs/clients");
    fill(find("client-list"), clients.length ? el("ul", { class: "clients" }, clients.map(client)) : el("p", { class: "note" }, "This server has none."));
  } catch (error) {
    fill(find("client-list"), el("p", { class: "problem" }, `The list could not be read. ${error.message} Reload the page to try again.`));
  }
}

function client({ name, language }) {
  const path = `docs/clients/${encodeURIComponent(name)}`;
  const source = once(async () => {
    const answer = await send({ method: "GET", path, headers: {} });
    if (answer.code !== 200) throw new Error(`The server answered ${answer.code}.`);
    return text(answer.bytes);
  });
  const place = el("div", {});
  const details = el("details", { on: { toggle: () => open(details, place, name, source) } }, el("summary", {}, "Look at it"), place);
  const copy = copies(el("button", { type: "button", class: "quiet", "aria-label": `Copy ${name}` }, "Copy"), source, name);
  const download = el("a", { class: "quiet", href: path, download: name, "aria-label": `Download ${name}` }, "Download");
  const head = el("div", { class: "bar" }, el("h3", {}, language), el("code", { class: "name" }, name), download, copy);
  return el("li", { class: "client" }, head, details);
}

async function open(details, place, name, source) {
  if (!details.open || place.hasChildNodes()) return;
  try {
    fill(place, code(name, await source()));
  } catch (error) {
    fill(place, el("p", { class: "problem" }, `It could not be read. ${error.message}`));
  }
}

/** Ask once; after a failure, again. */
function once(ask) {
  let asked = null;
  return () => {
    asked ??= ask().catch((error) => {
      asked = null;
      throw error;
    });
    return asked;
  };
}
