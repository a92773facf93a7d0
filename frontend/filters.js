// The filters of a search: facets with their counts, dates, lengths; those in use are chips above the hits.

import { button, byId, icon, make, on, say } from "/dom.js";
import { count, languageName } from "/format.js";

const YEARS = 8;
const FACETS = [["playlists", "playlist", "Playlist"], ["channels", "channel", "Channel"], ["languages", "language", "Language"]];
const LENGTHS = [
	["Any length", { min_minutes: null, max_minutes: null }],
	["Up to 10 minutes", { min_minutes: null, max_minutes: "10" }],
	["10 to 30 minutes", { min_minutes: "10", max_minutes: "30" }],
	["30 to 60 minutes", { min_minutes: "30", max_minutes: "60" }],
	["Over an hour", { min_minutes: "60", max_minutes: null }],
];
const TEXTS = [
	["Everywhere", { in: null }],
	["What is said", { in: "transcript" }],
	["Titles", { in: "title" }],
	["Descriptions", { in: "description" }],
];

let change = () => {};
const titles = new Map();
let chips = [];

export function setUp({ onChange }) {
	change = onChange;
	const open = byId("filters-open");
	on(open, "click", () => {
		open.setAttribute("aria-expanded", String(byId("filters").classList.toggle("open")));
	});
}

export const inUse = () => chips.length > 0;

export function clear(parameters) {
	for (const name of [...parameters.keys()]) if (name !== "q" && name !== "sort") parameters.delete(name);
}

export function show(facets, parameters) {
	const place = byId("filters");
	const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
	chips = [];
	const groups = FACETS.map(([name, parameter, title]) => facet(facets[name], parameter, title, parameters));
	const years = facets.years.slice(0, YEARS).map(({ value, count: number }) => [
		value,
		{ after: `${value}-01-01`, before: `${Number(value) + 1}-01-01` },
		number,
	]);
	const published = [["Any time", { after: null, before: null }], ...years];
	groups.push(
		radios("Published", published, parameters),
		radios("Length", LENGTHS, parameters),
		radios("Search in", TEXTS, parameters),
	);
	place.replaceChildren(...groups.filter(Boolean));
	if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
	const out = chips.length > 1 ? [make("li", button("Clear all", () => change(clear), { class: "plain" }))] : [];
	byId("chips").replaceChildren(...chips, ...out);
	byId("chips").hidden = !chips.length;
	say(byId("filters-open"), chips.length ? `Filters (${chips.length})` : "Filters");
}

const group = (title, ...content) => make("fieldset", make("legend", title), ...content);

function choice(type, name, value, label, number, checked, act) {
	const input = make("input", { type, name, "data-key": `${name}:${value}`, checked });
	on(input, "change", () => act(input.checked));
	const amount = number === undefined ? null : make("span.amount", count(number));
	return make("label.choice", input, make("span.name", { dir: "auto" }, label), amount);
}

function chip(label, without) {
	const attributes = { class: "chip", "aria-label": `Remove the filter ${label}` };
	chips.push(make("li", button([make("span", { dir: "auto" }, label), icon("close")], without, attributes)));
}

function facet(values, parameter, title, parameters) {
	const chosen = parameters.getAll(parameter);
	const missing = chosen.filter((value) => !values.some((each) => each.value === value));
	const all = [...values, ...missing.map((value) => ({ value, count: 0 }))];
	if (all.length < 2 && !chosen.length) return null;
	const rows = all.map((each) => {
		const key = `${parameter}:${each.value}`;
		if (each.title) titles.set(key, each.title);
		const label = parameter === "language" ? languageName(each.value) : (titles.get(key) ?? each.value);
		const on = chosen.includes(each.value);
		const without = () => change((next) => next.delete(parameter, each.value));
		const row = choice("checkbox", parameter, each.value, label, each.count, on, (is) =>
			is ? change((next) => next.append(parameter, each.value)) : without(),
		);
		if (on) chip(label, without);
		return row;
	});
	return group(title, ...rows);
}

/** One of several `[label, parameters, count]`, the first of which is no filter; or what the address says else. */
function radios(title, options, parameters) {
	const names = Object.keys(options[0][1]);
	const is = (values) => names.every((name) => values[name] === parameters.get(name));
	const own = Object.fromEntries(names.map((name) => [name, parameters.get(name)]));
	const all = options.some((each) => is(each[1]))
		? options
		: [...options, [names.map((name) => own[name] ?? "…").join(" to "), own]];
	const rows = all.map(([label, values, number], at) => {
		if (at && is(values)) chip(label, () => put(options[0][1]));
		return choice("radio", title, label, label, number, is(values), () => put(values));
	});
	return group(title, ...rows);
}

function put(values) {
	change((next) => {
		for (const [name, value] of Object.entries(values)) {
			if (value) next.set(name, value);
			else next.delete(name);
		}
	});
}
