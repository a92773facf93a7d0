// Elements, made without ever reading text as HTML.

import { ApiError } from "/api.js";

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
	element.append(...children.filter((child) => child !== null && child !== undefined));
	return element;
}

/** A button that does something; `name` says it to those who do not see what stands on it. */
export function button(content, act, attributes = {}) {
	const made = make("button", { type: "button", ...attributes }, ...[content].flat());
	made.addEventListener("click", act);
	return made;
}

/** Does it, or says why the API did not: `told(message)`. What else goes wrong is a defect, and thrown. */
export async function attempt(act, told) {
	try {
		await act();
	} catch (error) {
		if (!(error instanceof ApiError)) throw error;
		told(error.message);
	}
}

const ICONS = {
	play: "M8 5v14l11-7z",
	up: "M7 14l5-5 5 5",
	down: "M7 10l5 5 5-5",
	close: "M6 6l12 12M18 6L6 18",
	link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.700-5.700l-1.500 1.500M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.700 5.700l1.500-1.500",
	quote: "M4 17h4l2-4V7H4v6h3zM14 17h4l2-4V7h-6v6h3z",
	save: "M12 4v11M7 11l5 5 5-5M5 20h14",
	out: "M14 5h5v5M19 5l-9 9M17 14v5H5V7h5",
	filter: "M4 6h16M7 12h10M10 18h4",
	search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.500 4.500",
	back: "M11 6l-6 6 6 6M5 12h14",
};

/** A drawing beside a word, or in a button that has a name. */
export function icon(name) {
	const namespace = "http://www.w3.org/2000/svg";
	const drawing = document.createElementNS(namespace, "svg");
	drawing.setAttribute("class", `icon ${name}`);
	drawing.setAttribute("viewBox", "0 0 24 24");
	drawing.setAttribute("aria-hidden", "true");
	const path = document.createElementNS(namespace, "path");
	path.setAttribute("d", ICONS[name]);
	drawing.append(path);
	return drawing;
}

/** SEGMENTS of the API, `[{text, match}]`, as text and marks. */
export function marked(segments) {
	return segments.map(({ text, match }) => (match ? make("mark", {}, text) : text));
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

/** A picture that leaves its frame empty if it does not come. What it shows is said beside it. */
export function picture(url) {
	const source = url && webAddress(url);
	if (!source) return null;
	const image = make("img", { src: source, alt: "", width: "320", height: "180", loading: "lazy", decoding: "async" });
	image.addEventListener("error", () => image.remove());
	return image;
}

/**
 * One tab stop for many: `items()` are reached with the arrow keys, Home and End, and the one reached
 * last is where Tab comes back to. From the first one up, `above()` is called.
 */
export function roving(container, items, above) {
	container.addEventListener("keydown", (event) => {
		if (event.altKey || event.ctrlKey || event.metaKey) return;
		const all = items();
		const at = all.indexOf(document.activeElement);
		const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
		if (at < 0 || next === undefined) return;
		event.preventDefault();
		if (next < 0) above?.();
		else all[next]?.focus();
	});
	container.addEventListener("focusin", ({ target }) => {
		for (const each of container.querySelectorAll("[tabindex='0']")) each.tabIndex = -1;
		target.tabIndex = 0;
	});
}
