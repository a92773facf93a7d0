// What is in the files of a Google Takeout: playlists, the watch history and subscriptions. Names of files, folders
// and columns are in the person's language, so everything is found by the form of its values.

import { isoTime, localTimes } from "./takeout-time.js";
import { TakeoutError, tooLarge, zipEntries } from "./takeout-zip.js";

// A playlist has at most 5,000 videos, and a history is some 600 bytes a video.
const MAX_TABLE_BYTES = 20e6;
const MAX_HISTORY_BYTES = 200e6;
const MAX_ALL_BYTES = 500e6;
const MAX_FILES = 5_000;
const MAX_ROWS = 200_000;
const MAX_WATCHED = 500_000;
const MAX_TITLE = 150;
// A cell of the history has links, a time and a few words.
const MAX_CELL = 6_000;

const VIDEO = /^[\w-]{11}$/;
const CHANNEL = /^UC[\w-]{22}$/;
const PLAYLIST = /^(?:PL|OLAK|FL|LL|WL)[\w-]*$/;
const WATCHED = /^https?:\/\/(?:www\.|m\.|music\.)?youtube\.com\/(?:watch\?(?:\S*?&(?:amp;)?)?v=|shorts\/)([\w-]{11})(?![\w-])/;
// The word that Takeout appends to the title of a playlist, in languages that write it with a hyphen.
const SUFFIX = /[-_ ](?:videos?|vidéos?|vídeos?|video's|video-k|wideo|filmy|videók|videoklipp|видео|відео|βίντεο|فيديوهات|動画|동영상|视频|影片)$/iu;

/**
 * Reads what `files` hold; `report(text)` says what is being read.
 * `{collections, channels, watched, problems}`: collections `[{title, videos: [{video, added_at}], unreadable}]`;
 * channels `[{channel_id, title}]`; watched `null` or `{rows: [[id, ms or null, music]], removed, ads}`, the newest
 * first; problems are sentences. A file with a problem adds nothing.
 */
export async function readTakeout(files, report = () => {}) {
	const problems = [];
	const [tables, histories] = [[], []];
	let left = MAX_ALL_BYTES;
	async function attempt(name, action) {
		try {
			await action();
		} catch (error) {
			if (error instanceof TakeoutError) problems.push(error.message);
			else if (error instanceof DOMException) problems.push(`${name} cannot be read. Choose files, not folders.`);
			else if (error instanceof RangeError) problems.push(`${name} is too large for this browser.`);
			else throw error;
		}
	}
	for (const file of files) {
		await attempt(file.name, async () => {
			let known = false;
			const problemsBefore = problems.length;
			for (const part of await partsOf(file)) {
				const name = part.name.split("/").pop();
				report(`Reading ${name}…`);
				await attempt(name, async () => {
					const bytes = await part.read(isTable(name) ? MAX_TABLE_BYTES : MAX_HISTORY_BYTES);
					left -= bytes.length;
					if (left < 0) throw new TakeoutError(`${name} was left out: choose fewer files at a time.`);
					const text = decode(bytes);
					const read = isTable(name) ? readTable(name, text) : /\.json$/i.test(name) ? readJson(name, text) : readHtml(text);
					known ||= read.known;
					(isTable(name) ? tables : histories).push(read);
				});
			}
			if (!known && problems.length === problemsBefore) throw new TakeoutError(nothingIn(file.name));
		});
	}
	const channels = new Map(tables.flatMap((each) => each.channels).map((each) => [each.channel_id, each]));
	const titles = tables.flatMap((each) => each.titles);
	const collections = tables.filter(({ videos }) => videos.length)
		.map(({ name, title, videos, unreadable }) => ({ title: title ?? titleOf(name, titles), videos, unreadable }));
	return { collections, channels: [...channels.values()], watched: mergeHistories(histories), problems };
}

const isTable = (name) => /\.csv$/i.test(name);

const nothingIn = (name) => `${name} has no playlists, history or subscriptions.${/\.zip$/i.test(name)
	? " If your Takeout came in several zips, choose all of them." : " Choose files of the folder “YouTube and YouTube Music”."}`;

/** `{name, size, read(limit)}` of each file that may hold something. */
async function partsOf(file) {
	const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
	if (head[0] === 0x50 && head[1] === 0x4b) {
		const readable = (await zipEntries(file)).filter(({ name }) => /\.(csv|json|html?)$/i.test(name));
		// A whole Takeout has many products. The folder has the name of the product in each language.
		const youtube = readable.filter(({ name }) => /youtube/i.test(name));
		return (youtube.length ? youtube : readable).slice(0, MAX_FILES);
	}
	if (/\.zip$/i.test(file.name)) throw new TakeoutError(`${file.name} is not a zip, or it is damaged. Download it again.`);
	if (head[0] === 0x1f && head[1] === 0x8b) {
		throw new TakeoutError(`${file.name} is a .tgz file. Choose “.zip” at Google Takeout, or unpack it and choose the files.`);
	}
	if (!/\.(csv|json|html?)$/i.test(file.name)) throw new TakeoutError(nothingIn(file.name));
	const read = async (limit) => {
		if (file.size > limit) throw new TakeoutError(tooLarge(file.name, limit));
		return new Uint8Array(await file.arrayBuffer());
	};
	return [{ name: file.name, size: file.size, read }];
}

/** A spreadsheet may have written the file again, in UTF-16. */
function decode(bytes) {
	const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
	return new TextDecoder(encoding).decode(bytes);
}

/** Rows of cells, without empty rows. Quoted cells may hold commas, quotes and line breaks. */
export function parseTable(text) {
	const head = text.slice(0, 1000);
	const separator = [",", ";", "\t"].reduce((best, each) => (head.split(each).length > head.split(best).length ? each : best));
	const stop = new RegExp(`[${separator}\r\n]`, "g");
	const rows = [];
	let row = [];
	for (let at = 0; at < text.length && rows.length < MAX_ROWS; ) {
		let value = "";
		for (let quoted = 0; text[at] === '"'; quoted += 1) {
			const close = text.indexOf('"', at + 1);
			if (close < 0) return rows;
			// A quote inside of a quoted cell is written twice.
			value += (quoted ? '"' : "") + text.slice(at + 1, close);
			at = close + 1;
		}
		stop.lastIndex = at;
		const end = stop.exec(text)?.index ?? text.length;
		row.push((value + text.slice(at, end)).trim());
		at = end + 1;
		if (text[end] === separator) continue;
		if (row.some(Boolean)) rows.push(row);
		row = [];
	}
	return row.some(Boolean) ? [...rows, row] : rows;
}

/** `{name, title, videos, unreadable, channels, titles, known}`; `titles`: cells that may be titles of playlists. */
function readTable(name, text) {
	const rows = parseTable(text);
	const read = { name, title: null, videos: [], unreadable: 0, channels: [], titles: [], known: false };
	read.channels = rows.filter(([id, url = ""]) => CHANNEL.test(id) && url.includes("/channel/"))
		.map(([id, , title]) => ({ channel_id: id, title: (title || id).slice(0, MAX_TITLE) }));
	const playlists = rows.filter(([id]) => PLAYLIST.test(id));
	const isVideo = (row) => VIDEO.test(row[0]) && isoTime(row[1] ?? "") !== null && !row.slice(2).some(Boolean);
	const first = rows.findIndex(isVideo);
	if (first >= 0) {
		const videos = new Map();
		for (const row of rows.slice(first)) {
			if (!isVideo(row)) read.unreadable += 1;
			else if (!videos.has(row[0])) videos.set(row[0], new Date(isoTime(row[1])).toISOString());
		}
		read.videos = [...videos].map(([video, added_at]) => ({ video, added_at }));
		// Above the videos, old files tell about the playlist: id, channel, two times, title, description.
		const about = playlists[0]?.findLastIndex((cell) => isoTime(cell) !== null) ?? -1;
		if (about > 0) read.title = playlists[0][about + 1]?.slice(0, MAX_TITLE) || null;
	} else if (!read.channels.length) {
		read.titles = playlists.flat().filter((cell) => cell && cell.length <= MAX_TITLE);
	}
	const empty = rows.length === 1 && rows[0].length === 2;
	read.known = Boolean(read.videos.length || read.channels.length || playlists.length || empty);
	return read;
}

/** File names have other characters than titles, and are cut off. The longest title that fits is the one. */
function titleOf(name, titles) {
	const stem = name.replace(/\.csv$/i, "").replace(/ ?\(\d+\)$/, "");
	const key = (text) => text.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "").toLowerCase();
	const long = key(stem);
	const fitting = titles.filter((title) => {
		const short = key(title);
		if (short && long.startsWith(short)) return /^\p{L}{0,12}$/u.test(long.slice(short.length));
		return long.length > 25 && short.startsWith(long);
	});
	const [best] = fitting.sort((a, b) => b.length - a.length);
	return best ?? (stem.replace(SUFFIX, "").trim() || stem);
}

function readJson(name, text) {
	let entries;
	try {
		entries = JSON.parse(text);
	} catch {
		throw new TakeoutError(`${name} is damaged or not complete. Download it again.`);
	}
	const history = { rows: [], removed: 0, ads: 0, known: false };
	if (!Array.isArray(entries)) return history;
	for (const entry of entries.slice(0, MAX_WATCHED)) {
		if (typeof entry?.header !== "string" || !entry.header.startsWith("YouTube") || typeof entry.title !== "string") continue;
		history.known = true;
		const id = WATCHED.exec(entry.titleUrl)?.[1];
		// Advertisements are in the history, too, but nobody chose to watch them.
		if (Array.isArray(entry.details)) history.ads += 1;
		else if (!entry.titleUrl) history.removed += 1;
		else if (id && entry.title.includes(`watch?v=${id}`)) history.removed += 1;
		else if (id) history.rows.push([id, isoTime(String(entry.time ?? "")), entry.header.length > 7]);
	}
	return history;
}

const CELL = "outer-cell";

/** Looks at one cell after another: a parser of HTML would make a million elements. */
function readHtml(text) {
	const history = { rows: [], removed: 0, ads: 0, known: false };
	const times = [];
	for (let at = text.indexOf(CELL); at >= 0 && history.rows.length < MAX_WATCHED; ) {
		const next = text.indexOf(CELL, at + CELL.length);
		const cell = text.slice(at, Math.min(next < 0 ? text.length : next, at + MAX_CELL));
		at = next;
		const header = /typography--title">([^<]{0,40})/.exec(cell)?.[1] ?? "";
		const body = /body-1">([\s\S]*?)<\/div>/.exec(cell)?.[1] ?? "";
		if (!header.startsWith("YouTube")) continue;
		history.known = true;
		const [, href = "", title = ""] = /<a href="([^"]*)">([^<]*)/.exec(body) ?? [];
		const id = WATCHED.exec(href)?.[1];
		if (cell.includes("Google Ads")) history.ads += 1;
		else if (!href) history.removed += 1;
		else if (id && title.includes(`watch?v=${id}`)) history.removed += 1;
		else if (id) {
			history.rows.push([id, null, header.length > 7]);
			times.push(body.replace(/<br>\s*$/, "").split("<br>").pop().replace(/&nbsp;/g, " "));
		}
	}
	localTimes(times).forEach((time, index) => (history.rows[index][1] = time));
	return history;
}

/** The same history may have come twice, as JSON and HTML or in two Takeouts. */
function mergeHistories(histories) {
	const rows = new Map();
	const count = (name) => Math.max(0, ...histories.map((each) => each[name]));
	if (!count("removed") && !histories.some((each) => each.rows.length)) return null;
	for (const [index, { rows: own }] of histories.entries()) {
		for (const [place, row] of own.entries()) {
			rows.set(row[1] === null ? `${index} ${place}` : `${row[0]} ${Math.floor(row[1] / 1000)}`, row);
		}
	}
	const sorted = [...rows.values()].sort((a, b) => (b[1] ?? 0) - (a[1] ?? 0)).slice(0, MAX_WATCHED);
	return { rows: sorted, removed: count("removed"), ads: count("ads") };
}

/** `[{video, added_at}]`, the newest first, of videos watched `atLeast` times since `since` (ms or null). */
export function chooseWatched(rows, since, atLeast, music) {
	const videos = new Map();
	for (const [id, time, isMusic] of rows) {
		if ((isMusic && !music) || (since !== null && (time ?? 0) < since)) continue;
		const known = videos.get(id);
		if (known) known.times += 1;
		else videos.set(id, { times: 1, time });
	}
	return [...videos].filter(([, { times }]) => times >= atLeast)
		.map(([video, { time }]) => (time === null ? { video } : { video, added_at: new Date(time).toISOString() }));
}
