import { button, fill, hasModifier, highlight, icon, make, on, rovingTabindex, setText } from "/dom.js";
import { count, languageAttributes, timestamp } from "/format.js";

/**
 * `urlOf(start, line)`: the address of a line. `onSeek(start, line, clicked)`: the user goes there. `onChoose(line, from)`:
 * the user chooses a line for a clip; without a line, wants to choose. False for somebody who keeps nothing.
 */
export function createTranscript({ lines, chapters, matches, language }, urlOf, onSeek, onChoose) {
	const matchLines = matches?.moments ?? [];
	let match = 0;
	let chosen = 0; // the line that was gone to last
	let spokenLine = -1;
	let following = true;

	const status = make("p.match-status", { role: "status" });
	if (matches && !matchLines.length) setText(status, "No match in the transcript");
	const stepButton = (label, name, by) => button(".round", icon(name), () => step(by), { "aria-label": label });
	const stepButtons = matchLines.length ? [stepButton("Previous match", "up", -1), stepButton("Next match", "down", 1)] : [];
	const followButton = button(".soft", "Follow", () => follow(), { "aria-pressed": "true" });
	const clipButton = onChoose && button(".soft", "Clip", () => {
		onChoose();
		items[chosen].focus({ preventScroll: true });
	});
	const title = make("h2", { id: "transcript-title" }, "Transcript");
	const bar = make("div.transcript-bar", title, status, ...stepButtons, clipButton, followButton);

	const segments = new Map(matches?.marked.map((each) => [each.line, each.segments]));
	const items = lines.map(({ start, text }, line) => {
		const words = make("span", ...(segments.has(line) ? highlight(segments.get(line)) : [text]));
		const time = make("time", { dir: "ltr" }, timestamp(start));
		return make("a", { href: urlOf(start, line), tabindex: -1, draggable: "false" }, time, " ", words);
	});
	const list = make("ol.lines", languageAttributes(language), ...items.map((item) => make("li", item)));
	const chapterName = make("span.name");
	const chapterLinks = addChapters();
	const chapterMenu = chapterLinks.length > 0 && make(
		"details.menu.chapters",
		make("summary", { "aria-label": "Chapters" }, icon("down"), chapterName),
		make("div", ...chapterLinks),
	);
	const panel = make("div.panel", list);
	const element = make("section.transcript", { "aria-labelledby": "transcript-title" }, bar, chapterMenu, panel);
	const moveTabStop = rovingTabindex(list, () => items);
	on(list, "click", handleClick);
	if (onChoose) on(list, "keydown", handleKey);
	// Do not scroll away from what somebody reads.
	for (const type of ["wheel", "touchmove"]) on(panel, type, () => follow(false), { passive: true });

	const startOf = (line) => lines[line]?.start ?? 0;
	const lastLineBy = (second) => Math.max(lines.findLastIndex(({ start }) => start <= second), 0);

	/** The line at a time of the player, which may start up to a second before the line that was chosen. */
	function lineAt(second) {
		const start = startOf(chosen);
		const next = lines.find((each, line) => line > chosen && each.start > start);
		return second > start - 1 && !(second >= next?.start) ? chosen : lastLineBy(second);
	}

	function quote(second) {
		const line = lineAt(second);
		return { text: lines.slice(line, line + 2).map((each) => each.text).join(" "), second: startOf(line) };
	}

	/** Goes to a second of an address; `number`: the line, if it starts then. Without matches there, the last line before. */
	function open(second, number) {
		const startsThen = (line) => lines[line]?.start === second;
		choose(startsThen(number) ? Number(number) : (matchLines.find(startsThen) ?? lastLineBy(second)));
	}

	function choose(line) {
		chosen = line;
		showChapter(startOf(line));
		if (matchLines.length) selectMatch(Math.max(matchLines.findLastIndex((each) => each <= line), 0));
		moveTabStop(items[line]);
		scrollToLine(line);
	}

	/** `by`: 1 for the next match, -1 for the previous one. */
	function step(by) {
		if (!matchLines.length) return;
		const next = by > 0 ? matchLines.find((each) => each > chosen) : matchLines.findLast((each) => each < chosen);
		const line = next ?? matchLines.at(by > 0 ? 0 : -1);
		choose(line);
		onSeek(startOf(line), line);
		if (list.contains(document.activeElement)) items[line].focus({ preventScroll: true });
	}

	function showTime(second) {
		const line = lineAt(second);
		showChapter(second);
		if (line === spokenLine) return;
		if (spokenLine >= 0) items[spokenLine].ariaCurrent = null;
		spokenLine = line;
		items[line].ariaCurrent = "true";
		if (following) scrollToLine(line);
	}

	function follow(wanted = !following) {
		following = wanted;
		followButton.ariaPressed = wanted;
		if (wanted && spokenLine >= 0) scrollToLine(spokenLine);
	}

	function handleClick(event) {
		const line = items.indexOf(event.target.closest("a"));
		const isChoice = (onChoose && event.shiftKey) || element.classList.contains("choosing");
		if (line < 0 || (hasModifier(event) && !isChoice)) return;
		event.preventDefault();
		if (isChoice) {
			getSelection().removeAllRanges();
			items[line].focus({ preventScroll: true });
			return onChoose(line, event.shiftKey ? chosen : line);
		}
		// Selecting words also ends with a click.
		if (event.detail && !getSelection().isCollapsed) return;
		follow(true);
		choose(line);
		onSeek(startOf(line), line, true);
	}

	function handleKey(event) {
		const line = items.indexOf(document.activeElement);
		if (line < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
		const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
		if (event.key === "s") onChoose(line);
		else if (by && event.shiftKey && items[line + by]) {
			items[line + by].focus();
			onChoose(line + by, line);
		} else return;
		event.preventDefault();
	}

	/** A heading before the first line of each chapter, and the links of the list of chapters. */
	function addChapters() {
		const titles = new Map(matches?.chapters.map((each) => [each.chapter, each.segments]));
		return chapters.map(({ start, title }, number) => {
			const text = () => (titles.has(number) ? highlight(titles.get(number)) : [title]);
			const line = lines.findIndex((each) => each.start >= start);
			const item = make("li.chapter", make("h3", { dir: "auto" }, ...text()));
			if (line < 0) list.append(item);
			else items[line].parentNode.before(item);
			const seek = () => {
				follow(true);
				choose(line < 0 ? lines.length - 1 : line);
				onSeek(start, null, true);
			};
			return button("", [make("time", { dir: "ltr" }, timestamp(start)), make("span", ...text())], seek);
		});
	}

	function showChapter(second) {
		const now = chapters.findLastIndex(({ start }) => start <= second);
		for (const [number, link] of chapterLinks.entries()) link.ariaCurrent = number === now ? "true" : null;
		setText(chapterName, chapters[now]?.title ?? "Chapters");
	}

	/** Marks these lines as the ones of a clip; without any, none. */
	function mark(first = -1, last = -2) {
		for (const [line, item] of items.entries()) item.classList.toggle("kept", line >= first && line <= last);
	}

	/** The same for the lines that begin at these seconds, the last one excluded. */
	function markTime(first, end) {
		mark(lines.findIndex(({ start }) => start >= first), lines.findLastIndex(({ start }) => start < end));
	}

	/** The second of the line that has the focus. */
	const focused = () => lines[items.indexOf(document.activeElement)]?.start;

	const focusLine = (line) => items[line ?? chosen].focus({ preventScroll: true });

	function selectMatch(index) {
		items[matchLines[match]].classList.remove("match");
		match = index;
		items[matchLines[match]].classList.add("match");
		fill(status, make("span", "Match "), `${count(match + 1)} of ${count(matchLines.length)}`);
	}

	/** Scrolls the panel, not the page. Repeats when the lines have their real height. */
	function scrollToLine(line, repeat = true) {
		const [inner, outer] = [items[line].getBoundingClientRect(), panel.getBoundingClientRect()];
		panel.scrollTop += inner.top - outer.top - (outer.height - inner.height) / 3;
		if (repeat) requestAnimationFrame(() => scrollToLine(line, false));
	}

	return { element, firstMatch: startOf(matchLines[0]), quote, open, step, showTime, follow, mark, markTime, focusLine, focused };
}
