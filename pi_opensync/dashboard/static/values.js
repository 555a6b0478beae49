// What a chart says of a column or a cell: pointed at, touched, or reached by keys, it stands below.
export const values = () => {
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
