// Keys: `/` finds, `j` and `k` go from one to the next, `[` and `]` from prompt to prompt, `?` shows them all.
import { kept, keep } from "./options.js";
import { toPrompt } from "./reading.js";

const main = document.querySelector("main");
const STOPS = "tr.row, article, a.hit, .titled a";

const move = (step) => {
  const all = [...main.querySelectorAll(STOPS)];
  if (!all.length) return;
  const held = document.activeElement?.closest(STOPS);
  const top = document.querySelector(".bar")?.getBoundingClientRect().bottom ?? 60;
  let index = all.indexOf(held);
  if (index < 0) index = all.findIndex((one) => one.getBoundingClientRect().bottom > top + 8) - (step > 0 ? 1 : 0);
  const next = all[Math.min(Math.max(index + step, 0), all.length - 1)];
  (next.querySelector("a.title") ?? next).focus({ preventScroll: true });
  next.scrollIntoView({ block: next.matches("article") ? "start" : "nearest", behavior: "instant" });
};

const ACTS = {
  "/": () => (document.querySelector("[data-find-in] input[name=q]") ?? document.querySelector("[data-find]"))?.focus(),
  j: () => move(1),
  k: () => move(-1),
  "[": () => main.dataset.session && toPrompt(-1),
  "]": () => main.dataset.session && toPrompt(1),
  "?": () => document.getElementById("keys").showModal(),
};

export const keys = () => {
  const dialog = document.getElementById("keys");
  if (!dialog) return;
  for (const button of document.querySelectorAll("[data-show-keys]")) {
    button.addEventListener("click", () => dialog.showModal());
  }
  const choice = dialog.querySelector("[data-keys-on]");
  choice.checked = kept("keys") !== "off";
  choice.addEventListener("change", () => keep("keys", choice.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || dialog.open || !choice.checked) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = ACTS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
};
