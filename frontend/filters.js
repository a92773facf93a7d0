import { button, byId, icon, make, on, setText } from "/dom.js";
import { count, day, languageName } from "/format.js";

const LENGTHS = [
	[[null, "10"], "Up to 10 minutes"],
	[["10", "30"], "10 to 30 minutes"],
	[["30", "60"], "30 to 60 minutes"],
	[["60", null], "Over an hour"],
];
const FIELDS = [[["transcript"], "Transcripts"], [["title"], "Titles"], [["description"], "Descriptions"], [["chapter"], "Chapters"]];

let changeSearch = () => {};
// Titles of playlists and channels, kept for answers that no longer name them.
const titles = new Map();
let chips = [];

/** `onChange(change)`: `change(params)` edits the search. */
export function setUp({ onChange }) {
	changeSearch = onChange;
	const toggle = byId("filters-open");
	on(toggle, "click", () => (toggle.ariaExpanded = byId("filters").classList.toggle("open")));
}

export const anyInUse = () => chips.length > 0;

export function clear(params) {
	for (const name of [...params.keys()]) if (!["q", "sort", "by"].includes(name)) params.delete(name);
}

export function show(facets = {}, params) {
	const container = byId("filters");
	const focused = container.contains(document.activeElement) ? document.activeElement.dataset.key : null;
	chips = [];
	const years = (facets.years ?? []).map(({ value: year, count: amount }) =>
		[[`${year}-01-01`, `${Number(year) + 1}-01-01`], year, amount]);
	const groups = [
		checkboxes("Playlist", "playlist", facets.playlists, params),
		checkboxes("Channel", "channel", facets.channels, params),
		checkboxes("Language", "language", facets.languages, params),
		radios("Published", ["after", "before"], "Any time", years, params),
		radios("Length", ["min_minutes", "max_minutes"], "Any length", LENGTHS, params),
		!params.has("by") && radios("Search in", ["in"], "Everywhere", FIELDS, params),
	];
	for (const word of params.getAll("require")) addChip(`Required: ${word}`, () => changeSearch((next) => next.delete("require", word)));
	const added = params.get("added_after");
	if (added) addChip(`Added since ${day(added)}`, () => changeSearch((next) => next.delete("added_after")));
	container.replaceChildren(...groups.filter(Boolean));
	if (focused) container.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
	const clearAll = chips.length > 1 ? [make("li", button(".plain", "Clear all", () => changeSearch(clear)))] : [];
	byId("chips").replaceChildren(...chips, ...clearAll);
	byId("chips").hidden = !chips.length;
	setText(byId("filters-open"), chips.length ? `Filters (${chips.length})` : "Filters");
}

/** `rows`: `[key, label, amount, checked, onChange(checked)]` */
function fieldset(title, type, rows) {
	const choices = rows.map(([key, label, amount, checked, onChange]) => {
		const input = make("input", { type, name: title, "data-key": `${title}:${key}`, checked });
		on(input, "change", () => onChange(input.checked));
		return make("label.choice", input, make("span.name", label), amount !== undefined && make("span.amount", count(amount)));
	});
	return make("fieldset", make("legend", title), ...choices);
}

function addChip(label, onRemove) {
	const chip = button(".chip", [make("span", label), icon("close")], onRemove, { "aria-label": `Remove the filter ${label}` });
	chips.push(make("li", chip));
}

function checkboxes(title, name, values = [], params) {
	const chosen = params.getAll(name);
	// A filter in use stays visible when no result matches it.
	const missing = chosen.filter((value) => !values.some((each) => each.value === value));
	const all = [...values, ...missing.map((value) => ({ value }))];
	if (all.length < 2 && !chosen.length) return null;
	const rows = all.map(({ value, title: valueTitle, count: amount }) => {
		if (valueTitle) titles.set(value, valueTitle);
		const label = name === "language" ? languageName(value) : (titles.get(value) ?? value);
		const checked = chosen.includes(value);
		const set = (wanted) => changeSearch((next) => next[wanted ? "append" : "delete"](name, value));
		if (checked) addChip(label, () => set(false));
		return [value, label, amount, checked, set];
	});
	return fieldset(title, "checkbox", rows);
}

/** `names` of parameters; `options`: `[values, label, amount]`. Other values in the URL are an option, too. */
function radios(title, names, any, options, params) {
	const none = names.map(() => null);
	const current = names.map((name) => params.get(name));
	const isCurrent = (values) => String(values) === String(current);
	const all = [[none, any], ...options];
	if (!all.some(([values]) => isCurrent(values))) all.push([current, current.map((value) => value ?? "…").join(" to ")]);
	if (all.length < 2) return null;
	const set = (values) => changeSearch((next) => names.forEach((name, index) => {
		if (values[index]) next.set(name, values[index]);
		else next.delete(name);
	}));
	const rows = all.map(([values, label, amount]) => {
		const checked = isCurrent(values);
		if (checked && values !== none) addChip(label, () => set(none));
		return [label, label, amount, checked, () => set(values)];
	});
	return fieldset(title, "radio", rows);
}
