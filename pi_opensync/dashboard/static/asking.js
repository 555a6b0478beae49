// Asking the server, and saying so when it does not answer or has forgotten this browser.
import { element } from "./drawing.js";

let notice = null;

const show = (...words) => {
  if (!notice) {
    notice = element("p", { className: "notice lost" });
    notice.setAttribute("role", "alert");
    document.body.append(notice);
  }
  notice.replaceChildren(...words);
};

export const isBack = () => {
  notice?.remove();
  notice = null;
};

export const isLost = () => show("The connection is lost. Trying again…");

const isOut = () => {
  const to = encodeURIComponent(location.pathname + location.search);
  show("You are logged out. ", element("a", { href: `/login?to=${to}`, textContent: "Log in" }));
};

// The text of an answer, null for one without; an error if there is none, which is told to the reader. With a
// body it is posted.
export const ask = async (url, body) => {
  let answer;
  try {
    answer = await fetch(url, { method: body === undefined ? "GET" : "POST", body, redirect: "manual", headers: { accept: "text/html" } });
  } catch (error) {
    isLost();
    throw error;
  }
  if (answer.type === "opaqueredirect") {
    isOut();
    throw new Error("logged out");
  }
  isBack();
  if (!answer.ok) throw new Error(answer.status);
  return answer.status === 204 ? null : answer.text();
};
