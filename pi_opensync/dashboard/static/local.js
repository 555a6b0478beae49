// Everything on these pages works without scripts; with them a page loads more by itself, follows what grows,
// finds, marks, copies, and is led by keys.
import { ages } from "./ages.js";
import { drawn, whenDrawn } from "./drawing.js";
import { copyButtons } from "./copying.js";
import { find } from "./finding.js";
import { followList, followNumbers, followSession } from "./following.js";
import { keys } from "./keyboard.js";
import { observe } from "./loading.js";
import { options } from "./options.js";
import { bar } from "./reading.js";
import { comeBack } from "./returning.js";
import { values } from "./values.js";

const main = document.querySelector("main");

whenDrawn(copyButtons);
options();
ages();
if (main.dataset.session) bar();
keys();
values();
drawn(main);

const found = main.dataset.session ? await find() : false;
if (!found && !(await comeBack())) {
  const query = new URLSearchParams(location.search);
  const around = document.querySelector(".around");
  if (around) around.scrollIntoView({ block: "center" });
  else if (main.dataset.session && query.has("end")) scrollTo({ top: document.documentElement.scrollHeight });
}
whenDrawn(observe);
observe(main);
if (document.querySelector("[data-rows]")) followList();
if (main.dataset.session) followSession();
if (document.body.matches(".of-numbers")) followNumbers();
