import api from "/api.js";
import { actionButton, confirm, moreButton, toast } from "/dialogs.js";
import { errorLine, fill, make, showView } from "/dom.js";
import { countOf, countVideos, date, megabytes } from "/format.js";

const [error, showError] = errorLine();

export async function show() {
	showError("");
	const list = make("ul.users");
	const more = make("p");
	showView("operator", "Users", null, error, list, more);
	await api.attempt(() => load(list, more), showError);
}

async function load(list, more, cursor) {
	const { users, cursor: next } = await api.users(cursor);
	list.append(...users.map(row));
	fill(more, moreButton(next, (from) => load(list, more, from), showError));
}

function row(user) {
	const { user_id: id, email, name, playlists, videos, month } = user;
	const who = email || name || id;
	const library = `${countOf(playlists, "playlist", "playlists")}, ${countVideos(videos)}.`;
	const jobs = `${countOf(month.jobs, "job", "jobs")}, ${month.active_jobs} active`;
	const quota = countOf(month.quota_units, "unit", "units");
	const used = `${library} This month: ${jobs}, ${megabytes(month.youtube_bytes)} from YouTube, at most ${quota} of quota.`;
	const item = make("li.setting", make("h2", who));
	const suspend = actionButton(".soft", user.suspended ? "Admit again" : "Suspend", async () => {
		const text = "The user is shut out at once, and running jobs are cancelled. Nothing is deleted.";
		if (!user.suspended && !(await confirm(`Suspend ${who}?`, text, "Suspend"))) return;
		const changed = row(await api.suspendUser(id, !user.suspended));
		item.replaceWith(changed);
		changed.querySelector("button").focus();
	}, showError, who);
	const erase = actionButton(".danger", "Erase", async () => {
		const text = "Library, jobs, tokens and profile are deleted. This cannot be undone.";
		if (!(await confirm(`Erase ${who}?`, text, "Erase"))) return;
		await api.eraseUser(id);
		toast(`${who} is erased.`);
		item.remove();
	}, showError, who);
	const state = user.operator ? "Operator. " : user.suspended ? "Suspended. " : "";
	const seen = `${state}Last sign-in: ${date(user.signed_in_at)}.`;
	item.append(make("p", used), make("p.quiet", seen), user.operator ? "" : make("p", suspend, " ", erase));
	return item;
}
