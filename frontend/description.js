// A description: text with links to web addresses and to times of the video.

import { externalLink } from "/dom.js";

// No punctuation at the end of an address, and brackets only in pairs.
const ADDRESS = /(?<![\w.@])(?:https?:\/\/|www\.)(?:[^\s<>"()。、，（）「」]|\([^\s<>"()]*\))+(?<![.,;:!?'*\]…”’“»])/;
const TIME = /(?<![\w:.])(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)(?!\w|:\d)/;
const LINKS = new RegExp(`${ADDRESS.source}|${TIME.source}`, "gi");

/** Text and links. `timeLink(text, second)` makes the link of a time. */
export function linked(text, timeLink) {
	const parts = [];
	let end = 0;
	for (const { 0: found, 1: hours = 0, 2: minutes, 3: seconds, index } of text.matchAll(LINKS)) {
		const link = minutes
			? timeLink(found, hours * 3600 + minutes * 60 + Number(seconds))
			: externalLink(found.replace(/^w/i, "https://w"), found);
		parts.push(text.slice(end, index), link);
		end = index + found.length;
	}
	return [...parts, text.slice(end)];
}
