// Where this tab is and as whom: kept in the address, so that a reload or a second tab finds it.

import { connect } from "./connection.js";
import { announce, channelCalled, guilds, here, world } from "./store.js";

export function readAddress() {
  const query = new URLSearchParams(location.search);
  here.me = query.get("as");
  here.at = query.get("at");
}

export function addressOf(me, at = null) {
  const query = new URLSearchParams({ as: me, ...(at ? { at } : {}) });
  return `/page/?${query}`;
}

function writeAddress() {
  window.history.replaceState(null, "", addressOf(here.me, here.at));
}

/** Become somebody else in this tab. */
export function be(userId, at = here.at) {
  if (here.me === userId) return go(at);
  here.me = userId;
  here.at = at;
  writeAddress();
  announce("person");
  connect();
}

/** Go to another channel. */
export function go(channelId) {
  if (!channelCalled(channelId)) return;
  here.at = channelId;
  writeAddress();
  announce("moved");
}

/** Stay where the person can be: the channel in the address, else the first they see. */
export function settle() {
  if (!world.places || channelCalled(here.at)) return;
  const first = guilds().flatMap((each) => each.channels)[0]?.id ?? world.places.dm;
  if (first) go(first);
}
