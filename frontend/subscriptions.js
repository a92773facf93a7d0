import api from "/api.js";
import { actionButton } from "/dialogs.js";
import { button, errorLine, libraryLink, make, on, picture, setText, showView } from "/dom.js";
import { count, countOf } from "/format.js";
import { answerList, followJobs } from "/sources.js";

export async function show() {
	const [error, showError] = errorLine();
	const render = (...content) => showView("subscriptions", "Subscriptions", libraryLink(), error, ...content);
	render();
	await api.attempt(async () => {
		const { subscriptions, notices } = await api.subscriptions();
		const sentences = (notices ?? []).map(({ detail }) => make("p.note", detail));
		if (!subscriptions.length) {
			return render(...sentences, !notices?.length && make("p.quiet", "You have not subscribed to a channel."));
		}
		const picker = channelPicker(subscriptions);
		const answer = make("div");
		const add = actionButton("", "", async () => {
			const added = await addChannels(picker.chosen());
			answer.replaceChildren(answerList(added));
			answer.scrollIntoView({ block: "nearest" });
		}, showError);
		picker.onChange((number) => {
			setText(add, number ? `Index ${countOf(number, "channel", "channels")}` : "Index channels");
			add.disabled = !number;
		});
		render(...sentences, make("p.quiet", "Pick channels to search. A channel with many videos asks first."), picker.element, make("p", add), answer);
	}, showError);
}

/** Resolves to the answer of the box in the library. */
export async function addChannels(ids) {
	const answer = await api.addSources(ids.map((id) => `https://www.youtube.com/channel/${id}`).join("\n"));
	await followJobs(answer);
	return answer;
}

/** A list with a filter. `channels`: `[{channel_id, title, thumbnail_url?, in_library?}]` */
export function channelPicker(channels) {
	let listener = () => {};
	const filter = make("input", { type: "search", "aria-label": "Filter the channels", placeholder: `Filter ${countOf(channels.length, "channel", "channels")}` });
	const shown = make("span.quiet", { role: "status" });
	const rows = channels.map((channel) => {
		const { channel_id: id, title, in_library: has } = channel;
		const box = make("input", { type: "checkbox", value: id, checked: has, disabled: has });
		const element = make("label.choice", box, channel.thumbnail_url && make("span.avatar", picture(channel.thumbnail_url)),
			make("span.name", title || id), has && make("span.quiet", "In your library"));
		return { box, id, title: (title || id).toLowerCase(), item: make("li", element) };
	});
	const chosen = () => rows.filter(({ box }) => box.checked && !box.disabled).map(({ id }) => id);
	const changed = () => listener(chosen().length);
	const visible = () => rows.filter(({ item }) => !item.hidden);
	const pick = (label, which, checked) => button(".plain", label, () => {
		for (const { box } of which()) box.checked = checked || box.disabled;
		changed();
	});
	const [all, none] = [pick("Pick all shown", visible, true), pick("Pick none", () => rows, false)];
	on(filter, "input", () => {
		const words = filter.value.toLowerCase().split(/\s+/);
		for (const { item, title } of rows) item.hidden = !words.every((word) => title.includes(word));
		setText(shown, filter.value.trim() ? `${count(visible().length)} shown` : "");
	});
	const list = make("ul.picker", ...rows.map(({ item }) => item));
	on(list, "change", changed);
	const element = make("div.picking", filter, make("p.acts", all, none, shown), list);
	function onChange(action) {
		listener = action;
		changed();
	}
	return { element, chosen, onChange };
}
