// Numbers and times as people read them. The page is English, and so are its dates.

const dates = new Intl.DateTimeFormat("en", { dateStyle: "medium" });
const clock = new Intl.DateTimeFormat("en", { hour: "numeric", minute: "2-digit", hourCycle: "h23" });
const numbers = new Intl.NumberFormat("en");
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const languages = new Intl.DisplayNames("en", { type: "language", fallback: "code" });
const rightToLeft = new Set(["ar", "ckb", "dv", "fa", "he", "iw", "ku", "ps", "sd", "ug", "ur", "yi"]);

// Minutes in one, and until when it is counted in them.
const UNITS = [["minute", 1, 60], ["hour", 60, 1440], ["day", 1440, 43_200]];

export const count = (number) => numbers.format(number);

export const many = (number, one, several) => `${count(number)} ${number === 1 ? one : several}`;

export const videos = (number) => many(number, "video", "videos");

/** h:mm:ss, the second in which something begins. */
export function moment(seconds) {
	const whole = Math.floor(seconds);
	const two = (number) => String(number).padStart(2, "0");
	return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
}

export const length = (seconds) => moment(seconds).replace(/^0:(0(?=\d:))?/, "");

export const megabytes = (bytes) => `${count(Math.ceil(bytes / 1e5) / 10)} MB`;

export const day = (time) => dates.format(new Date(time));

export const timeOfDay = (time) => clock.format(new Date(time));

export function ago(time) {
	const minutes = (Date.now() - new Date(time)) / 60_000;
	if (minutes < 1) return "just now";
	for (const [unit, size, limit] of UNITS) {
		if (minutes < limit) return relative.format(-Math.floor(minutes / size), unit);
	}
	return `on ${day(time)}`;
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
		return code; // not a BCP 47 code: shown as it is
	}
}

/** The attributes of text in the language of a video, so that it is read, spoken and set correctly. */
export function spoken(lang) {
	if (!lang) return { dir: "auto" };
	return { lang, dir: rightToLeft.has(lang.split("-")[0].toLowerCase()) ? "rtl" : "ltr" };
}
