// The right: who is here, with the roles they wear beside their names.

import { avatar } from "./avatar.js";
import { button, colour, el, fill, find, moveStop, rove } from "./dom.js";
import { memberMenu } from "./menus.js";
import { appTag } from "./message.js";
import { guild, here, inDirect, listen, nameColour, nameOf, rolesOf, world } from "./store.js";

let shown = "";

export function startMembers() {
  listen(["places", "moved"], draw);
  rove(find("members"), ".member");
}

function draw() {
  if (!world.places) return;
  const stamp = JSON.stringify([guild(), inDirect(), here.me, world.places.bot]);
  if (stamp === shown) return;
  shown = stamp;
  const focus = document.activeElement?.closest("#members [data-member]")?.dataset.member;
  const home = guild();
  const groups = home ? ofGuild(home) : inDirect() ? [["In this conversation", pair()]] : [];
  fill(find("members"), ...groups.flatMap(([title, rows]) => (rows.length ? [heading(title, rows), ...rows.map((each) => row(each, home))] : [])));
  const all = [...find("members").querySelectorAll(".member")];
  const again = focus && all.find((each) => each.dataset.member === focus);
  moveStop(all, again ?? all[0]);
  again?.focus();
}

function ofGuild(home) {
  const byRank = [...home.members].sort((one, other) => other.top - one.top || one.name.localeCompare(other.name));
  const bots = byRank.filter((each) => each.bot);
  const team = byRank.filter((each) => !each.bot && each.id === home.owner);
  const rest = byRank.filter((each) => !each.bot && each.id !== home.owner);
  return [["Owner", team], ["Members", rest], ["Apps", bots]];
}

const pair = () => [world.places.bot.id, here.me].map((id) => ({ id, name: nameOf(id), bot: id === world.places.bot.id, roles: [] }));

const heading = (title, rows) => el("div", { class: "members-heading" }, `${title} — ${rows.length}`);

function row(who, home) {
  const { bot } = world.places;
  const online = !who.bot || bot.online;
  const roles = rolesOf(who).filter((each) => !who.bot);
  const tint = nameColour(who.id);
  const settings = {
    class: online ? "member" : "member offline",
    tabindex: "-1",
    dataset: { member: who.id },
    "aria-haspopup": "menu",
    "aria-label": [who.name, who.id === home?.owner && "owner", ...roles.map((each) => each.name)].filter(Boolean).join(", "),
    on: { contextmenu: (event) => memberMenu(event, who.id) },
  };
  const name = el("span", { class: "author", dir: "auto", vars: tint ? { "--own": colour(tint) } : {} }, who.name);
  const crown = who.id === home?.owner && el("span", { class: "crown", title: "Server owner", "aria-hidden": "true" }, "♛");
  const state = el("span", { class: online ? "presence online" : "presence", "aria-hidden": "true" });
  const picture = el("span", { class: "with-presence" }, avatar(who.id, who.name), state);
  const words = el(
    "span",
    { class: "member-words" },
    el("span", { class: "member-name" }, name, who.bot && appTag(), crown, who.id === here.me && el("small", { class: "you" }, "you")),
    roles.length ? el("span", { class: "roles" }, roles.map(pill)) : null,
  );
  return button([picture, words], (event) => memberMenu(event, who.id), settings);
}

function pill({ name, color }) {
  const dot = el("span", { class: "role-dot", vars: color ? { "--own": colour(color) } : {} });
  return el("span", { class: "role-pill" }, dot, el("span", { dir: "auto" }, name));
}
