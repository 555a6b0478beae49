// What a chart says of a column or a cell: pointed at, touched, or reached by keys, it stands below.
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const middle = (one) => {
  const { left, right, top, bottom } = one.getBoundingClientRect();
  return [(left + right) / 2, (top + bottom) / 2];
};

// The link that stands nearest in a direction, rather straight ahead than aside.
const nearest = (links, from, [x, y]) => {
  const [fromX, fromY] = middle(from);
  let best = null;
  let least = Infinity;
  for (const link of links) {
    const [dx, dy] = middle(link).map((place, axis) => place - [fromX, fromY][axis]);
    const ahead = dx * x + dy * y;
    const far = ahead + 4 * Math.abs(dx * y + dy * x);
    if (ahead > 1 && far < least) [best, least] = [link, far];
  }
  return best;
};

// A chart is one stop of the Tab key; arrows go from column to column and from cell to cell in it.
const arrows = (chart) => {
  const links = [...chart.querySelectorAll("a[data-says]")];
  links.forEach((link, index) => link.setAttribute("tabindex", index === links.length - 1 ? "0" : "-1"));
  chart.addEventListener("keydown", (event) => {
    const way = WAYS[event.key];
    const from = event.target.closest("a[data-says]");
    const next = way && from && nearest(links, from, way);
    if (!next) return;
    event.preventDefault();
    from.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
};

export const values = () => {
  document.querySelectorAll("svg.chart").forEach(arrows);
  for (const place of document.querySelectorAll("[data-value]")) {
    const usual = place.textContent;
    const section = place.closest("section");
    const show = (event) => {
      const says = event.target.closest?.("[data-says]")?.dataset.says;
      if (says) place.textContent = says;
    };
    const back = () => { if (!section.matches(":focus-within")) place.textContent = usual; };
    section.addEventListener("pointerover", show);
    section.addEventListener("pointerdown", show);
    section.addEventListener("focusin", show);
    section.addEventListener("pointerleave", back);
    section.addEventListener("focusout", () => { place.textContent = usual; });
    // By touch the first tap says what a column is, the second leads behind it.
    let said = null;
    section.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-says]");
      if (!link || event.pointerType !== "touch" || said === link) return;
      event.preventDefault();
      said = link;
    });
  }
};
