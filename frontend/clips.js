// Clips: choosing lines of a transcript, and the view of all clips.

import api from "/api.js";
import { actionButton, confirm, menu, moreButton, onSubmit, saveFile, toast } from "/dialogs.js";
import { button, errorLine, externalLink, fill, make, on, removeItem, setText, showView } from "/dom.js";
import { countOf, date, timestamp } from "/format.js";
import { navigate, pageUrl } from "/router.js";

const MAXIMUM_NOTE = 5000;
// Characters of a clip that are shown at first.
const SHOWN = 700;
const FORMATS = { "Markdown (Obsidian and others)": "md", "Spreadsheet (CSV)": "csv", JSON: "json" };

const readTags = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);

/** A note and tags. `onSave({ note, tags })`; a failure is shown. Returns the form, and `giveUp()`, which may ask. */
function clipForm({ note = "", tags = [] }, saveLabel, onSave, onCancel) {
	const noteField = make("textarea", { rows: 2, maxlength: MAXIMUM_NOTE, dir: "auto" });
	noteField.value = note;
	const tagField = make("input", { autocomplete: "off", autocapitalize: "off", placeholder: "separated by commas", dir: "auto" });
	tagField.value = tags.join(", ");
	const [error, showFormError] = errorLine();
	const form = make(
		"form.clip-form",
		make("label", "Note", noteField),
		make("label", "Tags", tagField),
		error,
		make("div.acts", make("button", saveLabel), button(".soft", "Cancel", onCancel)),
	);
	onSubmit(form, () => onSave({ note: noteField.value, tags: readTags(tagField.value) }), showFormError);
	async function giveUp() {
		const untouched = noteField.value === note && tagField.value === tags.join(", ");
		if (untouched || (await confirm("Discard your note?", "What you wrote is not saved.", "Discard"))) onCancel();
	}
	on(form, "keydown", (event) => {
		if (event.isComposing) return;
		if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
		if (event.key !== "Escape") return;
		event.preventDefault();
		giveUp();
	});
	return [form, giveUp];
}

/** `onEnd()`: it is over, saved or not. */
export function chooseLines(video, transcript, onEnd) {
	let anchor = null;
	let head = null;
	const status = make("p.clip-status", { role: "status" }, "Choose the first line, then the last one.");
	const [form, giveUp] = clipForm({}, "Save clip", save, end);
	const box = make("section.clip-box", { "aria-label": "New clip" }, status, form);
	transcript.element.append(box);
	transcript.element.classList.add("choosing");
	// The list must not scroll away from what the user chooses.
	transcript.follow(false);

	const range = () => [Math.min(anchor, head), Math.max(anchor, head)];

	/** The first line that is chosen stays one end; each further one is the other end. */
	function choose(line, from = line) {
		anchor ??= from;
		head = line;
		const [first, last] = range();
		const { start } = video.lines[first];
		const end = video.lines[last].start + video.lines[last].duration;
		setText(status, `${countOf(last - first + 1, "line", "lines")}, ${timestamp(start)} to ${timestamp(end)}`);
		transcript.mark(first, last);
	}

	async function save(fields) {
		if (anchor === null) return setText(status, "Choose a line first.");
		const [from_line, to_line] = range();
		await api.addClip({ video_id: video.video_id, from_line, to_line, ...fields });
		end();
		toast("The clip is saved. You find it under “Clips”.");
	}

	function end() {
		const hadFocus = box.contains(document.activeElement);
		box.remove();
		transcript.element.classList.remove("choosing");
		transcript.mark();
		if (hadFocus) transcript.focusLine(head);
		onEnd();
	}

	return { choose, giveUp };
}

const [error, showError] = errorLine();

export async function show(params) {
	showError("");
	const [q, tag] = [params.get("clips"), params.get("tag")];
	const field = make("input", { type: "search", "aria-label": "Search clips", placeholder: "Search clips", maxlength: 2000, dir: "auto" });
	field.value = q;
	const search = make("form.line", field, make("button.soft", "Search"));
	search.role = "search";
	onSubmit(search, () => open(field.value, tag), showError);
	const wanted = new URLSearchParams({ q, ...(tag && { tag }) });
	const files = menu(make("summary.soft", "Export"), FORMATS, (format) => save(wanted, format));
	const status = make("p.quiet.status", { role: "status" });
	const tags = make("ul.tags", { "aria-label": "Tags" });
	const list = make("ul.clips");
	const more = make("p");
	const bar = make("div.found-bar", status, files);
	files.hidden = true;
	showView("clips", "Clips", search, error, tags, bar, list, more);
	await api.attempt(() => load(), showError);

	async function load(cursor) {
		const found = await api.clips(wanted, cursor);
		list.append(...found.clips.map((clip) => clipItem(clip, recount)));
		summarize(found);
		fill(more, moreButton(found.cursor, load, showError));
	}

	function recount() {
		api.attempt(async () => summarize(await api.clips(wanted)), showError);
	}

	function summarize(found) {
		if (!found.total) list.replaceChildren(nothing(q || tag));
		files.hidden = !found.total;
		bar.hidden = !found.total && !q && !tag;
		tags.hidden = !found.tags.length;
		setText(status, countOf(found.total, "clip", "clips"));
		tags.replaceChildren(...found.tags.map(({ value, count }) => {
			const chosen = tag && !value.localeCompare(tag, [], { sensitivity: "base" });
			const label = [make("span", value), make("span.amount", String(count))];
			return make("li", button(".chip", label, () => open(q, chosen ? null : value), { "aria-pressed": String(Boolean(chosen)) }));
		}));
	}
}

const open = (q, tag) => navigate(pageUrl({ clips: q, ...(tag && { tag }) }));

const save = (wanted, format) => api.attempt(() => saveFile(api.clipFile(wanted, format), `clips.${format}`), showError);

function nothing(isSearch) {
	const how = "Open a video and press “Clip” above its transcript, or hold Shift and click a line.";
	const text = isSearch ? "No clip has all of this." : how;
	return make("li.empty", make("h2", isSearch ? "Nothing found" : "No clips yet"), make("p", text));
}

function quote(text) {
	if (text.length <= SHOWN) return [make("blockquote", { dir: "auto" }, text)];
	const element = make("blockquote", { dir: "auto" }, `${text.slice(0, text.lastIndexOf(" ", SHOWN) + 1 || SHOWN)}…`);
	const all = button(".act", "Show all", () => {
		element.textContent = text;
		all.remove();
	});
	return [element, all];
}

/** `onChange()`: its tags have changed, or it is gone. */
function clipItem(clip, onChange) {
	const { id, video_id: v, title, channel, start, end, from_line: line, text, note, tags, gone, url, created_at: created } = clip;
	const href = pageUrl({ v, t: start, line, until: end });
	const times = `${timestamp(start)} to ${timestamp(end)}`;
	const item = make("li.clip");
	const remove = actionButton(".act", "Delete", async () => {
		if (!(await confirm("Delete this clip?", "Its words, note and tags are deleted.", "Delete"))) return;
		await api.deleteClip(id);
		toast("The clip is deleted.");
		removeItem(item, "clips-title");
		onChange();
	}, showError, `the clip of ${title}, ${times}`);
	const edit = button(".act", "Edit", () => {
		const close = (changed) => {
			const shown = clipItem(changed, onChange);
			item.replaceWith(shown);
			shown.querySelector(".act").focus();
		};
		const [form] = clipForm(clip, "Save", async (fields) => {
			close(await api.changeClip(id, fields));
			onChange();
		}, () => close(clip));
		item.querySelector(".clip-own").replaceWith(form);
		form.querySelector("textarea").focus();
	}, { "aria-label": `Edit the clip of ${title}, ${times}` });
	const tagList = tags.length > 0 && make("p.quiet", tags.map((tag) => `#${tag}`).join(" "));
	item.append(
		make("h2", gone ? title : make("a", { href, "data-key": id }, title)),
		make("p.facts", channel && make("span", channel), make("span", times), make("span", `kept ${date(created)}`)),
		...quote(text.replaceAll("\n", " ")),
		gone ? make("p.note", "The video is not in your library any more. The clip stays.") : "",
		make(
			"div.clip-own",
			note && make("p.clip-note", { dir: "auto" }, note),
			tagList,
			make("p.acts", edit, remove, externalLink(url, "YouTube", { class: "act", "aria-label": `${title} on YouTube at ${timestamp(start)}` })),
		),
	);
	return item;
}
