"use strict";
// Before anything is drawn: the theme and the density that this browser was told to keep.
(() => {
  const root = document.documentElement;
  const kept = (name) => { try { return localStorage.getItem(name); } catch { return null; } };
  const theme = kept("theme");
  if (theme === "light" || theme === "dark") root.dataset.theme = theme;
  if (kept("density") === "dense") root.classList.add("dense");
  root.classList.add("js");
})();
