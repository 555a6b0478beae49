// Find in the session: the words are marked, what hides them is opened, and one goes from hit to hit.
import { ask } from "./asking.js";
import { say } from "./drawing.js";

const main = document.querySelector("main");
const BLOCKS = "p, li, pre, td, th, summary, dt, dd, blockquote, h3, h4, h5, h6, .line, .text, .result, article";
const state = { wide: false, ids: [], at: -1, marks: [], mark: -1, turn: 0 };

const unmark = () => {
  for (const mark of main.querySelectorAll("article mark")) {
    const parent = mark.parentNode;
    mark.replaceWith(...mark.childNodes);
    parent.normalize();
  }
};

const textsIn = (article) => {
  const walker = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
  const found = [];
  let whole = "";
  let block = null;
  while (walker.nextNode()) {
    const node = walker.currentNode;
    const parent = node.parentElement;
    if (parent.closest("header, button, .label, .thinking > summary, summary em, .rest, .head, .sign")) continue;
    const nearest = parent.closest(BLOCKS);
    if (block && nearest !== block) whole += "\n";
    block = nearest;
    found.push({ node, start: whole.length });
    whole += node.data;
  }
  return { found, whole };
};

// Where the words stand is told by the server, which has found them: the same rules for every script.
const markIn = async (article) => {
  const { found, whole } = textsIn(article);
  const query = `q=${encodeURIComponent(state.words)}${state.wide ? "&wide=1" : ""}`;
  const runs = JSON.parse(await ask(`/sessions/${main.dataset.session}/marks?${query}`, whole));
  for (const [start, end] of runs.reverse()) {
    for (let index = found.length - 1; index >= 0; index -= 1) {
      const { node, start: from } = found[index];
      const left = Math.max(start - from, 0);
      const right = Math.min(end - from, node.length);
      if (left >= right || !node.data.slice(left, right).trim()) continue;
      node.splitText(right);
      const mark = document.createElement("mark");
      const piece = node.splitText(left);
      piece.replaceWith(mark);
      mark.append(piece);
    }
  }
  return [...article.querySelectorAll("mark")];
};

const tell = (words) => {
  const place = document.querySelector(".bar .found");
  place.textContent = words;
  say(words);
};

const stand = (index) => {
  state.mark = index;
  main.querySelector("mark.now")?.classList.remove("now");
  const mark = state.marks[index];
  if (mark) {
    for (let folded = mark.closest("details"); folded; folded = folded.parentElement.closest("details")) folded.open = true;
    mark.classList.add("now");
    mark.scrollIntoView({ block: "center", behavior: "instant" });
  }
  tell(`${state.at + 1} of ${state.ids.length}`);
};

const enter = async (at, fromEnd) => {
  const id = state.ids[at];
  const article = document.getElementById(`m${id}`);
  const words = document.querySelector("[data-find-in] input[name=q]").value;
  if (!article) {
    location.assign(`/sessions/${main.dataset.session}?at=${id}&find=${encodeURIComponent(words)}#m${id}`);
    return;
  }
  unmark();
  state.at = at;
  state.turn += 1;
  const { turn } = state;
  const marks = await markIn(article).catch(() => []);
  if (turn !== state.turn) return;
  state.marks = marks;
  if (!state.marks.length) article.scrollIntoView({ block: "start", behavior: "instant" });
  stand(fromEnd ? state.marks.length - 1 : 0);
};

const step = (by) => {
  if (!state.ids.length) return;
  const next = state.mark + by;
  if (state.at >= 0 && next >= 0 && next < state.marks.length) { stand(next); return; }
  enter((state.at + by + state.ids.length) % state.ids.length, by < 0);
};

const first = () => {
  const top = [...main.querySelectorAll("article")].find((one) => one.getBoundingClientRect().bottom > 60);
  const here = top ? BigInt(top.dataset.id) : 0n;
  const at = state.ids.findIndex((id) => BigInt(id) >= here);
  return at < 0 ? 0 : at;
};

const look = async (words) => {
  unmark();
  state.words = words;
  Object.assign(state, { wide: false, ids: [], at: -1, marks: [], mark: -1 });
  if (!words.trim()) { tell(""); return; }
  const answer = JSON.parse(await ask(`/sessions/${main.dataset.session}/find?q=${encodeURIComponent(words)}`));
  Object.assign(state, { wide: answer.wide, ids: answer.ids });
  if (!state.ids.length) tell("Not found");
};

// Set up the field; true if the page was opened at a hit and now stands there.
export const find = async () => {
  const form = document.querySelector("[data-find-in]");
  const field = form.querySelector("input[name=q]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (state.words === field.value && state.ids.length) { step(1); return; }
    await look(field.value).catch(() => {});
    if (state.ids.length) await enter(first(), false);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.shiftKey) { event.preventDefault(); step(-1); }
    if (event.key === "Escape") { field.value = ""; look(""); field.blur(); }
  });
  form.querySelector("[data-find-previous]").addEventListener("click", () => step(-1));
  const query = new URLSearchParams(location.search);
  const words = query.get("find");
  if (!words) return false;
  field.value = words;
  await look(words).catch(() => {});
  const at = state.ids.indexOf(query.get("at"));
  if (at < 0 || !document.getElementById(`m${state.ids[at]}`)) return false;
  await enter(at, false);
  return true;
};
