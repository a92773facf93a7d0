import api from "/api.js";
import { byId, make, on } from "/dom.js";

const TYPING_PAUSE_MS = 180;
const MAX_SUGGESTIONS = 7;

let search = () => {};
let typingTimer = 0;
let request = null;
let selected = -1;

const box = byId("q");
const list = byId("suggestions");

/** `onSearch(q, typing)` starts a search; `onDown()` moves the focus to the results. */
export function setUp({ onSearch, onDown }) {
	search = onSearch;
	on(box, "input", (event) => event.isComposing || handleInput());
	on(box, "compositionend", handleInput);
	on(box, "blur", close);
	on(box, "keydown", (event) => event.isComposing || handleKey(event, onDown));
	on(byId("search"), "submit", (event) => {
		event.preventDefault();
		submit(box.value);
	});
	// Otherwise the box would lose the focus and close the list before the click.
	on(list, "mousedown", (event) => event.preventDefault());
	on(list, "click", ({ target }) => target !== list && submit(target.textContent));
}

export function setQuery(q) {
	if (box.value.trim() === q.trim()) return;
	box.value = q;
	close();
}

export function focus() {
	box.focus();
	box.select();
}

function handleInput() {
	clearTimeout(typingTimer);
	typingTimer = setTimeout(() => {
		search(box.value, true);
		suggest(box.value);
	}, TYPING_PAUSE_MS);
}

function submit(q) {
	clearTimeout(typingTimer);
	box.value = q;
	close();
	search(q, false);
}

async function suggest(q) {
	request?.abort();
	if (q.trim().length < 2) return close();
	const own = (request = new AbortController());
	await api.attempt(async () => {
		const suggestions = (await api.suggest(q, own.signal)).suggestions.filter((each) => each !== q).slice(0, MAX_SUGGESTIONS);
		if (request === own && document.activeElement === box) show(suggestions);
	}); // no report: the search works without suggestions
}

function show(suggestions) {
	const options = suggestions.map((text, index) => make("li", { role: "option", id: `suggestion-${index}` }, text));
	list.replaceChildren(...options);
	list.hidden = !options.length;
	box.ariaExpanded = !list.hidden;
	select(-1);
}

function select(index) {
	selected = index;
	[...list.children].forEach((option, each) => (option.ariaSelected = each === index));
	if (index < 0) box.removeAttribute("aria-activedescendant");
	else box.setAttribute("aria-activedescendant", list.children[index].id);
}

function close() {
	request?.abort();
	request = null;
	show([]);
}

function handleKey(event, onDown) {
	const options = list.children.length;
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	// Without preventDefault, Escape would also empty the box.
	if (event.key === "Escape" && options) close();
	else if (step && options) select(((selected + 1 + step + options + 1) % (options + 1)) - 1);
	else if (step === 1) onDown();
	else if (event.key === "Enter" && selected >= 0) submit(list.children[selected].textContent);
	else return;
	event.preventDefault();
}
