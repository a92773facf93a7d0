// Creates and changes elements. Text never becomes HTML.

export function byId(id) {
	const found = document.getElementById(id);
	if (!found) throw new Error(`no element has the id "${id}"`);
	return found;
}

/** Creates an element: `make("p.quiet", {attributes}, ...children)`. Null and false are skipped. */
export function make(tagAndClasses, ...rest) {
	const [tag, ...classes] = tagAndClasses.split(".");
	const element = document.createElement(tag);
	if (classes.length) element.className = classes.join(" ");
	const attributes = rest[0]?.constructor === Object ? rest.shift() : {};
	for (const [name, value] of Object.entries(attributes)) {
		if ((value ?? false) !== false) element.setAttribute(name, value === true ? "" : value);
	}
	element.append(...rest.filter(Boolean));
	return element;
}

/** As in `make`, null and false are skipped. */
export const fill = (element, ...children) => element.replaceChildren(...children.filter(Boolean));

/** A line for a failure, and the function that fills it. */
export function errorLine() {
	const line = make("p.error", { role: "alert" });
	return [line, (message) => setText(line, message)];
}

/** The focus goes to the item beside it, or to the element with the id `otherwise`. */
export function removeItem(item, otherwise) {
	const neighbour = item.nextElementSibling ?? item.previousElementSibling;
	item.remove();
	(neighbour?.querySelector("a, button") ?? byId(otherwise)).focus();
}

/** `beside`: what is beside the heading. */
export function showView(name, title, beside, ...content) {
	document.title = `${title} · yts`;
	fill(byId(`view-${name}`), make("div.heading", heading(`${name}-title`, title), beside), ...content);
}

/** It can take the focus, so that screen readers announce the view. */
export const heading = (id, text) => make("h1", { id, tabindex: -1 }, text);

export const libraryLink = () => make("a", { href: "/" }, "Library");

/** `button(".soft", child or children, …)` */
export function button(classes, content, onClick, attributes = {}) {
	const element = make(`button${classes}`, { type: "button", ...attributes }, ...[content].flat());
	on(element, "click", onClick);
	return element;
}

const BUSY_DELAY_MS = 200;
let busyCount = 0;

/** Shows the busy bar if `promise` does not settle at once. */
export async function withBusyBar(promise) {
	const timer = setTimeout(() => (byId("busy").hidden = false), BUSY_DELAY_MS);
	busyCount += 1;
	try {
		return await promise;
	} finally {
		clearTimeout(timer);
		busyCount -= 1;
		if (!busyCount) byId("busy").hidden = true;
	}
}

export const hasModifier = (event) => event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;

export const on = (target, ...rest) => target.addEventListener(...rest);

const ICONS = {
	play: "M8 5v14l11-7z",
	up: "M7 14l5-5 5 5",
	down: "M7 10l5 5 5-5",
	close: "M6 6l12 12M18 6L6 18",
	plus: "M12 5v14M5 12h14",
	bookmark: "M7 4h10v16l-5-4-5 4z",
	back: "M11 6l-6 6 6 6M5 12h14",
};

export function icon(name) {
	const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
	svg.setAttribute("class", `icon ${name}`);
	svg.setAttribute("viewBox", "0 0 24 24");
	svg.setAttribute("aria-hidden", "true");
	path.setAttribute("d", ICONS[name]);
	svg.append(path);
	return svg;
}

/** `segments` of the API, `[{text, match}]`, as text and `<mark>` elements. */
export const highlight = (segments) => segments.map(({ text, match }) => (match ? make("mark", text) : text));

/** Screen readers would announce an unchanged text again. */
export function setText(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

/** Plain text unless `url` is http(s): other schemes could run a script. */
export function externalLink(url, text, attributes) {
	const href = httpUrl(url);
	const link = href && { href, target: "_blank", rel: "noopener noreferrer" };
	return make(href ? "a" : "span", { ...attributes, ...link }, text);
}

export const youtubeLink = (id, text) => externalLink(`https://www.youtube.com/watch?v=${encodeURIComponent(id)}`, text);

function httpUrl(text) {
	const url = URL.canParse(text) && new URL(text);
	return ["https:", "http:"].includes(url.protocol) ? url.href : null;
}

export function picture(url) {
	const src = httpUrl(url);
	if (!src) return null;
	const image = make("img", { src, alt: "", width: 320, height: 180, loading: "lazy", decoding: "async" });
	on(image, "error", () => image.remove());
	return image;
}

/**
 * Makes `items()` one tab stop: arrow keys, Home and End move between them, Tab returns to the last one.
 * An arrow up from the first item calls `onLeaveTop()`. Returns a function that moves the tab stop.
 */
export function rovingTabindex(container, items, onLeaveTop) {
	on(container, "keydown", (event) => {
		if (hasModifier(event)) return;
		const all = items();
		const current = all.indexOf(document.activeElement);
		const next = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: all.length - 1 }[event.key];
		if (current < 0 || next === undefined) return;
		event.preventDefault();
		if (next < 0) onLeaveTop?.();
		else all[next]?.focus();
	});
	const moveTo = (target) => {
		for (const each of container.querySelectorAll("[tabindex='0']")) each.tabIndex = -1;
		target.tabIndex = 0;
	};
	on(container, "focusin", ({ target }) => items().includes(target) && moveTo(target));
	return moveTo;
}
