// What is said in a video, line by line: matches marked, the spoken line followed.

import { button, icon, make, marked, on, roving, say } from "/dom.js";
import { count, moment, spoken } from "/format.js";

/** `seek(second, clicked)`: to where the reader goes. */
export function transcriptOf({ lines, matches, language }, seek) {
	const moments = matches?.moments ?? [];
	let at = 0;
	let current = -1;
	let following = true;

	const status = make("p.match-status", { role: "status" });
	if (matches && !moments.length) say(status, "No match in what is said");
	const stepping = (name, drawing, by) => button(".round", icon(drawing), () => step(by), { "aria-label": name });
	const steps = moments.length ? [stepping("Previous match", "up", -1), stepping("Next match", "down", 1)] : [];
	const pressed = button(".soft", "Follow", () => follow(), { "aria-pressed": "true" });
	const bar = make("div.transcript-bar", make("h2", { id: "transcript-title" }, "Transcript"), status, ...steps, pressed);

	const segments = new Map(matches?.marked.map((each) => [each.line, each.segments]));
	const items = lines.map(({ start, text }, line) => {
		const words = make("span", ...(segments.has(line) ? marked(segments.get(line)) : [text]));
		const time = make("time", { dir: "ltr" }, moment(start));
		return make("a", { href: `#${Math.floor(start)}`, tabindex: "-1", draggable: "false" }, time, " ", words);
	});
	const list = make("ol.lines", spoken(language), ...items.map((item) => make("li", item)));
	const panel = make("div.panel", list);
	const element = make("section.transcript", { "aria-labelledby": "transcript-title" }, bar, panel);
	roving(list, () => items);
	on(list, "click", clicked);
	// Whoever scrolls wants to read there.
	for (const kind of ["wheel", "touchmove"]) on(panel, kind, () => follow(false), { passive: true });

	const startOf = (line) => lines[line]?.start ?? 0;
	// The player reports a moment a little late, and seeks a little early.
	const lineAt = (second) => Math.max(lines.findLastIndex(({ start }) => start <= second + 0.25), 0);

	function quote(second) {
		const line = lineAt(second);
		return { text: lines.slice(line, line + 2).map((each) => each.text).join(" "), second: startOf(line) };
	}

	function begin(second) {
		const line = lineAt(second);
		if (moments.length) match(Math.max(moments.findLastIndex((each) => each <= line), 0));
		items[line].tabIndex = 0;
		bring(line);
	}

	function step(by) {
		if (!moments.length) return;
		match((at + by + moments.length) % moments.length);
		const line = moments[at];
		bring(line);
		seek(startOf(line));
		if (list.contains(document.activeElement)) items[line].focus({ preventScroll: true });
	}

	function playing(second) {
		const line = lineAt(second);
		if (line === current) return;
		if (current >= 0) items[current].ariaCurrent = null;
		current = line;
		items[line].ariaCurrent = "true";
		if (following) bring(line);
	}

	function follow(is = !following) {
		following = is;
		pressed.ariaPressed = is;
		if (is && current >= 0) bring(current);
	}

	function clicked(event) {
		const line = items.indexOf(event.target.closest("a"));
		if (line < 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
		event.preventDefault();
		// Selecting words to quote them is no click on the line.
		if (event.detail && !getSelection().isCollapsed) return;
		follow(true);
		seek(startOf(line), true);
	}

	function match(number) {
		items[moments[at]].classList.remove("match");
		at = number;
		items[moments[number]].classList.add("match");
		say(status, `Match ${count(number + 1)} of ${count(moments.length)}`);
	}

	/** Scrolls the panel only: the page stays where it is. Again, when lines far away have their height. */
	function bring(line, again = true) {
		const [inner, outer] = [items[line].getBoundingClientRect(), panel.getBoundingClientRect()];
		panel.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 3;
		if (again) requestAnimationFrame(() => bring(line, false));
	}

	return { element, first: startOf(moments[0]), quote, begin, step, playing, follow };
}
