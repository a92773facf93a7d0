// The box at the top: searches while one types, and proposes how to go on.

import * as api from "/api.js";
import { byId, make, on } from "/dom.js";

const PAUSE_MS = 180;
const MOST = 7;

let search = () => {};
let timer = 0;
let running = null;
let chosen = -1;

const box = () => byId("q");
const list = () => byId("suggestions");

export function setUp({ onSearch, onDown }) {
	search = onSearch;
	on(box(), "input", (event) => event.isComposing || typed());
	on(box(), "compositionend", typed);
	on(box(), "blur", close);
	on(box(), "keydown", (event) => key(event, onDown));
	on(byId("search"), "submit", (event) => {
		event.preventDefault();
		ask(box().value, false);
	});
	on(list(), "mousedown", (event) => event.preventDefault());
	on(list(), "click", (event) => {
		const option = event.target.closest("[role=option]");
		if (option) ask(option.textContent, false);
	});
}

export function put(q) {
	if (box().value.trim() !== q.trim()) box().value = q;
}

export function focus() {
	box().focus();
	box().select();
}

function typed() {
	clearTimeout(timer);
	timer = setTimeout(() => {
		search(box().value, true);
		propose(box().value);
	}, PAUSE_MS);
}

function ask(q, typing) {
	clearTimeout(timer);
	box().value = q;
	close();
	search(q, typing);
}

/** Completions are a help, not what was asked for: without them nothing is said. */
async function propose(q) {
	running?.abort();
	if (q.trim().length < 2) return close();
	const mine = (running = new AbortController());
	try {
		const found = (await api.suggest(q, mine.signal)).filter((each) => each !== q).slice(0, MOST);
		if (running === mine && document.activeElement === box()) show(found);
	} catch (error) {
		if (!mine.signal.aborted && !(error instanceof api.ApiError)) throw error;
	}
}

function show(suggestions) {
	chosen = -1;
	const options = suggestions.map((text, number) =>
		make("li", { role: "option", id: `suggestion-${number}`, "aria-selected": "false", dir: "auto" }, text),
	);
	list().replaceChildren(...options);
	list().hidden = !options.length;
	box().setAttribute("aria-expanded", String(!list().hidden));
	box().removeAttribute("aria-activedescendant");
}

function close() {
	running?.abort();
	running = null;
	show([]);
}

function key(event, down) {
	const options = [...list().children];
	if (event.isComposing) return;
	if (event.key === "Escape" && options.length) {
		event.preventDefault(); // the box would be emptied
		close();
	} else if (event.key === "ArrowDown" && !options.length) {
		event.preventDefault();
		down();
	} else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
		event.preventDefault();
		const step = event.key === "ArrowDown" ? 1 : -1;
		chosen = ((chosen + 1 + step + options.length + 1) % (options.length + 1)) - 1;
		options.forEach((option, number) => option.setAttribute("aria-selected", String(number === chosen)));
		if (chosen < 0) box().removeAttribute("aria-activedescendant");
		else box().setAttribute("aria-activedescendant", options[chosen].id);
	} else if (event.key === "Enter" && chosen >= 0) {
		event.preventDefault();
		ask(options[chosen].textContent, false);
	}
}
