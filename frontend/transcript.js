// What is said in a video, line by line: matches marked, the spoken line followed.

import { button, icon, make, marked, on, roving, say } from "/dom.js";
import { count, moment, spoken } from "/format.js";

export class Transcript {
	#lines;
	#moments;
	#items;
	#at = 0;
	#spoken = -1;
	#following = true;
	#list = make("ol.lines");
	#panel = make("div.panel", this.#list);
	#status = make("p.match-status", { role: "status" });
	#follow = button("Follow", () => this.follow(), { class: "soft follow", "aria-pressed": "true" });
	#seek;

	constructor(video, seek) {
		this.#seek = seek;
		this.#lines = video.lines;
		this.#moments = video.matches?.moments ?? [];
		const step = (name, drawing, by) => button(icon(drawing), () => this.step(by), { class: "round", "aria-label": name });
		const steps = this.#moments.length ? [step("Previous match", "up", -1), step("Next match", "down", 1)] : [];
		if (video.matches && !this.#moments.length) say(this.#status, "No match in what is said");
		const title = make("h2", { id: "transcript-title" }, "Transcript");
		const bar = make("div.transcript-bar", title, this.#status, ...steps, this.#follow);
		this.element = make("section.transcript", { "aria-labelledby": "transcript-title" }, bar, this.#panel);
		const segments = new Map(video.matches?.marked.map((each) => [each.line, each.segments]));
		this.#items = video.lines.map(({ start, text }, line) => {
			const words = make("span", ...(segments.has(line) ? marked(segments.get(line)) : [text]));
			const time = make("time", { dir: "ltr" }, moment(start));
			return make("a", { href: `#${Math.floor(start)}`, tabindex: "-1", draggable: "false" }, time, " ", words);
		});
		for (const [name, value] of Object.entries(spoken(video.language))) this.#list.setAttribute(name, value);
		this.#list.append(...this.#items.map((item) => make("li", item)));
		roving(this.#list, () => this.#items);
		on(this.#list, "click", (event) => this.#clicked(event));
		// Whoever scrolls wants to read there.
		for (const kind of ["wheel", "touchmove"]) {
			on(this.#panel, kind, () => this.follow(false), { passive: true });
		}
	}

	#start(line) {
		return this.#lines[line]?.start ?? 0;
	}

	get first() {
		return this.#start(this.#moments[0]);
	}

	quote(second) {
		const line = this.#lineAt(second);
		return { text: this.#lines.slice(line, line + 2).map((each) => each.text).join(" "), second: this.#start(line) };
	}

	begin(second) {
		const line = this.#lineAt(second);
		if (this.#moments.length) this.#match(Math.max(this.#moments.findLastIndex((each) => each <= line), 0));
		this.#items[line].tabIndex = 0;
		this.#bring(line);
	}

	step(by) {
		if (!this.#moments.length) return;
		this.#match((this.#at + by + this.#moments.length) % this.#moments.length);
		const line = this.#moments[this.#at];
		this.#bring(line);
		this.#seek(this.#start(line));
		if (this.#list.contains(document.activeElement)) this.#items[line].focus({ preventScroll: true });
	}

	spoken(second) {
		const line = this.#lineAt(second);
		if (line === this.#spoken) return;
		this.#items[this.#spoken]?.removeAttribute("aria-current");
		this.#spoken = line;
		this.#items[line].setAttribute("aria-current", "true");
		if (this.#following) this.#bring(line);
	}

	follow(is = !this.#following) {
		this.#following = is;
		this.#follow.setAttribute("aria-pressed", String(is));
		if (is && this.#spoken >= 0) this.#bring(this.#spoken);
	}

	#clicked(event) {
		const line = this.#items.indexOf(event.target.closest("a"));
		if (line < 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
		event.preventDefault();
		// Selecting words to quote them is no click on the line.
		if (event.detail && !getSelection().isCollapsed) return;
		this.follow(true);
		this.#seek(this.#start(line), true);
	}

	#match(number) {
		this.#items[this.#moments[this.#at]].classList.remove("match");
		this.#at = number;
		this.#items[this.#moments[number]].classList.add("match");
		say(this.#status, `Match ${count(number + 1)} of ${count(this.#moments.length)}`);
	}

	#lineAt(second) {
		// The player reports a moment a little late, and seeks a little early.
		return Math.max(this.#lines.findLastIndex(({ start }) => start <= second + 0.25), 0);
	}

	/** Scrolls the panel only: the page stays where it is. Again, when lines far away have their height. */
	#bring(line, again = true) {
		const [inner, outer] = [this.#items[line].getBoundingClientRect(), this.#panel.getBoundingClientRect()];
		this.#panel.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 3;
		if (again) requestAnimationFrame(() => this.#bring(line, false));
	}
}
