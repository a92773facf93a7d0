// Reads a Google Takeout. Names of files and columns are in the person's language: all is found by the form of its values.

import { isoTime, localTimes } from "./takeout-time.js";
import { damaged, TakeoutError, tooLarge, zipEntries } from "./takeout-zip.js";

// A playlist has at most 5,000 videos, and a history is some 600 bytes a video. A cell of it has a few links and words.
const MAX = { files: 5_000, all: 500e6, table: 20e6, rows: 200_000, title: 150, history: 200e6, watched: 500_000, cell: 6_000 };
const CELL = "outer-cell";

const READABLE = /\.(csv|json|html?)$/i;
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
	const [problems, tables, histories] = [[], [], []];
	let left = MAX.all;
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
				if (left < 0) return;
				const name = part.name.split("/").pop();
				report(`Reading ${name}…`);
				await attempt(name, async () => {
					const isTable = /\.csv$/i.test(name);
					const bytes = await part.read(isTable ? MAX.table : MAX.history);
					left -= bytes.length;
					if (left < 0) throw new TakeoutError(`${name} and all after it were left out: choose fewer files at a time.`);
					const reader = isTable ? readTable : /\.json$/i.test(name) ? readJson : readHtml;
					const read = reader(name, decode(bytes));
					known ||= read.known;
					(isTable ? tables : histories).push(read);
				});
			}
			if (!known && problems.length === problemsBefore) throw new TakeoutError(nothingIn(file.name));
		});
	}
	const allOf = (name) => tables.flatMap((each) => each[name]);
	const channels = new Map(allOf("channels").map((each) => [each.channel_id, each]));
	const titles = allOf("titles");
	const collections = tables.filter(({ videos }) => videos.length)
		.map(({ name, title, videos, unreadable }) => ({ title: title || titleOf(name, titles), videos, unreadable }));
	return { collections, channels: [...channels.values()], watched: mergeHistories(histories), problems };
}

const nothingIn = (name) => `${name} has no playlists, history or subscriptions.${/\.zip$/i.test(name)
	? " If your Takeout came in several zips, choose all of them." : " Choose files of the folder “YouTube and YouTube Music”."}`;

/** `{name, read(limit)}` of each file that may hold something. */
async function partsOf(file) {
	const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 2).arrayBuffer()));
	if (head === "PK") {
		const readable = (await zipEntries(file)).filter(({ name }) => READABLE.test(name));
		// A whole Takeout has many products. The folder has the name of the product in each language.
		const youtube = readable.filter(({ name }) => /youtube/i.test(name));
		return (youtube.length ? youtube : readable).slice(0, MAX.files);
	}
	if (/\.zip$/i.test(file.name)) damaged(file.name);
	if (head === "\x1f\x8b") {
		throw new TakeoutError(`${file.name} is a .tgz file. Choose “.zip” at Google Takeout, or unpack it and choose the files.`);
	}
	if (!READABLE.test(file.name)) throw new TakeoutError(nothingIn(file.name));
	const read = async (limit) => {
		if (file.size > limit) tooLarge(file.name, limit);
		return new Uint8Array(await file.arrayBuffer());
	};
	return [{ name: file.name, read }];
}

/** A spreadsheet may have written the file again, in UTF-16. */
const decode = (bytes) => new TextDecoder(bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8").decode(bytes);

/** Rows of cells, without empty rows. Quoted cells may hold commas, quotes and line breaks. */
export function parseTable(text) {
	const head = text.slice(0, 1000);
	const separator = [",", ";", "\t"].reduce((best, each) => (head.split(each).length > head.split(best).length ? each : best));
	const stop = new RegExp(`[${separator}\r\n]`, "g");
	const rows = [];
	let row = [];
	for (let at = 0; at < text.length && rows.length < MAX.rows; ) {
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
	const channels = rows.filter(([id, url]) => CHANNEL.test(id) && url?.includes("/channel/"))
		.map(([id, , title]) => ({ channel_id: id, title: (title || id).slice(0, MAX.title) }));
	const playlists = rows.filter(([id]) => PLAYLIST.test(id));
	const isVideo = (row) => VIDEO.test(row[0]) && isoTime(row[1] ?? "") !== null && !row.slice(2).some(Boolean);
	const first = rows.findIndex(isVideo);
	const videos = new Map();
	const list = first < 0 ? [] : rows.slice(first);
	for (const [id, time] of list.filter(isVideo)) videos.has(id) || videos.set(id, new Date(isoTime(time)).toISOString());
	// Above the videos, old files tell about the playlist: id, channel, two times, title, description.
	const about = first < 0 ? [] : (playlists[0] ?? []);
	const title = about[about.findLastIndex((cell) => isoTime(cell) !== null) + 1]?.slice(0, MAX.title);
	return {
		name,
		title,
		videos: [...videos].map(([video, added_at]) => ({ video, added_at })),
		unreadable: list.filter((row) => !isVideo(row)).length,
		channels,
		titles: playlists.flat().filter((cell) => cell && cell.length <= MAX.title),
		known: Boolean(videos.size || channels.length || playlists.length || (rows.length === 1 && rows[0].length === 2)),
	};
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

const newHistory = () => ({ rows: [], removed: 0, ads: 0, known: false });

/** Adds one entry. Advertisements are in a history, too, but nobody chose to watch them. */
function addEntry(history, header, title, href, time, isAd) {
	if (!header.startsWith("YouTube") || history.rows.length >= MAX.watched) return;
	history.known = true;
	const id = WATCHED.exec(href)?.[1];
	if (isAd) history.ads += 1;
	// A private or removed video has no address, or the address is its title.
	else if (!href || (id && title.includes(`watch?v=${id}`))) history.removed += 1;
	else if (id) history.rows.push([id, time, header.length > 7]);
}

function readJson(name, text) {
	const history = newHistory();
	let entries;
	try {
		entries = JSON.parse(text);
	} catch {
		damaged(name);
	}
	for (const entry of Array.isArray(entries) ? entries : []) {
		const { header, title, titleUrl, time, details } = Object(entry);
		if (typeof header === "string") addEntry(history, header, String(title), titleUrl, isoTime(String(time)), Boolean(details));
	}
	return history;
}

/** Looks at one cell after another: a parser of HTML would make a million elements. */
function readHtml(name, text) {
	const history = newHistory();
	for (let at = text.indexOf(CELL); at >= 0; ) {
		const next = text.indexOf(CELL, at + 1);
		const cell = text.slice(at, Math.min(next < 0 ? text.length : next, at + MAX.cell));
		const header = /typography--title">([^<]{0,40})/.exec(cell)?.[1] ?? "";
		const body = /body-1">([\s\S]*?)<\/div>/.exec(cell)?.[1] ?? "";
		const [, href, title] = /<a href="([^"]*)">([^<]*)/.exec(body) ?? [];
		const time = body.replace(/<br>\s*$/, "").split("<br>").pop();
		addEntry(history, header, title, href, time, cell.includes("Google Ads"));
		at = next;
	}
	localTimes(history.rows.map((row) => row[1])).forEach((time, index) => (history.rows[index][1] = time));
	return history;
}

/** The same history may have come twice, as JSON and HTML or in two Takeouts. The one of searches has no videos. */
function mergeHistories(histories) {
	const watched = histories.filter((each) => each.rows.length);
	if (!watched.length) return null;
	const rows = new Map(watched.flatMap((each, number) => each.rows.map((row, place) =>
		[row[1] === null ? `${number} ${place}` : `${row[0]} ${Math.floor(row[1] / 1000)}`, row])));
	const most = (name) => Math.max(...watched.map((each) => each[name]));
	const sorted = [...rows.values()].sort((a, b) => b[1] - a[1]);
	return { rows: sorted, removed: most("removed"), ads: most("ads") };
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
