// Reads single files of a zip without unpacking the rest. No file is larger than its caller allows.

/** `message` is for people: what is wrong with the file and what to do. */
export class TakeoutError extends Error {}

// The end record is 22 bytes and a comment of at most 64 KB.
const END_BYTES = 22 + 65_535;
const MAX_DIRECTORY_BYTES = 64e6;
const [END, ENTRY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
const UNPACK = "Unpack it on your computer, and choose the files in its folder “YouTube and YouTube Music”.";
const DAMAGED = "is damaged or not complete. Download it again.";

/** `{name, size, read(limit)}` of each file in the zip; `read` resolves to bytes. Throws TakeoutError. */
export async function zipEntries(file) {
	const tail = await view(file, Math.max(file.size - END_BYTES, 0), file.size);
	let end = tail.byteLength - 22;
	while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
	if (end < 0) throw new TakeoutError(`${file.name} ${DAMAGED}`);
	const [disk, count] = [tail.getUint16(end + 4, true), tail.getUint16(end + 10, true)];
	const [size, start] = [tail.getUint32(end + 12, true), tail.getUint32(end + 16, true)];
	if (count === 0xffff || size === 0xffffffff || start === 0xffffffff) {
		throw new TakeoutError(`${file.name} is too large a zip for this page. ${UNPACK}`);
	}
	if (disk) throw new TakeoutError(`${file.name} is one piece of a zip that was cut up. ${UNPACK}`);
	if (start + size > file.size || size > MAX_DIRECTORY_BYTES) throw new TakeoutError(`${file.name} ${DAMAGED}`);
	const directory = await view(file, start, start + size);
	const entries = [];
	for (let at = 0; entries.length < count; ) {
		if (at + 46 > size || directory.getUint32(at, true) !== ENTRY) throw new TakeoutError(`${file.name} ${DAMAGED}`);
		const [nameLength, extra, comment] = [28, 30, 32].map((place) => directory.getUint16(at + place, true));
		const name = new TextDecoder().decode(new Uint8Array(directory.buffer, at + 46, Math.min(nameLength, size - at - 46)));
		entries.push(entry(file, name, directory, at));
		at += 46 + nameLength + extra + comment;
	}
	return entries;
}

function entry(file, name, directory, at) {
	const [flags, method] = [directory.getUint16(at + 8, true), directory.getUint16(at + 10, true)];
	const [crc, packed, size, start] = [16, 20, 24, 42].map((place) => directory.getUint32(at + place, true));
	const path = `${name} in ${file.name}`;
	async function read(limit) {
		if (flags & 1) throw new TakeoutError(`${path} is protected by a password. ${UNPACK}`);
		if (size === 0xffffffff || packed === 0xffffffff) throw new TakeoutError(`${path} is too large for this page.`);
		if (method !== 0 && method !== 8) throw new TakeoutError(`${path} is packed in a way that this page cannot read. ${UNPACK}`);
		if (size > limit) throw new TakeoutError(tooLarge(path, limit));
		const head = await view(file, start, start + 30);
		if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) throw new TakeoutError(`${path} ${DAMAGED}`);
		const begin = start + 30 + head.getUint16(26, true) + head.getUint16(28, true);
		const blob = file.slice(begin, begin + packed);
		const stream = method ? blob.stream().pipeThrough(new DecompressionStream("deflate-raw")) : blob.stream();
		const bytes = await collect(stream, size, path);
		if (checksum(bytes) !== crc) throw new TakeoutError(`${path} ${DAMAGED}`);
		return bytes;
	}
	return { name, size, read };
}

export const tooLarge = (path, limit) => `${path} is larger than ${limit / 1e6} MB, so it is not a list of videos.`;

/** Exactly `size` bytes. What a zip says about its sizes may be a lie, so it stops at the first byte more. */
async function collect(stream, size, path) {
	const bytes = new Uint8Array(size);
	const reader = stream.getReader();
	let length = 0;
	try {
		for (let part = await reader.read(); !part.done; part = await reader.read()) {
			if (length + part.value.length > size) {
				await reader.cancel();
				throw new TakeoutError(`${path} ${DAMAGED}`);
			}
			bytes.set(part.value, length);
			length += part.value.length;
		}
	} catch (error) {
		throw error instanceof TakeoutError ? error : new TakeoutError(`${path} ${DAMAGED}`);
	}
	if (length < size) throw new TakeoutError(`${path} ${DAMAGED}`);
	return bytes;
}

const view = async (file, from, to) => new DataView(await file.slice(from, to).arrayBuffer());

const TABLE = Uint32Array.from({ length: 256 }, (_, value) => {
	for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
	return value;
});

/** CRC-32, as in zips. */
function checksum(bytes) {
	let crc = -1;
	for (const byte of bytes) crc = TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
	return ~crc >>> 0;
}
