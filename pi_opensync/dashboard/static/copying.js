// Copy buttons: beside code, for a message, for a link to it, for a command.
import { ask } from "./asking.js";
import { element, say } from "./drawing.js";

const main = document.querySelector("main");

const button = (label, title, text) => {
  const made = element("button", { type: "button", className: "copy", textContent: label, title });
  made.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(await text());
      made.textContent = "Copied";
      say("Copied");
    } catch {
      made.textContent = "Not copied";
    }
    setTimeout(() => { made.textContent = label; }, 1500);
  });
  return made;
};

const textOf = async (article) => {
  const whole = await ask(`/sessions/${main.dataset.session}/messages/${article.dataset.id}/parts/text`);
  return whole || [...article.querySelectorAll(".text, .result")].map((one) => one.textContent).join("\n");
};

const linkTo = (article) => {
  const id = article.dataset.id;
  return `${location.origin}/sessions/${main.dataset.session}?at=${id}#m${id}`;
};

const given = (root, selector, add) => {
  for (const one of root.querySelectorAll(selector)) {
    if (one.dataset.copied) continue;
    one.dataset.copied = "1";
    add(one);
  }
};

export const copyButtons = (root) => {
  given(root, ".code > .head", (head) => {
    head.append(button("Copy", "Copy this code", () => head.parentElement.querySelector("code").textContent));
  });
  given(root, "article > header", (header) => {
    const article = header.parentElement;
    header.append(
      button("Copy", "Copy this message", () => textOf(article)),
      button("Link", "Copy a link to this message", () => linkTo(article)),
    );
  });
  given(root, "[data-copy]", (place) => {
    place.after(button("Copy", `Copy ${place.dataset.copy}`, () => place.textContent));
  });
};
