// Pieces of a page that come later, and who has to look at them.
const hooks = [];

export const whenDrawn = (hook) => { hooks.push(hook); };

export const drawn = (root) => { for (const hook of hooks) hook(root); };

export const fragment = (html) => {
  const template = document.createElement("template");
  template.innerHTML = html;
  return template.content;
};

export const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

// For a screen reader: what has changed, said once.
export const say = (words) => {
  const place = document.getElementById("said");
  if (place) place.textContent = words;
};
