// Back, forward and reload lead to the place that one left, with as much loaded and opened as there was.
import { atTop, load } from "./loading.js";

const main = document.querySelector("main");
history.scrollRestoration = "manual";

const key = history.state?.place ?? `place-${Date.now()}-${Math.random()}`;
if (!history.state?.place) history.replaceState({ place: key }, "");

const all = (selector) => [...main.querySelectorAll(selector)];

const leave = () => {
  const top = atTop();
  const articles = all("article");
  const place = {
    y: scrollY,
    anchor: top?.one.id,
    offset: top?.top,
    rows: all("tr.row").length,
    first: articles[0]?.dataset.id,
    last: articles.at(-1)?.dataset.id,
    open: articles.flatMap((article) => [...article.querySelectorAll("details")]
      .flatMap((details, index) => (details.open ? [[article.id, index]] : []))),
  };
  try {
    sessionStorage.setItem(key, JSON.stringify(place));
  } catch { /* there is no room: it will open at its start */ }
};
addEventListener("pagehide", leave);

const isThere = (place) => all("tr.row").length >= place.rows;

const more = (place) => {
  if (place.rows) return isThere(place) ? null : main.querySelector("a[data-more]");
  const articles = all("article");
  if (!place.first || !articles.length) return null;
  if (BigInt(articles[0].dataset.id) > BigInt(place.first)) return main.querySelector("a[data-before]");
  if (BigInt(articles.at(-1).dataset.id) < BigInt(place.last)) return main.querySelector("a[data-more]");
  return null;
};

export const comeBack = async () => {
  const [navigation] = performance.getEntriesByType("navigation");
  if (!["back_forward", "reload"].includes(navigation?.type)) return false;
  let place;
  try {
    place = JSON.parse(sessionStorage.getItem(key));
  } catch {
    return false;
  }
  if (!place) return false;
  let link;
  while ((link = more(place)) && (await load(link)));
  for (const [id, index] of place.open) {
    const details = document.getElementById(id)?.querySelectorAll("details")[index];
    if (details) details.open = true;
  }
  const anchor = place.anchor && document.getElementById(place.anchor);
  if (anchor && place.y > 0) scrollBy({ top: anchor.getBoundingClientRect().top - place.offset, behavior: "instant" });
  else scrollTo({ top: place.y, behavior: "instant" });
  return true;
};
