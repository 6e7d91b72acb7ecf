// The left: servers, their channels, the conversation with the bot, and who one is.

import { avatar, initials } from "./avatar.js";
import { button, el, fill, find, isTyped, rove } from "./dom.js";
import { be, go, settle } from "./places.js";
import { channel, guild, guilds, here, inDirect, listen, markRead, nameOf, rolesOf, member, unread, world } from "./store.js";

export function startSidebar() {
  listen(["places", "messages", "moved", "ready"], draw);
  rove(find("rail"), "button");
  rove(find("channels"), ".channel");
  find("main").addEventListener("mousedown", closeDrawer);
  document.addEventListener("keydown", (event) => isTyped(event, "Escape") && closeDrawer());
}

// In a narrow window the channels lie over the messages while they are asked for.

const closeDrawer = () => document.body.classList.remove("show-channels");

function openDrawer() {
  document.body.classList.add("show-channels");
  (find("channels").querySelector(".channel.here") ?? find("channels").querySelector(".channel"))?.focus();
}

let shown = "";

function draw() {
  settle();
  if (!world.places) return;
  const counts = [...guilds().flatMap((each) => each.channels), { id: world.places.dm }].map((each) => unread(each.id));
  const stamp = JSON.stringify([world.places, here, counts]);
  if (stamp === shown) return;
  shown = stamp;
  const key = document.activeElement?.dataset.place;
  drawRail();
  drawChannels();
  drawPlace();
  document.title = titled(counts);
  if (key) document.querySelector(`[data-place="${CSS.escape(key)}"]`)?.focus();
}

function titled(counts) {
  const fresh = counts.reduce((sum, each) => sum + each, 0);
  const where = channel()?.direct ? `@${channel().name}` : `#${channel()?.name ?? ""}`;
  return `${fresh ? `(${fresh}) ` : ""}${where} | ${guild()?.name ?? nameOf(here.me)}`;
}

function drawRail() {
  const direct = world.places.dm && railButton({
    key: "rail-direct",
    name: "Direct messages",
    face: el("span", { class: "bubble", "aria-hidden": "true" }),
    here: inDirect(),
    count: unread(world.places.dm),
    run: () => go(world.places.dm),
  });
  const homes = guilds().map((each) =>
    railButton({
      key: `rail-${each.id}`,
      name: each.name,
      face: initials(each.name),
      here: guild() === each,
      count: each.channels.reduce((sum, one) => sum + unread(one.id), 0),
      quiet: true,
      run: () => each.channels[0] && guild() !== each && go(each.channels[0].id),
    }),
  );
  fill(find("rail"), ...[direct, el("span", { class: "rail-line", role: "separator" }), ...homes].filter(Boolean));
}

function railButton({ key, name, face, here: current, count, quiet, run }) {
  const settings = {
    class: current ? "rail-button here" : count ? "rail-button fresh" : "rail-button",
    title: name,
    dataset: { place: key },
    "aria-label": count ? `${name}, ${count} unread` : name,
    "aria-current": current ? "true" : null,
  };
  return button([face, count && !quiet ? badge(count) : null], run, settings);
}

const badge = (count) => el("span", { class: "badge", "aria-hidden": "true" }, count > 99 ? "99+" : String(count));

function drawChannels() {
  const home = guild();
  const title = el("header", { class: "channels-title", dir: "auto" }, home?.name ?? (inDirect() ? "Direct messages" : "No server"));
  const rows = home ? home.channels.map(row) : world.places.dm ? [directRow()] : [];
  const heading = el("div", { class: "channels-heading" }, home ? "Text channels" : inDirect() ? "Messages" : "");
  const direct = home && world.places.dm ? [el("div", { class: "channels-heading" }, "Direct messages"), directRow()] : [];
  fill(find("channels"), title, el("div", { class: "channels-list" }, heading, rows, direct), myself());
}

function row(each) {
  return place(each, [el("span", { class: "hash", "aria-hidden": "true" }, "#"), el("span", { class: "channel-name", dir: "auto" }, each.name)]);
}

function directRow() {
  const { bot, dm } = world.places;
  const state = el("span", { class: bot.online ? "presence online" : "presence", "aria-hidden": "true" });
  const picture = el("span", { class: "with-presence" }, avatar(bot.id, bot.name, "small"), state);
  return place({ id: dm, name: bot.name }, [picture, el("span", { class: "channel-name" }, bot.name)]);
}

function place({ id, name }, words) {
  const fresh = unread(id);
  const settings = {
    class: `channel ${id === here.at ? "here" : ""} ${fresh ? "fresh" : ""}`,
    dataset: { place: `channel-${id}` },
    "aria-current": id === here.at ? "page" : null,
    "aria-label": fresh ? `${name}, ${fresh} unread` : name,
  };
  const run = () => {
    go(id);
    markRead(id);
    closeDrawer();
  };
  return button([words, fresh ? badge(fresh) : null], run, settings);
}

function myself() {
  const roles = rolesOf(member(here.me)).map((each) => each.name).join(", ");
  const part = world.places.people.find((each) => each.id === here.me)?.part;
  const name = nameOf(here.me);
  const next = () => {
    const all = world.places.people;
    be(all[(all.findIndex((each) => each.id === here.me) + 1) % all.length].id);
  };
  const words = el("span", { class: "myself-words" }, el("strong", { dir: "auto" }, name), el("small", { dir: "auto" }, roles || part));
  const swap = button("⇄", next, { class: "plain", "aria-label": "Be the next person", title: "Be the next person" });
  return el("footer", { class: "myself" }, avatar(here.me, name), words, swap);
}

function drawPlace() {
  const where = channel();
  if (!where) return fill(find("place"));
  const toggleMembers = () => document.body.classList.toggle("toggle-members");
  const sign = where.direct ? "@" : "#";
  fill(find("place"), 
    button("☰", openDrawer, { class: "plain narrow-only", "aria-label": "Channels" }),
    el("h1", { class: "place-name" }, el("span", { class: "hash", "aria-hidden": "true" }, sign), el("span", { dir: "auto" }, where.name)),
    where.topic && el("span", { class: "topic", dir: "auto" }, where.topic),
    button(membersShape(), toggleMembers, { class: "plain at-end", "aria-label": "Show or hide members", title: "Members" }),
  );
}

const membersShape = () => el("span", { class: "members-shape", "aria-hidden": "true" });
