// Reads single files of a zip without unpacking the rest.

/** `message` is for people: what is wrong with the file and what to do. */
export class TakeoutError extends Error {}

// The end record is 22 bytes and a comment of at most 64 KB.
const END_BYTES = 22 + 65_535;
const MAX_DIRECTORY_BYTES = 64e6;
const [END, ENTRY, LOCAL] = [0x06054b50, 0x02014b50, 0x04034b50];
const NO_NUMBER = 0xffffffff; // the number is in a record of zip64
const UNPACK = "Unpack it on your computer, and choose the files in its folder “YouTube and YouTube Music”.";

const fail = (name, problem) => {
	throw new TakeoutError(`${name} ${problem}`);
};
export const damaged = (name) => fail(name, "is damaged or not complete. Download it again.");
export const tooLarge = (name, limit) => fail(name, `is larger than ${limit / 1e6} MB, so it is not a list of videos.`);

const view = async (file, from, to) => new DataView(await file.slice(from, to).arrayBuffer());

/** `{name, read(limit)}` of each file in the zip; `read` resolves to at most `limit` bytes. Throws TakeoutError. */
export async function zipEntries(file) {
	const tail = await view(file, Math.max(file.size - END_BYTES, 0), file.size);
	let end = tail.byteLength - 22;
	while (end >= 0 && tail.getUint32(end, true) !== END) end -= 1;
	if (end < 0) damaged(file.name);
	const [disk, count] = [4, 10].map((place) => tail.getUint16(end + place, true));
	const [size, start] = [12, 16].map((place) => tail.getUint32(end + place, true));
	if (size === NO_NUMBER || start === NO_NUMBER || count === 0xffff) fail(file.name, `is too large a zip for this page. ${UNPACK}`);
	if (disk) fail(file.name, `is one piece of a zip that was cut up. ${UNPACK}`);
	if (start + size > file.size || size > MAX_DIRECTORY_BYTES) damaged(file.name);
	const directory = await view(file, start, start + size);
	const entries = [];
	for (let at = 0; entries.length < count; ) {
		if (at + 46 > size || directory.getUint32(at, true) !== ENTRY) damaged(file.name);
		const [nameLength, extra, comment] = [28, 30, 32].map((place) => directory.getUint16(at + place, true));
		const name = new TextDecoder().decode(directory.buffer.slice(at + 46, at + 46 + nameLength));
		entries.push(entry(file, name, new DataView(directory.buffer, at, 46)));
		at += 46 + nameLength + extra + comment;
	}
	return entries;
}

function entry(file, name, record) {
	const [flags, method] = [8, 10].map((place) => record.getUint16(place, true));
	const [crc, packed, size, start] = [16, 20, 24, 42].map((place) => record.getUint32(place, true));
	const path = `${name} in ${file.name}`;
	async function read(limit) {
		if (flags & 1) fail(path, `is protected by a password. ${UNPACK}`);
		if (method !== 0 && method !== 8) fail(path, `is packed in a way that this page cannot read. ${UNPACK}`);
		if (size > limit) tooLarge(path, limit);
		const head = await view(file, start, start + 30);
		if (head.byteLength < 30 || head.getUint32(0, true) !== LOCAL) damaged(path);
		const begin = start + 30 + head.getUint16(26, true) + head.getUint16(28, true);
		const stream = file.slice(begin, begin + packed).stream();
		const bytes = new Uint8Array(size);
		const reader = (method ? stream.pipeThrough(new DecompressionStream("deflate-raw")) : stream).getReader();
		let length = 0;
		try {
			// The sizes in a zip may be false: `set` throws at the first byte too many.
			for (let part = await reader.read(); !part.done; part = await reader.read()) {
				bytes.set(part.value, length);
				length += part.value.length;
			}
		} catch {
			reader.cancel().catch(() => {});
			damaged(path);
		}
		if (length < size || checksum(bytes) !== crc) damaged(path);
		return bytes;
	}
	return { name, read };
}

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
