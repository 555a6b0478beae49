// Open pages that grow. The server says over one connection that something has changed; the page asks what.
import { ask, isBack, isLost } from "./asking.js";
import { drawn, element, fragment, say } from "./drawing.js";
import { mendDays } from "./loading.js";

const main = document.querySelector("main");

// While the page is looked at: a browser keeps only a few connections to one server.
const listen = (url, change) => {
  let source = null;
  let wait = 500;
  let timer = null;
  let asking = false;
  let again = false;
  let newest = 0;

  const run = async (event) => {
    again = true;
    newest = Number(event.data);
    if (asking) return;
    asking = true;
    try {
      while (again) {
        again = false;
        await change(newest);
      }
    } catch { /* told by `ask`; the next change asks again */ }
    asking = false;
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = null;
  };
  const open = () => {
    close();
    source = new EventSource(url);
    source.onopen = () => { wait = 500; isBack(); };
    source.onmessage = run;
    source.onerror = async () => {
      close();
      isLost();
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 20000);
      await ask("/events/ready").catch(() => {});
    };
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else open(); });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  if (!document.hidden) open();
};

const wholeUrl = () => `/${location.search}`;

const note = (count) => {
  let news = document.getElementById("news");
  if (!count) return news?.remove();
  if (!news) {
    news = element("a", { id: "news", className: "notice", href: wholeUrl() });
    document.body.append(news);
  }
  news.textContent = count === 1 ? "1 new" : `${count} new`;
  return say(`${news.textContent} in the list`);
};

// A page that shows only its start is drawn anew; one that was loaded further is told what is above it.
export const followList = () => listen("/events", async () => {
  const rows = document.querySelector("[data-rows]");
  const query = new URLSearchParams(location.search);
  if (query.has("before")) return;
  query.set("rows", "1");
  query.set("since", rows.dataset.revision);
  const html = await ask(`/?${query}`);
  if (html === null) return;
  if (!rows.querySelector("tr.row")) {
    main.replaceChildren(...fragment(await ask(wholeUrl())).querySelector("main").childNodes);
    drawn(main);
    return;
  }
  const fresh = fragment(html);
  const known = new Map([...rows.querySelectorAll("tr.row")].map((row) => [row.id, row.dataset.revision]));
  const grown = [...fresh.querySelectorAll("tr.row")]
    .filter((row) => known.get(row.id) !== row.dataset.revision);
  const isFurther = known.size > fresh.querySelectorAll("tr.row").length;
  if (!isFurther && !rows.matches(":focus-within") && scrollY < 200) {
    replace(rows, fresh);
    if (grown.length) say(`${grown.length} sessions have changed`);
    return;
  }
  for (const row of grown) {
    const old = document.getElementById(row.id);
    if (old && !old.matches(":focus-within")) old.replaceWith(row);
  }
  note(grown.filter((row) => !known.has(row.id)).length);
});

const replace = (rows, fresh) => {
  const totals = document.querySelector(".totals");
  const newTotals = fresh.querySelector(".totals");
  if (totals && newTotals) totals.replaceChildren(...newTotals.childNodes);
  const table = fresh.querySelector("[data-rows]");
  if (table) rows.replaceWith(table);
  note(0);
  drawn(main);
};

// The numbers stay as they are read; that there are newer ones is told.
export const followNumbers = () => listen("/events", (revision) => {
  if (revision <= Number(main.dataset.revision) || document.getElementById("news")) return;
  const news = element("a", { id: "news", className: "notice", href: location.href, textContent: "New numbers" });
  document.body.append(news);
  say("There are new numbers");
});

const put = (piece) => {
  const messages = document.getElementById("messages");
  const article = piece.querySelector("article");
  const known = document.getElementById(article.id);
  if (known) {
    const open = [...known.querySelectorAll("details")].map((details) => details.open);
    article.querySelectorAll("details").forEach((details, index) => { details.open = Boolean(open[index]); });
    known.replaceWith(article);
    return true;
  }
  // Ids are larger than JavaScript's numbers, and sort by time.
  const id = BigInt(article.dataset.id);
  const later = [...messages.querySelectorAll("article")].find((other) => BigInt(other.dataset.id) > id);
  if (later) {
    const heading = later.previousElementSibling?.matches(".day") ? later.previousElementSibling : null;
    if ((heading ?? later).previousElementSibling?.matches(".more")) return false;
    const isSameDay = heading?.dataset.day === article.dataset.day;
    (isSameDay ? later : heading ?? later).before(...(isSameDay ? [article] : piece.childNodes));
    mendDays();
    return true;
  }
  if (messages.querySelector("a[data-more]")) return false;
  messages.append(piece);
  mendDays();
  return true;
};

const lastDrawn = () => {
  const last = [...document.querySelectorAll("#messages article")].at(-1);
  return last ? `&last=${last.dataset.id}` : "";
};

// The session went on from an earlier message: draw the branch that it is on now.
const redraw = async (session) => {
  const fresh = fragment(await ask(`/sessions/${session}?end`)).querySelector("main");
  document.getElementById("messages").replaceChildren(...fresh.querySelector("#messages").childNodes);
  main.dataset.cursor = fresh.dataset.cursor;
  say("The session went on in another branch");
};

export const followSession = () => {
  const { session } = main.dataset;
  const branch = Number(main.dataset.branch ?? 0) ? `&branch=${main.dataset.branch}` : "";
  const grown = document.getElementById("grown");
  let hasLeftBehind = false; // what is read stays, until its reader goes to where the session went on
  listen(`/sessions/${session}/events`, async () => {
    for (;;) {
      const answer = await ask(`/sessions/${session}/changes?after=${main.dataset.cursor}${branch}${lastDrawn()}`);
      if (answer === null) return;
      const { cursor, header, messages, turns, hasLeft } = JSON.parse(answer);
      const page = document.documentElement;
      const atEnd = page.scrollHeight - innerHeight - scrollY < 160;
      const isAbout = document.querySelector(".about-switch input")?.checked;
      const isIds = document.querySelector("#head .ids")?.open;
      document.getElementById("head").replaceChildren(fragment(header));
      if (isIds) document.querySelector("#head .ids").open = true;
      const about = document.querySelector(".about-switch input");
      if (about) about.checked = isAbout;
      const paid = document.querySelector("#head [data-paid]");
      if (paid) document.querySelector(".bar .paid").textContent = paid.dataset.paid;
      hasLeftBehind ||= hasLeft && !atEnd;
      if (hasLeftBehind) grown.textContent = "Went on in another branch ↓";
      else if (hasLeft) await redraw(session);
      let missed = hasLeftBehind;
      for (const { html } of hasLeftBehind ? [] : messages) missed = !put(fragment(html)) || missed;
      for (const [id, html] of Object.entries(turns)) {
        document.querySelector(`#m${id} .turn`)?.replaceChildren(fragment(html));
      }
      if (!hasLeft || hasLeftBehind) main.dataset.cursor = cursor;
      if (messages.length) {
        document.getElementById("nothing")?.remove();
        say(messages.length === 1 ? "A message has come" : `${messages.length} messages have come`);
      }
      grown.hidden = !(missed || (messages.length && !atEnd));
      drawn(main);
      if (atEnd && !missed) scrollTo({ top: page.scrollHeight, behavior: "instant" });
    }
  });
  grown.addEventListener("click", (event) => {
    if (hasLeftBehind || main.querySelector("#messages a[data-more]")) return;
    event.preventDefault();
    grown.hidden = true;
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
  });
};
