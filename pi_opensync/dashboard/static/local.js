"use strict";
// Everything on these pages works without this file; it loads more by itself, follows what grows, and copies code.
(() => {
  const main = document.querySelector("main");
  document.documentElement.classList.add("js");

  const fragment = (html) => {
    const template = document.createElement("template");
    template.innerHTML = html;
    return template.content;
  };

  const text = async (url) => {
    const answer = await fetch(url, { redirect: "error", headers: { accept: "text/html" } });
    if (!answer.ok) throw new Error(answer.status);
    return answer.status === 204 ? null : answer.text();
  };

  // More of a list, when its end comes near.
  const near = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) load(target);
  }, { rootMargin: "1200px" });

  const load = async (link) => {
    near.unobserve(link);
    const place = link.closest(".more");
    const upward = link.dataset.before;
    try {
      const content = fragment(await text(upward || link.dataset.more));
      const rows = content.querySelector(".rows");
      const height = document.documentElement.scrollHeight;
      if (rows) place.parentElement.dataset.grown = "1";
      place.replaceWith(...(rows || content).childNodes);
      if (upward) scrollBy({ top: document.documentElement.scrollHeight - height, behavior: "instant" });
      prepare(main);
    } catch {
      link.textContent = "That did not load. Try again";
    }
  };

  const copyButton = (block) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.querySelector("code").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    block.append(button);
  };

  const prepare = (root) => {
    for (const link of root.querySelectorAll("a[data-more], a[data-before]")) {
      if (link.dataset.seen) continue;
      link.dataset.seen = "1";
      link.addEventListener("click", (event) => { event.preventDefault(); load(link); });
      near.observe(link);
    }
    for (const block of root.querySelectorAll(".code")) if (!block.querySelector(".copy")) copyButton(block);
  };

  // Ask again and again while the page is looked at, less often when the server is away.
  const follow = (ask, every) => {
    let wait = every;
    const step = async () => {
      if (!document.hidden) {
        try {
          await ask();
          wait = every;
        } catch {
          wait = Math.min(wait * 2, 60000);
        }
      }
      setTimeout(step, wait);
    };
    setTimeout(step, wait);
  };

  const followRows = () => follow(async () => {
    const rows = document.querySelector("[data-rows]");
    if (!rows || rows.matches(":focus-within")) return;
    if (rows.dataset.grown) return;
    const query = new URLSearchParams(location.search);
    query.set("rows", "1");
    query.set("since", rows.dataset.revision);
    const html = await text(`/?${query}`);
    if (html === null) return;
    if (!rows.children.length) return location.reload();
    rows.replaceWith(fragment(html));
    prepare(main);
  }, 4000);

  const place = (article) => {
    const messages = document.getElementById("messages");
    const known = document.getElementById(article.id);
    if (known) {
      const open = [...known.querySelectorAll("details")].map((details) => details.open);
      article.querySelectorAll("details").forEach((details, index) => { details.open = Boolean(open[index]); });
      known.replaceWith(article);
      return true;
    }
    // Ids are larger than JavaScript's numbers, and sort by time.
    const id = BigInt(article.dataset.id);
    const later = [...messages.querySelectorAll("article")].find((other) => BigInt(other.dataset.id) > id);
    if (later) {
      if (later.previousElementSibling?.matches(".more")) return false;
      later.before(article);
      return true;
    }
    if (messages.querySelector("a[data-more]")) return false;
    messages.append(article);
    return true;
  };

  const followSession = () => follow(async () => {
    const answer = await text(`${main.dataset.changes}?after=${main.dataset.cursor}`);
    if (answer === null) return;
    const { cursor, header, messages } = JSON.parse(answer);
    const page = document.documentElement;
    const atEnd = page.scrollHeight - innerHeight - scrollY < 160;
    document.getElementById("head").replaceChildren(fragment(header));
    let missed = false;
    for (const { html } of messages) missed = !place(fragment(html).querySelector("article")) || missed;
    main.dataset.cursor = cursor;
    if (messages.length) document.getElementById("nothing")?.remove();
    document.getElementById("grown").hidden = !(missed || (messages.length && !atEnd));
    prepare(main);
    if (atEnd && !missed) scrollTo({ top: page.scrollHeight, behavior: "instant" });
  }, 1500);

  const fold = document.querySelector("[data-fold]");
  if (fold) {
    fold.hidden = false;
    fold.addEventListener("click", () => {
      const tools = [...document.querySelectorAll("details.tool")];
      const open = !tools.every((tool) => tool.open);
      for (const tool of tools) tool.open = open;
      fold.textContent = open ? "Close all tools" : "Open all tools";
    });
  }

  document.getElementById("grown")?.addEventListener("click", (event) => {
    if (document.querySelector("#messages a[data-more]")) return;
    event.preventDefault();
    event.currentTarget.hidden = true;
    scrollTo({ top: document.documentElement.scrollHeight, behavior: "smooth" });
  });

  for (const select of document.querySelectorAll("[data-filters] select, [data-filters] input")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    document.querySelector("[data-find]")?.focus();
  });

  prepare(main);
  if (document.querySelector("[data-rows]")) followRows();
  if (main.dataset.changes) followSession();
  // A link to one message: it may have been pushed down by what was set above it.
  document.querySelector(".around")?.scrollIntoView({ block: "center" });
})();
