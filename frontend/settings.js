// The settings: who one is, API tokens, keys, and leaving.

import * as api from "/api.js";
import { confirmed, copy, toast } from "/dialogs.js";
import { button, byId, heading, make, on, say } from "/dom.js";
import { day } from "/format.js";
import { comeBack } from "/router.js";
import * as session from "/session.js";

const KEYS_OFF = "yts-keys-off";

/** Keys of one letter can be turned off, for those who speak to their computer (WCAG 2.1.4). */
export const keysOff = () => localStorage.getItem(KEYS_OFF) !== null;

const error = make("p.error", { role: "alert" });
const told = (message) => say(error, message);
let leave = () => {};

export function setUp({ onLeave }) {
	leave = onLeave;
}

export async function show() {
	document.title = "Settings · yts";
	told("");
	const parts = [person(), await tokens(), keys(), erase()];
	byId("view-settings").replaceChildren(heading("settings-title", "Settings"), error, ...parts);
	comeBack();
}

const part = (title, ...content) => make("section.setting", make("h2", title), ...content);

function acting(classes, title, act, attributes) {
	const start = () => {
		told("");
		api.attempt(act, told);
	};
	return button(classes, title, start, attributes);
}

function person() {
	const { name, email, user_id: id } = session.me;
	const out = acting(".soft", "Sign out", async () => {
		// A token is of this tab only: forgotten, it is as good as signed out.
		if (!session.token()) await api.logout();
		leave("");
	});
	const how = session.token() ? "With an API token, kept in this tab." : name && email;
	const who = make("strong", name || email || id);
	return part("You", make("p", who, " ", make("span.quiet", how)), make("p", out));
}

async function tokens() {
	const list = make("ul.tokens");
	const made = make("p.note.made", { hidden: true });
	const field = make("input", { id: "token-name", maxlength: "100", required: true, autocomplete: "off", placeholder: "What is it for?" });
	const form = make("form.line", make("label", { for: "token-name" }, "New token"), field, make("button", "Make a token"));
	const load = async () => list.replaceChildren(...(await api.tokens()).map((token) => row(token, load)));
	on(form, "submit", (event) => {
		event.preventDefault();
		api.attempt(async () => {
			const { token } = await api.makeToken(field.value);
			field.value = "";
			const text = make("code", { tabindex: "0" }, token);
			const copying = button(".soft", "Copy", () => copy(token, "The token is copied."));
			made.replaceChildren("Copy it now; it is shown only once: ", text, copying);
			made.hidden = false;
			await load();
			text.focus();
		}, told);
	});
	await api.attempt(load, told);
	const about = "For curl and programs of your own: whoever has one can see and change your library.";
	return part("API tokens", make("p.quiet", about), list, form, made);
}

function row({ token_id: id, name, created_at: time }, load) {
	const revoke = acting(".act", "Revoke", async () => {
		if (!(await confirmed(`Revoke “${name}”?`, "Whatever uses it is refused from now on.", "Revoke"))) return;
		await api.revokeToken(id);
		toast("The token is revoked.");
		await load();
	}, { "aria-label": `Revoke ${name}` });
	return make("li", make("span.name", name), make("span.quiet", day(time)), revoke);
}

function keys() {
	const box = make("input", { type: "checkbox", checked: !keysOff() });
	on(box, "change", () => {
		if (box.checked) localStorage.removeItem(KEYS_OFF);
		else localStorage.setItem(KEYS_OFF, "1");
	});
	return part("Keyboard", make("label.choice", box, "Keys of one letter: / n p k c f ?"));
}

function erase() {
	const act = acting(".danger", "Delete my data", async () => {
		const text = "Your library, jobs, tokens and the grant at Google are erased, for good. Nothing changes on YouTube.";
		if (!(await confirmed("Delete everything about you?", text, "Delete everything"))) return;
		await api.forgetMe();
		leave("Everything about you is deleted.");
	});
	const about = "Your library, your jobs and tokens, and what Google let us see.";
	return part("Delete my data", make("p.quiet", about), make("p", act));
}
