// Reads a Takeout beside the page, so that the page does not stand still. Nothing is sent anywhere.

import { readTakeout } from "./takeout-read.js";

onmessage = ({ data: files }) =>
	readTakeout(files, (reading) => postMessage({ reading })).then((found) => postMessage({ found }), reportError);
