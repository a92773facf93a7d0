// Reads a Takeout beside the page, so that the page does not stand still. Nothing is sent anywhere.

import { readTakeout } from "./takeout-read.js";

onmessage = async ({ data: files }) => postMessage({ found: await readTakeout(files, (reading) => postMessage({ reading })) });
