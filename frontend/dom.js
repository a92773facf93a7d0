// Elements, made without ever reading text as HTML.

/** The element with this id; it is in the page. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`expected an element with the id "${id}", found none`);
  return found;
}

/** A new element: attributes (null and false are left out), then children (elements or text). */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Says it, or nothing. A text that stays the same is not announced again. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A link to another site. Whatever is not http is no link, wherever it comes from. */
export function linkTo(url, attributes, ...children) {
  const safe = webAddress(url);
  if (!safe) return make("span", attributes, ...children);
  return make("a", { ...attributes, href: safe, target: "_blank", rel: "noopener" }, ...children);
}

/** The address if it is one of the web, otherwise null. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
  } catch {
    return null;
  }
}
