// More of a list or of a session, when its end comes near.
import { ask } from "./asking.js";
import { drawn, fragment } from "./drawing.js";

const main = document.querySelector("main");

const near = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) load(target);
}, { rootMargin: "1200px" });

let loading = 0;

// What stands at the top of the window, so that it can be put there again.
export const atTop = () => {
  for (const one of main.querySelectorAll("article, tr.row")) {
    const { top, bottom } = one.getBoundingClientRect();
    if (bottom > 0) return { one, top };
  }
  return null;
};

export const load = async (link) => {
  near.unobserve(link);
  const place = link.closest(".more");
  const upward = link.dataset.before;
  // What stands at the end would jump when rows come above it.
  loading += 1;
  document.body.classList.add("loading");
  try {
    const content = fragment(await ask(upward || link.dataset.more));
    const anchor = upward ? atTop() : null;
    const rows = content.querySelector("table.rows > tbody"); // not one that a message draws
    place.replaceWith(...(rows || content).childNodes);
    mendDays();
    if (anchor) scrollBy({ top: anchor.one.getBoundingClientRect().top - anchor.top, behavior: "instant" });
    drawn(main);
    return true;
  } catch {
    link.textContent = "That did not load. Try again";
    return false;
  } finally {
    requestAnimationFrame(() => requestAnimationFrame(() => {
      loading -= 1;
      document.body.classList.toggle("loading", loading > 0);
    }));
  }
};

// One heading for each day, above its first message.
export const mendDays = () => {
  let day = null;
  for (const heading of main.querySelectorAll("#messages > .day")) {
    if (heading.dataset.day === day) heading.remove();
    else day = heading.dataset.day;
  }
};

export const observe = (root) => {
  for (const link of root.querySelectorAll("a[data-more], a[data-before]")) {
    if (link.dataset.seen) continue;
    link.dataset.seen = "1";
    link.addEventListener("click", (event) => { event.preventDefault(); load(link); });
    near.observe(link);
  }
};
