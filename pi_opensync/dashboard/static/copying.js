// Copy buttons: beside code, for a message, for a link to it, for a command.
import { ask } from "./asking.js";
import { element, say } from "./drawing.js";

const main = document.querySelector("main");

const copy = async (button, text) => {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(await text());
    button.textContent = "Copied";
    say("Copied");
  } catch {
    button.textContent = "Not copied";
  }
  setTimeout(() => { button.textContent = label; }, 1500);
};

const textOf = async (article) => {
  const whole = await ask(`/sessions/${main.dataset.session}/messages/${article.dataset.id}/parts/text`);
  return whole || [...article.querySelectorAll(".text, .result")].map((one) => one.textContent).join("\n");
};

const linkTo = (article) => {
  const id = article.dataset.id;
  return `${location.origin}/sessions/${main.dataset.session}?at=${id}#m${id}`;
};

const WHAT = {
  code: (button) => button.closest(".code").querySelector("code").textContent,
  link: (button) => linkTo(button.closest("article")),
  message: (button) => textOf(button.closest("article")),
  text: (button) => button.previousElementSibling.textContent,
};

export const copyButtons = (root) => {
  for (const head of root.querySelectorAll(".code > .head")) {
    if (head.querySelector(".copy")) continue;
    const made = element("button", { type: "button", className: "copy", textContent: "Copy" });
    made.dataset.copy = "code";
    head.append(made);
  }
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button, () => WHAT[button.dataset.copy](button));
});
