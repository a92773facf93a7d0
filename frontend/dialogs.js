// Help, confirmation and short messages above the page; copying and saving.

import { attempt } from "/api.js";
import { button, byId, make, on, setText, withBusyBar } from "/dom.js";

const TOAST_MS = 4_000;
let toastTimer = 0;

const KEYS = {
	"/": "search",
	"↑ ↓": "move through results or lines",
	Enter: "open, and play from there",
	"n p": "next or previous match",
	k: "play or pause",
	c: "copy a link to this moment",
	f: "follow the spoken line",
	s: "on a line: keep it as a clip",
	"⇧↑ ⇧↓": "and the lines around it",
	Esc: "close, or return to the results",
	"?": "show this help",
};
const SYNTAX = {
	'"exact phrase"': "these words in this order, even across caption lines",
	"tomatoes -greenhouse": "tomatoes, but not greenhouse",
	"sourdough OR starter": "either word; group with ( )",
	"sail* tomatos~": "words that begin with sail; similar spellings",
	'"slow fire"~8': "both within eight words",
	"title:chess channel:museum": "only in the title or channel; also description: chapter:",
	"language:de after:2024-01-31": "German captions, published since then; also before:",
	"longer:20m shorter:1h": "the length of the video",
};

const rows = (table, termParts) =>
	Object.entries(table).map(([term, meaning]) => make("div", make("dt", ...termParts(term)), make("dd", meaning)));

export const syntaxRows = () => rows(SYNTAX, (example) => [make("code", example)]);

export function setUp() {
	byId("syntax").append(...syntaxRows());
	byId("keys").append(...rows(KEYS, (keys) => keys.split(" ").map((key) => make("kbd", key))));
	on(byId("help-open"), "click", showHelp);
	for (const dialog of document.querySelectorAll("dialog")) {
		// A click on the content has another target than a click on the backdrop.
		on(dialog, "click", (event) => event.target === dialog && dialog.close(""));
	}
	on(document, "click", (event) => {
		for (const menu of document.querySelectorAll("details.menu[open]")) {
			if (!menu.contains(event.target) || event.target.closest("div button")) menu.open = false;
		}
	});
}

export function showHelp() {
	if (!byId("help").open) byId("help").showModal();
}

/** Resolves to true if the user presses the button labelled `yes`. */
export function confirm(title, text, yes) {
	const dialog = byId("confirm");
	setText(byId("confirm-title"), title);
	setText(byId("confirm-text"), text);
	setText(byId("confirm-yes"), yes);
	dialog.returnValue = "";
	dialog.showModal();
	return new Promise((resolve) => {
		on(dialog, "close", () => resolve(dialog.returnValue === "yes"), { once: true });
	});
}

/** Shows a dialog with a heading until it is closed. `load()` makes the content, and again after each change. */
export function openDialog(title, load) {
	const close = make("form", { method: "dialog" }, make("button.round", { "aria-label": "Close" }, "✕"));
	const content = make("div.dialog-content");
	const heading = make("h2", { id: "dialog-title", tabindex: -1 }, title);
	const head = make("div.dialog-head", heading, close);
	const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, head, content, make("p.toast", { role: "status" }));
	on(dialog, "click", (event) => event.target === dialog && dialog.close());
	on(dialog, "close", () => dialog.remove());
	document.body.append(dialog);
	const show = () => attempt(async () => {
		content.replaceChildren(...(await load(show, dialog)));
		// What was focused may be gone.
		if (!dialog.contains(document.activeElement)) (content.querySelector("code") ?? heading).focus();
	}, toast);
	dialog.showModal();
	heading.focus();
	return show();
}

/** An address that is shown once, and a button that copies it. */
export function addressRow(label, address) {
	const code = make("code", { tabindex: 0 }, address);
	const copy = button(".soft", "Copy", () => copyText(address, "The address is copied."), { "aria-label": `Copy: ${label}` });
	return make("p.address", make("strong", label), code, copy);
}

/** A button that is disabled while `action()` runs. A failure goes to `report(message)`. */
export function actionButton(classes, label, action, report, attributes) {
	const element = button(classes, label, async () => {
		report("");
		element.disabled = true;
		await attempt(action, report);
		element.disabled = false;
		// A button that is disabled loses the focus.
		if (document.activeElement === document.body) element.focus({ preventScroll: true });
	}, attributes);
	return element;
}

export function toast(text) {
	// Behind an open dialog, nobody would see or hear it.
	const element = document.querySelector("dialog[open] .toast") ?? byId("toast");
	element.textContent = text;
	clearTimeout(toastTimer);
	toastTimer = setTimeout(() => (element.textContent = ""), TOAST_MS);
}

/** If the browser forbids copying, shows `text` instead of `message`. */
export async function copyText(text, message) {
	try {
		await navigator.clipboard.writeText(text);
		toast(message);
	} catch {
		toast(`Copy it from here: ${text}`);
	}
}

export async function saveFile(blob, name) {
	const href = URL.createObjectURL(await withBusyBar(blob));
	make("a", { href, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(href), 60_000);
}
