// Numbers, times and languages as people read them, in English like the page.

// UTC, as in the filters of a search.
const dates = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeZone: "UTC" });
const weekdays = new Intl.DateTimeFormat("en", { weekday: "long" });
const numbers = new Intl.NumberFormat("en");
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const languages = new Intl.DisplayNames("en", { type: "language", fallback: "code" });
const rightToLeft = new Set(["ar", "ckb", "dv", "fa", "he", "iw", "ku", "ps", "sd", "ug", "ur", "yi"]);

export const join = (parts) => parts.filter(Boolean).join(" · ");

export const sentences = (...parts) => parts.filter(Boolean).map((each) => `${each}.`).join(" ");

export const count = (number) => numbers.format(number);

export const countOf = (number, singular, plural) => `${count(number)} ${number === 1 ? singular : plural}`;

export const countVideos = (number) => countOf(number, "video", "videos");

/** h:mm:ss; a `duration` has no leading zeros. */
export function timestamp(seconds) {
	const whole = Math.floor(seconds);
	const twoDigits = (number) => String(number).padStart(2, "0");
	return `${Math.floor(whole / 3600)}:${twoDigits(Math.floor(whole / 60) % 60)}:${twoDigits(whole % 60)}`;
}

export const duration = (seconds) => timestamp(seconds).replace(/^0:(0(?=\d:))?/, "");

export const megabytes = (bytes) => `${count(Math.ceil(bytes / 1e5) / 10)} MB`;

export const date = (time) => dates.format(new Date(time));

export const dateAndTime = (time) => new Date(time).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });

export const timeOfDay = (time) => new Date(time).toLocaleTimeString("en", { hour: "numeric", minute: "2-digit", hourCycle: "h23" });

export function ago(time) {
	const minutes = (Date.now() - new Date(time)) / 60_000;
	if (minutes < 1) return "just now";
	if (minutes < 60) return relative.format(-Math.floor(minutes), "minute");
	if (minutes < 1440) return relative.format(-Math.floor(minutes / 60), "hour");
	if (minutes < 43_200) return relative.format(-Math.floor(minutes / 1440), "day");
	return `on ${date(time)}`;
}

/** `12 minutes`, `3 hours` */
export function span(seconds) {
	if (seconds < 90) return "a minute";
	return seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : `${Math.round(seconds / 3600)} hours`;
}

/** `Tuesday` within the last week, else the date. */
export function day(time) {
	const recent = Date.now() - new Date(time) < 6 * 864e5;
	return recent ? weekdays.format(new Date(time)) : date(time);
}

/** `in 3 hours`, `tomorrow`, `in 5 days` */
export function until(time) {
	const hours = (new Date(time) - Date.now()) / 36e5;
	if (hours < 1) return "within the hour";
	return hours < 24 ? relative.format(Math.round(hours), "hour") : relative.format(Math.round(hours / 24), "day");
}

export function remaining(seconds) {
	if (seconds < 10) return "a few seconds left";
	if (seconds < 90) return `about ${Math.round(seconds / 10) * 10} s left`;
	if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
	return `about ${Math.round(seconds / 3600)} h left`;
}

export function languageName(code) {
	try {
		return languages.of(code);
	} catch {
		return code; // not a BCP 47 code
	}
}

export function languageAttributes(lang) {
	if (!lang) return { dir: "auto" };
	return { lang, dir: rightToLeft.has(lang.split("-")[0].toLowerCase()) ? "rtl" : "ltr" };
}
