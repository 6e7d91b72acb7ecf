// Who and what can be chosen: people, roles and channels of the place one is in.

import { avatar } from "./avatar.js";
import { colour, el } from "./dom.js";
import { guild, here, inDirect, nameOf, world } from "./store.js";

function people() {
  if (inDirect()) return [here.me, world.places.bot.id].map((id) => person({ id, name: nameOf(id), roles: [] }));
  return (guild()?.members ?? []).map(person);
}

function person({ id, name, roles }) {
  const worn = roles.map((each) => guild()?.roles.find((one) => one.id === each)?.name).filter(Boolean);
  return { value: id, label: name, detail: worn.join(", "), icon: avatar(id, name, "small"), sign: "@" };
}

function roles() {
  return (guild()?.roles ?? []).map((each) => {
    const dot = el("span", { class: "role-dot", vars: each.color ? { "--own": colour(each.color) } : {} });
    return { value: each.id, label: each.name, icon: dot, sign: "@" };
  });
}

function channels() {
  const hash = () => el("span", { class: "hash", "aria-hidden": "true" }, "#");
  return (guild()?.channels ?? []).map((each) => ({ value: each.id, label: each.name, icon: hash(), sign: "#" }));
}

export const TARGETS = {
  user: people,
  role: roles,
  channel: channels,
  mentionable: () => [...people(), ...roles()],
};

/** Keep what fits the typed words; what begins with them comes first. */
export function fitting(items, typed) {
  const wanted = typed.trim().replace(/^[@#]/, "").toLowerCase();
  if (!wanted) return items;
  const within = items.filter((each) => each.label.toLowerCase().includes(wanted));
  return within.sort((one, other) => begins(other, wanted) - begins(one, wanted));
}

const begins = (item, wanted) => Number(item.label.toLowerCase().startsWith(wanted));
