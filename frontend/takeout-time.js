// Times as Google Takeout writes them: ISO in CSV and JSON, and in the words of the person's language in HTML.

const ISO = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d(?:\.\d+)?) ?(?:Z|UTC|([+-]\d\d):?(\d\d))?$/;
const LOCALES = "en en-GB de fr es it pt pt-BR nl pl cs sk sl hr hu ro sv da nb fi et lv lt tr ru uk bg sr el he ar fa hi th vi id ja ko zh";
const AFTERNOON = /\b[Pp]\.?\s?[Mm]\b|오후|下午|午後|μ\.?μ|م(?!\p{L})|\bCH\b/u;
const MORNING = /\b[Aa]\.?\s?[Mm]\b|오전|上午|午前|π\.?μ|ص(?!\p{L})|\bSA\b/u;
// Hours east of Greenwich. A name that is not here counts as UTC: a few hours do not matter for a day.
const ZONES = {
	PST: -8, PDT: -7, MST: -7, MDT: -6, CST: -6, CDT: -5, EST: -5, EDT: -4, BRT: -3, ART: -3, BST: 1, CET: 1, MEZ: 1,
	CEST: 2, MESZ: 2, EET: 2, SAST: 2, EEST: 3, MSK: 3, TRT: 3, IST: 5.5, WIB: 7, ICT: 7, JST: 9, KST: 9, AEST: 10, AEDT: 11,
};

/** Milliseconds since 1970; null if the text has another form. */
export function isoTime(text) {
	const [, day, time, hours, minutes] = ISO.exec(text.trim()) ?? [];
	const parsed = day ? Date.parse(`${day}T${time}${hours ? `${hours}:${minutes}` : "Z"}`) : NaN;
	return Number.isNaN(parsed) ? null : parsed;
}

/**
 * The times of a history, the newest first as Takeout writes them. The file does not name its language: the one is
 * taken in which most can be read and in which they run backwards. Null for each time that cannot be read.
 */
export function localTimes(texts) {
	const step = Math.ceil(texts.length / 400);
	const sample = texts.filter((_, index) => index % step === 0).map(tokens);
	let best = { score: 0 };
	for (const reader of readers()) {
		const read = sample.map((each) => each && toTime(each, reader));
		const times = read.filter((time) => time !== null);
		const ordered = times.filter((time, index) => index === 0 || time <= times[index - 1] + 36e5).length;
		if (times.length + ordered > best.score) best = { score: times.length + ordered, reader };
	}
	return texts.map((text) => {
		const found = best.reader && tokens(text);
		return found ? toTime(found, best.reader) : null;
	});
}

/** Months by name for each language, and for dates of numbers only the order of day and month. */
function* readers() {
	yield { dayFirst: true, months: new Map() };
	yield { dayFirst: false, months: new Map() };
	for (const locale of LOCALES.split(" ")) {
		const months = new Map();
		for (const month of ["short", "long"]) {
			for (const rest of [{}, { day: "numeric", year: "numeric" }]) {
				const format = new Intl.DateTimeFormat(`${locale}-u-ca-gregory-nu-latn`, { month, ...rest, timeZone: "UTC" });
				for (let number = 0; number < 12; number += 1) {
					const name = format.formatToParts(Date.UTC(2024, number, 5)).find(({ type }) => type === "month").value;
					months.set(plain(name), number);
				}
			}
		}
		yield { dayFirst: true, months };
	}
}

/** Without dots and accents: Takeout's own tables of names differ in these from the browser's. */
const plain = (word) => word.normalize("NFD").replace(/[\p{M}.]/gu, "").toLowerCase();

/** The parts of a date and time, in any language. Null if one is missing. */
function tokens(text) {
	const clock = /(\d{1,2})[:.](\d\d)[:.](\d\d)(?!\d)/.exec(text.slice(0, 200));
	if (!clock) return null;
	const before = text.slice(0, clock.index);
	const rest = text.slice(clock.index + clock[0].length, 200);
	const numbers = (before.match(/\d+/g) ?? []).map(Number);
	const yearAt = numbers.findIndex((number) => number > 1900 && number < 3000);
	const words = (before.match(/[\p{L}\p{M}.]+|\d+月/gu) ?? []).map(plain);
	return yearAt < 0 ? null : { numbers, yearAt, words, hour: hourOf(Number(clock[1]), text), minute: Number(clock[2]),
		second: Number(clock[3]), zone: zoneOf(rest) };
}

function hourOf(hour, text) {
	if (AFTERNOON.test(text)) return hour % 12 + 12;
	return MORNING.test(text) ? hour % 12 : hour;
}

function zoneOf(text) {
	const [, sign, hours, minutes] = /(?:GMT|UTC)([+\-−])(\d{1,2})(?::?(\d\d))?/.exec(text) ?? [];
	if (hours) return (sign === "+" ? 1 : -1) * (Number(hours) + Number(minutes ?? 0) / 60);
	return ZONES[/[A-Z]{2,5}/.exec(text.replace(/[AP]M\b/, ""))?.[0]] ?? 0;
}

function toTime({ numbers, yearAt, words, hour, minute, second, zone }, { months, dayFirst }) {
	const others = numbers.filter((_, index) => index !== yearAt);
	const year = numbers[yearAt];
	let [month, day] = [words.map((word) => months.get(word)).find((number) => number !== undefined), others[0]];
	if (others.length > 1) {
		// All numbers. With the year at the end, the order of day and month differs by country.
		const swap = yearAt > 0 && dayFirst;
		[month, day] = swap ? [others[1] - 1, others[0]] : [others[0] - 1, others[1]];
	}
	if (!(month >= 0 && month < 12 && day >= 1 && day <= 31 && hour < 24)) return null;
	const time = Date.UTC(year, month, day, hour, minute, second);
	return new Date(time).getUTCDate() === day ? time - zone * 36e5 : null;
}
