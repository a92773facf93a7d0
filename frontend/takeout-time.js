// Times as Google Takeout writes them: ISO in CSV and JSON, and in the words of the person's language in HTML.

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?) ?(?:Z|UTC|([+-]\d\d):?(\d\d))?$/;
const LOCALES = "en en-GB de fr es it pt nl pl cs sk sl hr hu ro sv da nb fi et lv lt tr ru uk bg sr el he ar fa hi th vi id".split(" ");
const AFTERNOON = /\b[Pp]\.?\s?[Mm]\b|오후|下午|午後|μ\.?μ|م(?!\p{L})|\bCH\b/u;
const MORNING = /\b[Aa]\.?\s?[Mm]\b|오전|上午|午前|π\.?μ|ص(?!\p{L})|\bSA\b/u;
// Hours east of Greenwich. A name that is not here counts as UTC: a few hours do not matter for a day.
const ZONES = { PST: -8, PDT: -7, MST: -7, MDT: -6, CST: -6, CDT: -5, EST: -5, EDT: -4, BRT: -3, BST: 1, CET: 1, MEZ: 1, CEST: 2,
	MESZ: 2, EET: 2, EEST: 3, MSK: 3, IST: 5.5, JST: 9, KST: 9 };

/** Milliseconds since 1970; null if the text has another form. */
export function isoTime(text) {
	const [, day, time, hours, minutes] = ISO.exec(text.trim()) ?? [];
	return (day && Date.parse(`${day}T${time}${hours ? `${hours}:${minutes}` : "Z"}`)) || null;
}

/**
 * The times of a history, the newest first as Takeout writes them. The file does not name its language: the one is
 * taken in which most can be read and in which they run backwards. Null for each time that cannot be read.
 */
export function localTimes(texts) {
	const parts = texts.map(partsOf);
	const sample = parts.filter((_, index) => index % Math.ceil(parts.length / 400) === 0);
	let [best, bestScore] = [() => null, 0];
	// For dates of numbers, only the order of day and month is unknown.
	for (const locale of [true, false, ...LOCALES]) {
		const months = locale.length ? monthsOf(locale) : new Map();
		const reader = (each) => each && timeOf(each, months, locale !== false);
		const times = sample.map(reader).filter(Boolean);
		const score = times.length + times.filter((time, index) => !index || time <= times[index - 1] + 36e5).length;
		if (score > bestScore) [best, bestScore] = [reader, score];
	}
	return parts.map(best);
}

/** Numbers of months by name. Short and long, alone and in a date: in many languages they differ. */
function monthsOf(locale) {
	const months = new Map();
	for (const month of ["short", "long"]) {
		for (const rest of [{}, { day: "numeric", year: "numeric" }]) {
			const format = new Intl.DateTimeFormat(`${locale}-u-ca-gregory-nu-latn`, { month, ...rest, timeZone: "UTC" });
			for (let number = 0; number < 12; number += 1) {
				const parts = format.formatToParts(Date.UTC(2024, number, 5));
				months.set(plain(parts.find(({ type }) => type === "month").value), number);
			}
		}
	}
	return months;
}

/** Without dots and accents: Takeout's own tables of names differ in these from the browser's. */
const plain = (word) => word.normalize("NFD").replace(/[\p{M}.]/gu, "").toLowerCase();

/** The parts of a date and time, in any language. Null if one is missing. */
function partsOf(text) {
	const clock = /(\d{1,2})[:.](\d\d)[:.](\d\d)(?!\d)/.exec(text.slice(0, 200));
	if (!clock) return null;
	const before = text.slice(0, clock.index);
	const numbers = (before.match(/\d+/g) ?? []).map(Number);
	const yearAt = numbers.findIndex((number) => number > 1900 && number < 3000);
	if (yearAt < 0) return null;
	const words = (before.match(/[\p{L}\p{M}.]+/gu) ?? []).map(plain);
	const [hour, minute, second] = clock.slice(1).map(Number);
	const half = AFTERNOON.test(text) ? 12 : MORNING.test(text) ? 0 : null;
	const clockTime = (half === null ? hour : hour % 12 + half) * 3600 + minute * 60 + second;
	return { numbers, yearAt, words, seconds: clockTime - zoneOf(text.slice(clock.index + clock[0].length, 200)) * 3600 };
}

function zoneOf(text) {
	const [, sign, hours, minutes = 0] = /(?:GMT|UTC)([+\-−])(\d{1,2})(?::?(\d\d))?/.exec(text) ?? [];
	if (hours) return (sign === "+" ? 1 : -1) * (Number(hours) + minutes / 60);
	return ZONES[/[A-Z]{3,4}/.exec(text)?.[0]] ?? 0;
}

function timeOf({ numbers, yearAt, words, seconds }, months, dayFirst) {
	const [first, second] = numbers.toSpliced(yearAt, 1);
	let [day, month] = [first, words.map((word) => months.get(word)).find((number) => number !== undefined)];
	// All numbers: with the year at the end, the order of day and month differs by country.
	if (second) [day, month] = yearAt && dayFirst ? [first, second - 1] : [second, first - 1];
	const date = new Date(Date.UTC(numbers[yearAt], month, day));
	return date.getUTCMonth() === month && date.getUTCDate() === day ? date.getTime() + seconds * 1000 : null;
}
