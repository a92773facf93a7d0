import api from "/api.js";
import { button, byId, errorLine, fill, make, on, withBusyBar } from "/dom.js";

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
	r: "related places of this line",
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

const rows = (name, table, termParts) => make(name,
	...Object.entries(table).map(([term, meaning]) => make("div", make("dt", ...termParts(term)), make("dd", meaning))));

export const syntaxRows = () => rows("dl.syntax", SYNTAX, (example) => [make("code", example)]);

export function setUp() {
	on(byId("help-open"), "click", showHelp);
	on(document, "click", (event) => {
		for (const menu of document.querySelectorAll("details.menu[open]")) {
			if (!menu.contains(event.target) || event.target.closest("div button")) menu.open = false;
		}
	});
}

export const showHelp = () => openDialog("Keys and search syntax", () => [make("div.help",
	make("section", make("h3", "Keys"), rows("dl.keys", KEYS, (keys) => keys.split(" ").map((key) => make("kbd", key)))),
	make("section", make("h3", "Search syntax"), syntaxRows()))]);

// Each export: the request of the API, its format, and the name of the file.
const FILES = {
	"Notes (Markdown)": ["exportFile", "markdown", "yts-markdown.zip"],
	"Subtitles (SRT)": ["exportFile", "srt", "yts-srt.zip"],
	"Subtitles (WebVTT)": ["exportFile", "vtt", "yts-vtt.zip"],
	"Transcripts (JSONL)": ["exportFile", "jsonl", "yts-export.jsonl"],
};

/** Exports what the query string `params()` finds: `hits`, like FILES, or the videos. */
export const exportMenu = (params, hits) => menu(make("summary.soft", "Export"), { ...hits, ...FILES }, ([call, format, name]) =>
	api.attempt(async () => {
		await saveFile(api[call](params(), format), name);
		toast("The export is saved.");
	}, toast));

/** `choices`: `{label: value}` */
export const menu = (summary, choices, choose) => make("details.menu", summary,
	make("div", ...Object.entries(choices).map(([label, value]) => button("", label, () => choose(value)))));

/** Resolves to true if the user presses the button labelled `yes`. */
export const confirm = (title, text, yes) => openDialog(title, (_, close) => [
	make("p.quiet", text),
	make("p.dialog-actions", button(".soft", "Keep", () => close(false)), button(".danger", yes, () => close(true))),
]);

/**
 * `load(show, close)` makes the content, and `show()` makes it again after a change. When the dialog is closed, it is
 * removed, and this resolves to the `result` of `close(result)`.
 */
export function openDialog(title, load) {
	let result;
	const cross = make("form", { method: "dialog" }, make("button.round", { "aria-label": "Close" }, "✕"));
	const content = make("div.dialog-content");
	const heading = make("h2", { id: "dialog-title", tabindex: -1 }, title);
	const head = make("div.dialog-head", heading, cross);
	const dialog = make("dialog", { "aria-labelledby": "dialog-title" }, head, content, make("p.toast", { role: "status" }));
	on(dialog, "click", (event) => event.target === dialog && dialog.close());
	document.body.append(dialog);
	const close = (value) => {
		result = value;
		dialog.close();
	};
	const show = () => api.attempt(async () => {
		fill(content, ...(await load(show, close)));
		// The element that had the focus may be gone.
		if (!dialog.contains(document.activeElement)) (content.querySelector("code") ?? heading).focus();
	}, toast);
	dialog.showModal();
	heading.focus();
	show();
	return new Promise((resolve) => {
		on(dialog, "close", () => {
			dialog.remove();
			resolve(result);
		});
	});
}

/** Resolves to the result of `act(name)`, whose failure is shown; undefined if the dialog was closed. */
export const askName = (question, yes, attributes, act) => openDialog(question, (_, close) => {
	const { form, field } = nameForm("Name", yes, attributes, async (name) => close((await act(name)) || true));
	setTimeout(() => {
		field.focus();
		field.select();
	});
	return [form];
});

export function nameForm(label, yes, attributes, act) {
	const [error, showError] = errorLine();
	const field = make("input", { id: "name-field", required: true, autocomplete: "off", ...attributes });
	const form = make("form.line", make("label", { for: field.id }, label), field, make("button", yes), error);
	onSubmit(form, () => act(field.value), showError);
	return { form, field, showError };
}

/** `addresses`: `{label: address}`, or null for none. */
export const shownOnce = (addresses) => addresses ? [
	make("p.note", "Copy it now; it is shown only once."),
	...Object.entries(addresses).map(([label, address]) => make("p.address", make("strong", label),
		make("code", { tabindex: 0 }, address),
		button(".soft", "Copy", () => copyText(address, "It is copied."), { "aria-label": `Copy: ${label}` }))),
] : [];

/** The button is disabled while `action()` runs. A failure goes to `report(message)`. */
async function run(element, action, report) {
	report("");
	element.disabled = true;
	await api.attempt(action, report);
	element.disabled = false;
	// A button that is disabled loses the focus.
	if (document.activeElement === document.body) element.focus({ preventScroll: true });
}

/** `object`: what it acts on, for those who do not see where it is. */
export function actionButton(classes, label, action, report, object) {
	const element = button(classes, label, () => run(element, action, report), object && { "aria-label": `${label} ${object}` });
	return element;
}

export function onSubmit(form, action, report) {
	on(form, "submit", (event) => {
		event.preventDefault();
		run(form.querySelector("button:not([type])"), action, report);
	});
}

export const moreButton = (cursor, load, report) => cursor && actionButton(".soft", "Show more", () => load(cursor), report);

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
