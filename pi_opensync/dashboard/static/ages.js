// "2 min ago" stays true on a page that stays open, also after its machine slept; what is active now ends being so.
import { whenDrawn } from "./drawing.js";

const MINUTE = 60000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const { zone, now } = document.body.dataset;
// The server's clock decides, for its words were the first.
const ahead = Number(now) - Date.now();

const form = () => {
  const wanted = { day: "numeric", month: "short", year: "numeric" };
  try {
    return new Intl.DateTimeFormat("en-US", { ...wanted, timeZone: zone });
  } catch {
    return new Intl.DateTimeFormat("en-US", wanted); // the server's zone has no name
  }
};

const date = (then) => {
  const parts = form().formatToParts(then);
  const part = (type) => parts.find((one) => one.type === type).value;
  return `${part("day")} ${part("month")} ${part("year")}`;
};

const age = (then, gone) => {
  if (gone >= 7 * DAY) return date(then);
  if (gone < MINUTE) return "just now";
  if (gone < HOUR) return `${Math.floor(gone / MINUTE)} min ago`;
  if (gone < DAY) return `${Math.floor(gone / HOUR)} h ago`;
  return gone < 2 * DAY ? "yesterday" : `${Math.floor(gone / DAY)} days ago`;
};

const tell = (root) => {
  const at = Date.now() + ahead;
  for (const place of root.querySelectorAll(".age")) {
    const then = Date.parse(place.closest("time").dateTime);
    if (at - then < -MINUTE) continue; // the date, as the server wrote it
    const words = age(then, at - then);
    if (place.textContent !== words) place.textContent = words;
  }
  for (const place of root.querySelectorAll("[data-until]")) {
    if (Number(place.dataset.until) <= at) place.remove();
  }
};

export const ages = () => {
  const again = () => { if (!document.hidden) tell(document); };
  whenDrawn(() => tell(document));
  setInterval(again, 10000);
  document.addEventListener("visibilitychange", again);
  addEventListener("pageshow", again);
};
