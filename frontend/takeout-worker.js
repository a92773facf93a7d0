// Reads a Takeout beside the page, so that the page does not stand still. Nothing is sent anywhere.

import { readTakeout } from "./takeout-read.js";

addEventListener("message", async ({ data: files }) => {
	try {
		postMessage({ found: await readTakeout(files, (reading) => postMessage({ reading })) });
	} catch ({ message }) {
		postMessage({ failed: message });
	}
});
