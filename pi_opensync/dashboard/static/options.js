// What this browser keeps: the theme, the density of the list, whether keys act; and the reader's time zone.
import { whenDrawn } from "./drawing.js";

export const kept = (name) => {
  try { return localStorage.getItem(name); } catch { return null; }
};

export const keep = (name, value) => {
  try { localStorage.setItem(name, value); } catch { /* it lasts as long as the page */ }
};

const root = document.documentElement;

const zone = () => {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const cookie = document.cookie.match(/(?:^|; )opensync_zone=([^;]*)/u)?.[1];
  if (!own || cookie === encodeURIComponent(own)) return;
  document.cookie = `opensync_zone=${encodeURIComponent(own)}; path=/; max-age=31536000; samesite=lax`;
  if (document.body.dataset.zone && document.body.dataset.zone !== own) location.reload();
};

// What is chosen by pointer holds at once. Keys go through what one does not want, and a date is whole at its
// first digit of the year: there Enter, or the button that then is shown, says when.
const filters = () => {
  let key = null;
  const fields = "[data-filters] :is(select, input)";
  document.addEventListener("pointerdown", () => { key = null; }, true);
  document.addEventListener("keydown", (event) => {
    key = event.key;
    if (key !== "Enter" || !event.target.matches("[data-filters].pending select")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  }, true);
  document.addEventListener("change", ({ target }) => {
    if (!target.matches(fields)) return;
    if (key === null || key === "Enter" || target.type === "checkbox") target.form.requestSubmit();
    else target.form.classList.add("pending");
  });
};

export const options = () => {
  zone();
  const theme = document.querySelector("[data-theme-choice]");
  if (theme) {
    theme.value = kept("theme") ?? "";
    theme.addEventListener("change", () => {
      keep("theme", theme.value);
      if (theme.value) root.dataset.theme = theme.value;
      else delete root.dataset.theme;
    });
  }
  document.addEventListener("click", (event) => {
    const density = event.target.closest("[data-density]");
    if (!density) return;
    const isDense = root.classList.toggle("dense");
    density.setAttribute("aria-pressed", String(isDense));
    keep("density", isDense ? "dense" : "");
  });
  filters();
  whenDrawn((place) => {
    for (const density of place.querySelectorAll("[data-density]")) {
      density.setAttribute("aria-pressed", String(root.classList.contains("dense")));
    }
  });
};
