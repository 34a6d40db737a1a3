"use strict";
// One page that shows a sale as it happens and buys in it. What the server says is the truth; this
// page only never asks twice for one purchase: an attempt keeps its key until its answer is known.
(() => {
  const $ = (id) => document.getElementById(id);
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const jitter = (ms) => ms * (0.5 + Math.random());

  // The page that opens this one may hand over a key and a user: /sale/…#key=…&user=…
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (fragment.has("key")) sessionStorage.setItem("penstock.key", fragment.get("key"));
  if (fragment.has("user")) localStorage.setItem("penstock.user", fragment.get("user"));
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  const secret = sessionStorage.getItem("penstock.key");

  let base = "/v1/sales/" + location.pathname.split("/")[2];
  let sale = null;      // the newest sale object
  let limit = 1;        // the product's, per user
  let asset = null;     // what prices are in; null: not known
  let mine = null;      // what this user has bought: {quantity, orders}
  let fault = null;     // what keeps the page from working: {title, text}
  let live = false;
  let offset = null;    // the server's clock minus performance.now()
  let buying = false;
  let ticker = 0;

  // ------------------------------------------------------------------ talking to the server

  const authorized = (headers) =>
    secret ? { ...headers, Authorization: "Bearer " + secret } : headers;

  async function call(method, path, body, headers = {}) {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), 10000);
    try {
      const response = await fetch(path, {
        method,
        headers: authorized(body ? { ...headers, "Content-Type": "application/json" } : headers),
        body: body && JSON.stringify(body),
        cache: "no-store",
        signal: timeout.signal,
      });
      const text = await response.text();
      return {
        status: response.status,
        document: text ? JSON.parse(text) : {},
        retryAfter: 1000 * Number(response.headers.get("Retry-After") || 0),
      };
    } finally {
      clearTimeout(timer);
    }
  }

  const faults = {
    401: {
      title: "A key is needed",
      text: "This shop is protected. Open the page with a link that carries a key.",
    },
    403: { title: "Not allowed", text: "The key of this page may not do that." },
    404: { title: "No such sale", text: "There is nothing at this address. Is the link complete?" },
  };
  const away = {
    title: "The shop cannot be reached",
    text: "This page tries again by itself.",
  };

  // Later samples only ever raise it: an answer that travelled longer says less about the clock.
  function learnTime(document) {
    const at = Date.parse(document.server_time);
    const sample = at - performance.now();
    if (!Number.isNaN(at)) offset = offset === null ? sample : Math.max(offset, sample);
  }
  const now = () => performance.now() + offset;

  function learn(document) {
    learnTime(document);
    sale = document;
    fault = null;
    render();
  }

  async function refresh() {
    try {
      const answer = await call("GET", base);
      if (answer.status === 200) {
        base = "/v1/sales/" + answer.document.product_id;
        learn(answer.document);
        return true;
      }
      fault = faults[answer.status] || (sale ? null : away);
    } catch {
      fault = sale ? fault : away;
    }
    render();
    return false;
  }

  // What the sale object leaves out: how many a user may have, and what the price is in.
  async function learnProduct() {
    try {
      const product = await call("GET", "/v1/products/" + sale.product_id);
      if (product.status !== 200) return;
      limit = product.document.per_user_limit;
      const payment = product.document.payment;
      const ledger = payment && await call("GET", "/v1/ledgers/" + payment.ledger);
      if (ledger && ledger.status === 200) asset = ledger.document.asset;
    } catch {
      // The page works without.
    }
    render();
  }

  async function learnMine() {
    const user = $("user").value.trim();
    if (!user || !sale) return;
    try {
      const answer = await call("GET", base + "/users/" + encodeURIComponent(user));
      if (answer.status === 200 && user === $("user").value.trim()) mine = answer.document;
    } catch {
      // The order's own answer says it too.
    }
    render();
  }

  // ------------------------------------------------------------------------ the live feed

  async function* eventsOf(body, alive) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      text += value;
      for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
        const event = {};
        for (const line of text.slice(0, end).split("\n")) {
          const colon = line.indexOf(": ");
          if (colon > 0) event[line.slice(0, colon)] = line.slice(colon + 2);
        }
        text = text.slice(end + 2);
        yield event;
      }
    }
  }

  async function follow(memory) {
    const quiet = new AbortController();
    let timer = 0;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => quiet.abort(), 40000);
    };
    alive();
    try {
      const headers = { Accept: "text/event-stream" };
      if (memory.id) headers["Last-Event-ID"] = memory.id;
      const response = await fetch(base + "/events", {
        headers: authorized(headers), cache: "no-store", signal: quiet.signal,
      });
      if (!response.ok) return false;
      for await (const event of eventsOf(response.body, alive)) {
        live = true;
        if (event.retry) memory.retry = Number(event.retry);
        if (event.id) memory.id = event.id;
        if (event.data) learn(JSON.parse(event.data)); else render();
      }
      return true;
    } finally {
      clearTimeout(timer);
    }
  }

  async function watch() {
    const memory = { id: "", retry: 1000 };
    for (let failures = 0;; ++failures) {
      const before = memory.id;
      try {
        if (await follow(memory) || memory.id !== before) failures = 0;
      } catch {
        if (memory.id !== before) failures = 0;
      }
      live = false;
      render();
      await wait(jitter(memory.retry * Math.min(8, 2 ** failures)));
      // Where the feed is refused, or the server is new: the state at least.
      await refresh();
    }
  }

  // ------------------------------------------------------------------------------- buying

  const attemptName = () => "penstock.attempt." + sale.product_id;
  const savedAttempt = () => JSON.parse(sessionStorage.getItem(attemptName()) || "null");

  function newKey() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return "web-" + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function isDefinite(answer) {
    if (answer.status < 500 && answer.status !== 408 && answer.status !== 429)
      return answer.document.code !== "idempotency_in_flight";
    return false;
  }

  async function buy() {
    const user = $("user").value.trim();
    $("user").setAttribute("aria-invalid", String(!user));
    $("user-fault").textContent = user ? "" : "Say who is buying first.";
    if (!user) return $("user").focus();
    if (buying) return;
    localStorage.setItem("penstock.user", user);
    // An attempt without an answer is asked for again, never made anew.
    let attempt = savedAttempt();
    if (!attempt || attempt.user !== user) attempt = { key: newKey(), user };
    sessionStorage.setItem(attemptName(), JSON.stringify(attempt));
    buying = true;
    say("");
    const answer = await ask(attempt);
    buying = false;
    if (answer) {
      sessionStorage.removeItem(attemptName());
      settle(answer, user);
    } else {
      say("There is no answer yet. Press again: it is the same order, never made twice.", "warn");
    }
    render();
  }

  async function ask(attempt) {
    const tries = 8;
    for (let made = 1; made <= tries; ++made) {
      let pause = jitter(Math.min(5000, 250 * 2 ** made));
      try {
        render();
        const answer = await call("POST", base + "/orders", { user: attempt.user, quantity: 1 },
          { "Idempotency-Key": attempt.key });
        if (isDefinite(answer)) return answer;
        pause = Math.max(pause, answer.retryAfter);
      } catch {
        // Lost on the way: it may have been done, so the same is asked again.
      }
      if (made < tries) {
        say("The shop is busy. Asking again with the same order …", "warn");
        await wait(pause);
      }
    }
    return null;
  }

  function settle(answer, user) {
    const problem = answer.document;
    if (answer.status < 300) {
      const known = mine && mine.user === user ? mine : { quantity: 0, orders: [] };
      mine = { ...known, user, quantity: known.quantity + problem.quantity,
        orders: [problem, ...known.orders.filter((order) => order.id !== problem.id)] };
      say("");
      learnMine();
      refresh();
      return;
    }
    const words = {
      sold_out: "Somebody was faster: nothing is left right now.",
      sale_ended: "The sale has just ended.",
      sale_not_started: "A moment too early: the sale has not started.",
      purchase_limit_reached: "You have as many as one person may have.",
      insufficient_funds: "The account has not enough money. Nothing was bought.",
      account_not_found: "There is no account with that name. Nothing was bought.",
      self_purchase: "That is the seller's own account. Nothing was bought.",
    };
    if (answer.status === 401 || problem.code === "forbidden") fault = faults[answer.status];
    if (problem.code === "sale_not_started") {
      // This page's clock was ahead; the samples that follow set it right.
      sale = { ...sale, starts_at: problem.starts_at || sale.starts_at };
      offset = Math.min(offset, Date.parse(sale.starts_at) - 1000 - performance.now());
    }
    if (problem.code === "purchase_limit_reached") learnMine();
    const first = problem.errors && problem.errors[0];
    const told = (first ? first.detail : problem.detail) || "That did not work.";
    say(words[problem.code] || told, "bad");
    refresh();
  }

  // ------------------------------------------------------------------------------ showing

  const grouped = new Intl.NumberFormat();
  const point = grouped.formatToParts(1.5).find((part) => part.type === "decimal").value;

  // Exact: an amount never becomes a floating-point number.
  function money(amount) {
    if (amount === 0) return "Free";
    const scale = asset ? asset.scale : 2;
    const digits = String(amount).padStart(scale + 1, "0");
    const whole = grouped.format(BigInt(digits.slice(0, digits.length - scale)));
    const text = scale ? whole + point + digits.slice(digits.length - scale) : whole;
    return asset ? text + " " + asset.code : text;
  }

  function say(text, tone = "good") {
    $("message").dataset.tone = tone;
    $("message").textContent = text;
  }

  // From the clock, at every look: the feed need not tell that a second has passed.
  function statusNow() {
    if (sale.ends_at && now() >= Date.parse(sale.ends_at)) return "ended";
    if (now() < Date.parse(sale.starts_at)) return "upcoming";
    return sale.remaining > 0 ? "active" : "sold_out";
  }

  function stateNow() {
    if (fault) return "error";
    if (!sale) return "loading";
    const status = statusNow();
    const has = mine ? mine.quantity : 0;
    return has > 0 && (has >= limit || status !== "active") ? "bought" : status;
  }

  const badges = {
    loading: "Loading", upcoming: "Starts soon", active: "On sale now", sold_out: "Sold out",
    ended: "Sale ended", bought: "Yours", error: "Sorry",
  };

  function verdictOf(state) {
    const when = (text) =>
      new Date(text).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
    switch (state) {
      case "sold_out": return ["0", "Sold out", (sale.stock > 1
        ? "All " + grouped.format(sale.stock) + " are gone." : "There is none left.") +
        " If one comes back, this page shows it at once."];
      case "ended": return ["–", "The sale is over", "It ended " + when(sale.ends_at) + "."];
      case "bought": return ["✓", mine.quantity > 1 ? "You have " + mine.quantity : "You have it",
        "Bought by " + $("user").value.trim() + "."];
      case "error": return ["!", fault.title, fault.text];
      default: return null;
    }
  }

  function renderClock(state) {
    const target = state === "upcoming" ? sale.starts_at : state === "active" ? sale.ends_at : null;
    $("clock").hidden = !target;
    if (!target) return;
    const left = Math.max(0, Math.ceil((Date.parse(target) - now()) / 1000));
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    $("clock-label").textContent = state === "upcoming" ? "Starts in" : "Ends in";
    $("days-box").hidden = left < 86400;
    $("days").textContent = two(left / 86400);
    $("hours").textContent = two((left / 3600) % 24);
    $("minutes").textContent = two((left / 60) % 60);
    $("seconds").textContent = two(left % 60);
  }

  function renderStock(state) {
    $("stock").hidden = !sale || state === "error" || state === "ended" || state === "loading";
    if ($("stock").hidden) return;
    $("remaining").textContent = grouped.format(sale.remaining);
    $("of-total").textContent = "of " + grouped.format(sale.stock) + " left";
    const share = sale.stock > 0 ? sale.remaining / sale.stock : 0;
    $("bar").setAttribute("aria-valuemax", sale.stock);
    $("bar").setAttribute("aria-valuenow", sale.remaining);
    $("bar").firstElementChild.style.transform = "scaleX(" + share + ")";
  }

  function renderReceipt(state) {
    const order = mine && mine.orders.find((each) => each.status === "completed");
    const shown = order && (state === "bought" || state === "active");
    $("receipt").hidden = !shown;
    if (!shown) return;
    const rows = [["Order", order.id], ["Quantity", grouped.format(order.quantity)],
      ["Total", money(order.total)], ["At", new Date(order.created_at).toLocaleString()]];
    $("receipt").replaceChildren(...rows.flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const text = document.createElement("dd");
      term.textContent = name;
      text.textContent = value;
      return [term, text];
    }));
  }

  function renderOrder(state) {
    $("order").hidden = !["upcoming", "active", "sold_out"].includes(state);
    $("user").disabled = buying;
    $("buy").disabled = buying || state !== "active";
    $("buy").setAttribute("aria-busy", String(buying));
    let label = mine && mine.quantity ? "Buy another" : "Buy now";
    if (sale && savedAttempt()) label = "Try again";
    if (state === "upcoming") label = "Not yet";
    if (state === "sold_out") label = "Sold out";
    $("buy-label").textContent = buying ? "Buying …" : label;
  }

  function render() {
    const state = stateNow();
    document.body.dataset.state = state;
    document.querySelector("main").setAttribute("aria-busy", String(state === "loading"));
    $("badge").textContent = badges[state];
    $("connection").dataset.live = String(live);
    $("connection").lastElementChild.textContent = live ? "live" : "reconnecting";
    $("connection").hidden = state === "error" || state === "loading";
    $("name").textContent = sale && state !== "error" ? sale.name : "Flash sale";
    $("price").textContent = sale && state !== "error" ? money(sale.price) : "";
    if (sale) document.title = sale.name + " · " + badges[state];
    const verdict = verdictOf(state);
    $("verdict").hidden = !verdict;
    const parts = ["mark", "verdict-title", "verdict-text"];
    if (verdict) parts.forEach((id, i) => { $(id).textContent = verdict[i]; });
    renderClock(state);
    renderStock(state);
    renderReceipt(state);
    renderOrder(state);
    if (state === "bought") say("");
    clearTimeout(ticker);
    // On the server's full second, where a countdown changes.
    if (state === "upcoming" || state === "active")
      ticker = setTimeout(render, 1000 - (Math.floor(now()) % 1000) + 1);
  }

  // ------------------------------------------------------------------------------- begin

  $("order").addEventListener("submit", (event) => {
    event.preventDefault();
    buy();
  });
  $("user").addEventListener("change", () => {
    mine = null;
    render();
    learnMine();
  });

  async function begin() {
    $("user").value = localStorage.getItem("penstock.user") || "";
    for (let tries = 0; !await refresh() && fault === away; ++tries)
      await wait(jitter(1000 * Math.min(8, 2 ** tries)));
    if (!sale) return;
    const attempt = savedAttempt();
    if (attempt) $("user").value = attempt.user;
    watch();
    await learnProduct();
    await learnMine();
    if (attempt) buy();
  }
  render();
  begin();
})();
