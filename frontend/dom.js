// Elements, made without ever reading text as HTML.

export function byId(id) {
	const found = document.getElementById(id);
	if (!found) throw new Error(`expected an element with the id "${id}", found none`);
	return found;
}

/** A new element, `make("p.quiet", {attributes}, ...children)`: what is null, false or empty is left out. */
export function make(what, ...rest) {
	const [tag, ...classes] = what.split(".");
	const element = document.createElement(tag);
	if (classes.length) element.className = classes.join(" ");
	const attributes = rest[0]?.constructor === Object ? rest.shift() : {};
	for (const [name, value] of Object.entries(attributes)) {
		if ((value ?? false) !== false) element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...rest.filter(Boolean));
	return element;
}

/** The heading of a view, which is where whoever comes by a link goes on from. */
export const heading = (id, text) => make("h1", { id, tabindex: "-1" }, text);

/** `button(".soft", content, act)`: the classes come first. */
export function button(classes, content, act, attributes = {}) {
	const made = make(`button${classes}`, { type: "button", ...attributes }, ...[content].flat());
	on(made, "click", act);
	return made;
}

const PATIENCE_MS = 200;
let waiting = 0;

/** Waits for it; after a moment the page shows that it does. */
export async function busy(promise) {
	const timer = setTimeout(() => (byId("busy").hidden = false), PATIENCE_MS);
	waiting += 1;
	try {
		return await promise;
	} finally {
		clearTimeout(timer);
		waiting -= 1;
		if (!waiting) byId("busy").hidden = true;
	}
}

export const on = (target, ...rest) => target.addEventListener(...rest);

const ICONS = {
	play: "M8 5v14l11-7z",
	up: "M7 14l5-5 5 5",
	down: "M7 10l5 5 5-5",
	close: "M6 6l12 12M18 6L6 18",
	back: "M11 6l-6 6 6 6M5 12h14",
};

export function icon(name) {
	const [drawing, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
	drawing.setAttribute("class", `icon ${name}`);
	drawing.setAttribute("viewBox", "0 0 24 24");
	drawing.setAttribute("aria-hidden", "true");
	path.setAttribute("d", ICONS[name]);
	drawing.append(path);
	return drawing;
}

/** SEGMENTS of the API, `[{text, match}]`, as text and marks. */
export const marked = (segments) => segments.map(({ text, match }) => (match ? make("mark", text) : text));

/** Says it, or nothing. A text that stays the same is not announced again. */
export function say(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/** A link to another site. Whatever is not http is no link, wherever it comes from. */
export function linkTo(url, attributes, text) {
	const href = webAddress(url);
	const link = href && { href, target: "_blank", rel: "noopener" };
	return make(href ? "a" : "span", { ...attributes, ...link }, text);
}

export const youtubeLink = (id, text) => linkTo(`https://www.youtube.com/watch?v=${encodeURIComponent(id)}`, {}, text);

function webAddress(text) {
	const url = URL.canParse(text) && new URL(text);
	return ["https:", "http:"].includes(url.protocol) ? url.href : null;
}

export function picture(url) {
	const src = webAddress(url);
	if (!src) return null;
	const image = make("img", { src, alt: "", width: "320", height: "180", loading: "lazy", decoding: "async" });
	on(image, "error", () => image.remove());
	return image;
}

/**
 * One tab stop for many: `items()` are reached with the arrow keys, Home and End, and the one reached
 * last is where Tab comes back to. From the first one up, `above()` is called.
 */
export function roving(container, items, above) {
	on(container, "keydown", (event) => {
		if (event.altKey || event.ctrlKey || event.metaKey) return;
		const all = items();
		const at = all.indexOf(document.activeElement);
		const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
		if (at < 0 || next === undefined) return;
		event.preventDefault();
		if (next < 0) above?.();
		else all[next]?.focus();
	});
	on(container, "focusin", ({ target }) => {
		for (const each of container.querySelectorAll("[tabindex='0']")) each.tabIndex = -1;
		target.tabIndex = 0;
	});
}
