// The filters of a search: facets with their counts, dates, lengths; those in use are chips above the hits.

import { button, byId, icon, make, on, say } from "/dom.js";
import { count, languageName } from "/format.js";

const FACETS = { playlist: "Playlist", channel: "Channel", language: "Language" };
const LENGTHS = [[null, "10", "Up to 10 minutes"], ["10", "30", "10 to 30 minutes"], ["30", "60", "30 to 60 minutes"], ["60", null, "Over an hour"]];
const TEXTS = [["transcript", "What is said"], ["title", "Titles"], ["description", "Descriptions"]];

let change = () => {};
const titles = new Map();
let chips = [];

export function setUp({ onChange }) {
	change = onChange;
	const open = byId("filters-open");
	on(open, "click", () => (open.ariaExpanded = byId("filters").classList.toggle("open")));
}

export const inUse = () => chips.length > 0;

export function clear(parameters) {
	for (const name of [...parameters.keys()]) if (name !== "q" && name !== "sort") parameters.delete(name);
}

export function show(facets = {}, parameters) {
	const place = byId("filters");
	const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : null;
	chips = [];
	const years = (facets.years ?? []).map(({ value, count: number }) => [
		value,
		{ after: `${value}-01-01`, before: `${Number(value) + 1}-01-01` },
		number,
	]);
	const lengths = LENGTHS.map(([least, most, name]) => [name, { min_minutes: least, max_minutes: most }]);
	const texts = TEXTS.map(([text, name]) => [name, { in: text }]);
	const groups = [
		...Object.entries(FACETS).map(([parameter, title]) => facet(facets[`${parameter}s`] ?? [], parameter, title, parameters)),
		radios("Published", ["Any time", { after: null, before: null }], years, parameters),
		radios("Length", ["Any length", { min_minutes: null, max_minutes: null }], lengths, parameters),
		radios("Search in", ["Everywhere", { in: null }], texts, parameters),
	];
	place.replaceChildren(...groups.filter(Boolean));
	if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
	const out = chips.length > 1 ? [make("li", button(".plain", "Clear all", () => change(clear)))] : [];
	byId("chips").replaceChildren(...chips, ...out);
	byId("chips").hidden = !chips.length;
	say(byId("filters-open"), chips.length ? `Filters (${chips.length})` : "Filters");
}

/** A group of `[key, label, number, checked, act(checked)]`. */
function group(title, type, rows) {
	const choices = rows.map(([key, label, number, checked, act]) => {
		const input = make("input", { type, name: title, "data-key": `${title}:${key}`, checked });
		on(input, "change", () => act(input.checked));
		const amount = number !== undefined && make("span.amount", count(number));
		return make("label.choice", input, make("span.name", label), amount);
	});
	return make("fieldset", make("legend", title), ...choices);
}

function chip(label, without) {
	const attributes = { "aria-label": `Remove the filter ${label}` };
	chips.push(make("li", button(".chip", [make("span", label), icon("close")], without, attributes)));
}

function facet(values, parameter, title, parameters) {
	const chosen = parameters.getAll(parameter);
	const missing = chosen.filter((value) => !values.some((each) => each.value === value));
	const all = [...values, ...missing.map((value) => ({ value, count: 0 }))];
	if (all.length < 2 && !chosen.length) return null;
	const rows = all.map(({ value, title: given, count: number }) => {
		if (given) titles.set(value, given);
		const label = parameter === "language" ? languageName(value) : (titles.get(value) ?? value);
		const is = chosen.includes(value);
		const put = (wanted) => change((next) => next[wanted ? "append" : "delete"](parameter, value));
		if (is) chip(label, () => put(false));
		return [value, label, number, is, put];
	});
	return group(title, "checkbox", rows);
}

/** One of several `[label, parameters, count]`, or `none` of them, or what the address says else. */
function radios(title, none, options, parameters) {
	const names = Object.keys(none[1]);
	const own = Object.fromEntries(names.map((name) => [name, parameters.get(name)]));
	const is = (values) => names.every((name) => values[name] === own[name]);
	const all = [none, ...options];
	if (!all.some(([, values]) => is(values))) all.push([names.map((name) => own[name] ?? "…").join(" to "), own]);
	if (all.length < 2) return null;
	const put = (values) => change((next) => {
		for (const name of names) {
			if (values[name]) next.set(name, values[name]);
			else next.delete(name);
		}
	});
	const rows = all.map(([label, values, number]) => {
		if (values !== none[1] && is(values)) chip(label, () => put(none[1]));
		return [label, label, number, is(values), () => put(values)];
	});
	return group(title, "radio", rows);
}
