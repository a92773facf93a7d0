// What lies above the page: a question before something is lost, help, and a word that something is done.

import { byId, make, on, say } from "/dom.js";

const TOAST_MS = 4_000;
let timer = 0;

const KEYS = [
	["/", "search"],
	["↑ ↓", "move through results, or lines"],
	["Enter", "open, and play at the second"],
	["n p", "next, previous match"],
	["k", "play or pause"],
	["c", "copy the link at the second"],
	["f", "follow what is spoken"],
	["Esc", "close; back to the results"],
	["?", "this help"],
];
const SYNTAX = [
	['"exact phrase"', "these words in this order, also across caption lines"],
	["tomatoes -greenhouse", "the one without the other"],
	["sourdough OR starter", "either of them; group with ( )"],
	["sail* tomatos~", "beginnings of words, and misspellings"],
	['"slow fire"~8', "both within eight words"],
	["title:chess channel:museum", "only there; also description:"],
	["language:de after:2024-01-31", "captions in German, published since; before:"],
	["longer:20m shorter:1h", "how long a video is"],
];

const rows = (all, term) => all.map(([said, meaning]) => make("div", make("dt", ...term(said)), make("dd", meaning)));

export const syntaxRows = () => rows(SYNTAX, (example) => [make("code", example)]);

export function setUp() {
	byId("syntax").append(...syntaxRows());
	byId("keys").append(...rows(KEYS, (keys) => keys.split(" ").map((key) => make("kbd", key))));
	on(byId("help-open"), "click", help);
	for (const dialog of document.querySelectorAll("dialog")) {
		// A click beside it; what lies in it is another target.
		on(dialog, "click", (event) => event.target === dialog && dialog.close(""));
	}
	on(document, "click", (event) => {
		for (const menu of document.querySelectorAll("details.menu[open]")) {
			if (!menu.contains(event.target) || event.target.closest("div button")) menu.open = false;
		}
	});
}

export function help() {
	if (!byId("help").open) byId("help").showModal();
}

export function confirmed(title, text, yes) {
	const dialog = byId("confirm");
	say(byId("confirm-title"), title);
	say(byId("confirm-text"), text);
	say(byId("confirm-yes"), yes);
	dialog.returnValue = "";
	dialog.showModal();
	return new Promise((resolve) => {
		on(dialog, "close", () => resolve(dialog.returnValue === "yes"), { once: true });
	});
}

export function toast(text) {
	const place = byId("toast");
	place.textContent = text;
	clearTimeout(timer);
	timer = setTimeout(() => (place.textContent = ""), TOAST_MS);
}

/** Copies a text and says so; where that is not allowed, shows it to be copied by hand. */
export async function copy(text, said) {
	try {
		await navigator.clipboard.writeText(text);
		toast(said);
	} catch {
		toast(`Copy it from here: ${text}`);
	}
}

export async function save(blob, name) {
	const address = URL.createObjectURL(await blob);
	make("a", { href: address, download: name }).click();
	setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
