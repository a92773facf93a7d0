import api from "/api.js";
import { actionButton, confirm, nameForm, shownOnce, toast } from "/dialogs.js";
import { errorLine, fill, make, on, showView } from "/dom.js";
import { date } from "/format.js";
import * as session from "/session.js";

const SHORTCUTS_OFF = "yts-keys-off";

/** Speech input could trigger single-key shortcuts (WCAG 2.1.4). */
export const shortcutsOff = () => localStorage.getItem(SHORTCUTS_OFF) !== null;

const [error, showError] = errorLine();
let signOut = () => {};

export function setUp({ onSignOut }) {
	signOut = onSignOut;
}

export async function show() {
	showError("");
	showView("settings", "Settings", null, error, account(), await tokens(), keyboard(), deletion());
}

const section = (title, ...content) => make("section.setting", make("h2", title), ...content);

function account() {
	const { name, email, user_id: id } = session.me;
	const out = actionButton(".soft", "Sign out", async () => {
		// A token exists in this tab only, so clearing it is enough.
		if (!session.token()) await api.logout();
		signOut("");
	}, showError);
	const how = session.token() ? "With an API token, in this tab only." : name && email;
	const users = session.me.operator && make("p", make("a", { href: "/?operator" }, "Users of this site"));
	return section("Account", make("p", make("strong", name || email || id), " ", make("span.quiet", how)), users, make("p", out));
}

async function tokens() {
	const list = make("ul.tokens");
	const created = make("div.made");
	const load = async () => list.replaceChildren(...(await api.tokens()).tokens.map((token) => tokenRow(token, load)));
	const about = { maxlength: 100, placeholder: "What is it for?" };
	const { form, field } = nameForm("New token", "Create a token", about, async (name) => {
		fill(created, ...shownOnce({ Token: (await api.createToken(name)).token }));
		field.value = "";
		await load();
		created.querySelector("code").focus();
	});
	await api.attempt(load, showError);
	const use = "For curl and your own programs. Anyone who has a token can see and change your library.";
	return section("API tokens", make("p.quiet", use), list, form, created);
}

function tokenRow({ token_id: id, name, created_at: time }, reload) {
	const revoke = actionButton(".act", "Revoke", async () => {
		if (!(await confirm(`Revoke “${name}”?`, "Programs that use it lose access at once.", "Revoke"))) return;
		await api.revokeToken(id);
		toast("The token is revoked.");
		await reload();
	}, showError, name);
	return make("li", make("span.name", name), make("span.quiet", date(time)), revoke);
}

function keyboard() {
	const box = make("input", { type: "checkbox", checked: !shortcutsOff() });
	on(box, "change", () => {
		if (box.checked) localStorage.removeItem(SHORTCUTS_OFF);
		else localStorage.setItem(SHORTCUTS_OFF, "1");
	});
	return section("Keyboard", make("label.choice", box, "Single-key shortcuts: / n p k c f ?"));
}

function deletion() {
	const remove = actionButton(".danger", "Delete my data", async () => {
		const text = "This cannot be undone. Nothing changes on YouTube.";
		if (!(await confirm("Delete all your data?", text, "Delete everything"))) return;
		await api.deleteMe();
		signOut("All your data is deleted.");
	}, showError);
	const about = "Your library, clips, jobs and tokens, and our access to your Google account.";
	return section("Delete my data", make("p.quiet", about), make("p", remove));
}
