import api from "/api.js";
import { actionButton, openDialog, shownOnce, toast } from "/dialogs.js";
import { make } from "/dom.js";
import { dateAndTime } from "/format.js";

export function show(playlist, title) {
	let made = null;
	return openDialog(`Share “${title}”`, async (reload) => {
		const links = (await api.links()).links.filter((each) => each.playlist_id === playlist);
		const create = actionButton(links.length ? ".soft" : "", links.length ? "Make another link" : "Make a link", async () => {
			made = await api.createLink(playlist);
			await reload();
		}, toast);
		const rows = links.map(({ id, created_at: time }) => {
			const revoke = actionButton(".act", "Revoke", async () => {
				await api.revokeLink(id);
				if (made?.id === id) made = null;
				toast("The link is revoked. It does not work any more.");
				await reload();
			}, toast, `the link of ${dateAndTime(time)}`);
			return make("li", make("span.name", `Link of ${dateAndTime(time)}`), revoke);
		});
		return [
			make("p", "With a read-only link, everybody can search and watch these videos without an account. They see nothing else of yours."),
			...shownOnce(made && { Link: made.url }),
			rows.length && make("ul.tokens", ...rows),
			make("p.dialog-actions", create),
		];
	});
}
