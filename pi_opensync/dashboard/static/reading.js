// The bar of a session: outline, previous and next prompt, everything opened or closed, edits only.
import { ask } from "./asking.js";
import { drawn, fragment, whenDrawn } from "./drawing.js";

const main = document.querySelector("main");
const FOLDED = "details.tool, details.thinking";
let listed = null;
let everything = null;

const outline = async () => {
  listed ??= ask(`/sessions/${main.dataset.session}/outline?list=1`);
  const list = document.querySelector("[data-outline]");
  try {
    if (!list.querySelector("li")) list.replaceChildren(fragment(await listed));
  } catch {
    listed = null;
  }
  return [...list.querySelectorAll("[data-id]")].map((one) => one.dataset.id);
};

const edge = () => document.querySelector(".bar").getBoundingClientRect().bottom + 24;

const stand = (article) => {
  article.scrollIntoView({ block: "start", behavior: "instant" });
  article.focus({ preventScroll: true });
};

export const toMessage = (id, more = "") => {
  const article = document.getElementById(`m${id}`);
  if (!article) {
    location.assign(`/sessions/${main.dataset.session}?at=${id}${more}#m${id}`);
    return null;
  }
  stand(article);
  return article;
};

// The prompt before or after what stands below the bar: on the page if it is loaded, else through the outline.
export const toPrompt = async (step) => {
  const prompts = [...document.querySelectorAll("article.user")];
  const top = edge();
  const place = (one) => one.getBoundingClientRect().top;
  const there = step > 0
    ? prompts.find((one) => place(one) > top + 2)
    : prompts.findLast((one) => place(one) < top - 60);
  if (there) return stand(there);
  if (!main.querySelector(step > 0 ? "a[data-more]" : "a[data-before]")) return null;
  const articles = document.querySelectorAll("article");
  const here = BigInt((step > 0 ? articles[articles.length - 1] : articles[0]).dataset.id);
  const ids = (await outline()).map(BigInt);
  const next = step > 0 ? ids.find((id) => id > here) : ids.findLast((id) => id < here);
  return next === undefined ? null : toMessage(next);
};

const foldAll = (button) => {
  const isOpen = everything !== "open";
  everything = isOpen ? "open" : "closed";
  button.textContent = isOpen ? "Close all" : "Open all";
  button.setAttribute("aria-expanded", String(isOpen));
  for (const details of main.querySelectorAll(FOLDED)) details.open = isOpen;
};

const editsOnly = (button) => {
  const isOn = main.classList.toggle("edits-only");
  button.setAttribute("aria-pressed", String(isOn));
  for (const details of main.querySelectorAll(".edit")) details.open = isOn || everything === "open";
  drawn(main);
};

const follow = (root) => {
  for (const details of root.querySelectorAll(FOLDED)) {
    if (details.dataset.met) continue;
    details.dataset.met = "1";
    if (everything === "open" || (main.matches(".edits-only") && details.matches(".edit"))) details.open = true;
  }
};

const placed = (menu) => {
  const { bottom, left, right } = document.querySelector(`[popovertarget=${menu.id}]`).getBoundingClientRect();
  const { clientWidth } = document.documentElement;
  const isLeft = left + right < clientWidth; // it grows towards the middle
  menu.classList.add("placed");
  menu.style.top = `${bottom + 6}px`;
  menu.style.left = isLeft ? `${Math.max(left, 8)}px` : "auto";
  menu.style.right = isLeft ? "auto" : `${Math.max(clientWidth - right, 8)}px`;
  if (menu.id === "outline") outline();
};

export const bar = () => {
  const line = document.querySelector(".bar");
  whenDrawn(follow);
  const above = `-${parseFloat(getComputedStyle(line).top) + 1}px 0px 0px`;
  new IntersectionObserver(([entry]) => line.classList.toggle("stuck", !entry.isIntersecting), { rootMargin: above })
    .observe(document.getElementById("head"));
  const on = (name, act) => main.querySelector(`[data-${name}]`)?.addEventListener("click", act);
  on("fold", (event) => foldAll(event.currentTarget));
  on("edits", (event) => editsOnly(event.currentTarget));
  on("previous", () => toPrompt(-1));
  on("next", () => toPrompt(1));
  on("print", () => print());
  for (const menu of document.querySelectorAll(".menu")) {
    menu.addEventListener("beforetoggle", (event) => { if (event.newState === "open") placed(menu); });
  }
  document.querySelector("[data-outline]").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-id]");
    if (!link || !document.getElementById(`m${link.dataset.id}`)) return;
    event.preventDefault();
    link.closest(".menu").hidePopover();
    toMessage(link.dataset.id);
  });
};
