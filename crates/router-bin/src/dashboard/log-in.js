"use strict";
// The log-in. The token is sent once and not kept; a cookie that scripts cannot read
// stands for it.

const SESSION = "/v1/session";

/** Shows the figures, and the controls that the scopes allow. */
function enter(who) {
  session = who;
  $("log-in").hidden = true;
  $("log-out").hidden = !who.log_in;
  $("main").hidden = false;
  $("ask-card").hidden = !(who.route && may("ask"));
  $("invalidate-card").hidden = !may("invalidate");
  connection("connecting");
  listen();
}

/** Hides what was shown and asks for a token. */
function leave(why) {
  session = null;
  stream?.close();
  stopPolling();
  $("main").hidden = true;
  $("log-out").hidden = true;
  $("caching").disabled = true;
  $("caching-banner").hidden = true;
  put("uptime", "");
  connection("out");
  $("log-in").hidden = false;
  put("log-in-result", why);
  $("log-in-form").elements.token.focus();
}

/** Enters if there is a log-in, or if none is needed. */
async function start() {
  try {
    const response = await fetch(SESSION, { signal: AbortSignal.timeout(5000) });
    if (response.ok) enter(await response.json());
    else if (response.status === 401) leave("");
    else leave(problem({ response, value: await response.json().catch(() => null) }));
  } catch {
    connection("offline");
    setTimeout(start, POLL_MS);
  }
}

$("log-in-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const input = event.target.elements.token;
  try {
    const sent = await send("POST", SESSION, { token: input.value });
    if (sent.response.ok) enter(sent.value);
    else put("log-in-result", problem(sent));
  } catch (error) {
    put("log-in-result", unreachable(error));
  }
  input.value = "";
});

$("log-out").addEventListener("click", async () => {
  try {
    await fetch(SESSION, { method: "DELETE" });
    leave("");
  } catch (error) {
    result(`Not logged out. ${unreachable(error)}`, true);
  }
});

start();
