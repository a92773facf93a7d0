// The box at the top: searches while one types, and proposes how to go on.

import * as api from "/api.js";
import { byId, make, on } from "/dom.js";

const PAUSE_MS = 180;
const MOST = 7;

let search = () => {};
let timer = 0;
let running = null;
let chosen = -1;

const box = byId("q");
const list = byId("suggestions");

export function setUp({ onSearch, onDown }) {
	search = onSearch;
	on(box, "input", (event) => event.isComposing || typed());
	on(box, "compositionend", typed);
	on(box, "blur", close);
	on(box, "keydown", (event) => event.isComposing || key(event, onDown));
	on(byId("search"), "submit", (event) => {
		event.preventDefault();
		ask(box.value);
	});
	on(list, "mousedown", (event) => event.preventDefault());
	on(list, "click", ({ target }) => target !== list && ask(target.textContent));
}

export function put(q) {
	if (box.value.trim() === q.trim()) return;
	box.value = q;
	close();
}

export function focus() {
	box.focus();
	box.select();
}

function typed() {
	clearTimeout(timer);
	timer = setTimeout(() => {
		search(box.value, true);
		propose(box.value);
	}, PAUSE_MS);
}

function ask(q) {
	clearTimeout(timer);
	box.value = q;
	close();
	search(q, false);
}

/** Completions are a help, not what was asked for: without them nothing is said. */
async function propose(q) {
	running?.abort();
	if (q.trim().length < 2) return close();
	const mine = (running = new AbortController());
	try {
		const found = (await api.suggest(q, mine.signal)).filter((each) => each !== q).slice(0, MOST);
		if (running === mine && document.activeElement === box) show(found);
	} catch (error) {
		if (!mine.signal.aborted && !(error instanceof api.ApiError)) throw error;
	}
}

function show(suggestions) {
	const options = suggestions.map((text, number) =>
		make("li", { role: "option", id: `suggestion-${number}` }, text),
	);
	list.replaceChildren(...options);
	list.hidden = !options.length;
	box.ariaExpanded = !list.hidden;
	choose(-1);
}

function choose(number) {
	chosen = number;
	[...list.children].forEach((option, at) => (option.ariaSelected = at === number));
	if (number < 0) box.removeAttribute("aria-activedescendant");
	else box.setAttribute("aria-activedescendant", list.children[number].id);
}

function close() {
	running?.abort();
	running = null;
	show([]);
}

function key(event, down) {
	const options = list.children.length;
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	// Escape would empty the box.
	if (event.key === "Escape" && options) close();
	else if (step && options) choose(((chosen + 1 + step + options + 1) % (options + 1)) - 1);
	else if (step === 1) down();
	else if (event.key === "Enter" && chosen >= 0) ask(list.children[chosen].textContent);
	else return;
	event.preventDefault();
}
