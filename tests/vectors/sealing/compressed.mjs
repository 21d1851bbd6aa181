// Makes compressed.txt: compressed stripes, LZ4 among them, implemented a second time from their descriptions.
import { createCipheriv, createHash, createHmac } from 'node:crypto';

const FORMAT = 2, AES_GCM = 1, SEGMENT = 65536, INDEX = 2, LAST = 1;
const bytes = (...parts) => Buffer.concat(parts.map(p => typeof p === 'number' ? Buffer.from([p]) : Buffer.from(p)));
const u32 = n => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const u16 = n => { const b = Buffer.alloc(2); b.writeUInt16BE(n); return b; };
const sha256 = data => createHash('sha256').update(data).digest();
const say = (name, value) => console.log(name, Buffer.from(value).toString('hex'));

const VAULT = Buffer.alloc(16, 0x11), CONTENT = Buffer.alloc(16, 0x22), SEAL = Buffer.alloc(16, 0x33), ORDINAL = 5;
const CONTENT_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 0xc0 + i));
// HKDF-Expand (RFC 5869, 2.3) of one block.
const key = createHmac('sha256', CONTENT_KEY).update(bytes('ZeroStor 1 compressed stripe', 0, SEAL, 1)).digest();

const seal = (plain, segment, kind, contentBytes) => {
    const cipher = createCipheriv('aes-256-gcm', key, bytes(Buffer.alloc(7), u32(segment), kind))
        .setAAD(bytes(FORMAT, AES_GCM, VAULT, CONTENT, u32(ORDINAL), u32(segment), u32(contentBytes)));
    return bytes(cipher.update(plain), cipher.final(), cipher.getAuthTag());
};

// A block of LZ4 (lz4_Block_format.md): matches of four bytes and more, the last one seen of each four; none begins within
// the last twelve bytes, and the last five are literals.
const lz4 = content => {
    const out = [], seen = new Map();
    const length = n => { for (n -= 15; n >= 255; n -= 255) out.push(255); out.push(n); };
    const sequence = (from, to, offset, match) => {
        out.push(Math.min(to - from, 15) << 4 | (match ? Math.min(match - 4, 15) : 0));
        if (to - from >= 15) length(to - from);
        out.push(...content.subarray(from, to));
        if (!match) return;
        out.push(offset & 255, offset >> 8);
        if (match - 4 >= 15) length(match - 4);
    };
    let from = 0;
    for (let at = 0; at < content.length - 12; at++) {
        const four = content.readUInt32LE(at), before = seen.get(four);
        seen.set(four, at);
        if (before === undefined || at - before > 65535) continue;
        let match = 4;
        while (at + match < content.length - 5 && content[at + match] === content[before + match]) match++;
        sequence(from, at, at - before, match);
        from = at + match;
        at = from - 1;
    }
    sequence(from, content.length, 0, 0);
    return Buffer.from(out);
};

// Text, and bytes that do not compress.
const text = length => {
    let lines = '';
    for (let i = 0; lines.length < length; i++) lines += `record ${i} of volume ${i % 7}\n`;
    return Buffer.from(lines.slice(0, length));
};
const noise = length => {
    const blocks = [];
    for (let i = 0; i * 32 < length; i++) blocks.push(sha256(u32(i)));
    return Buffer.concat(blocks).subarray(0, length);
};

const make = content => {
    const stored = [];
    for (let at = 0; at < content.length; at += SEGMENT) {
        const segment = content.subarray(at, at + SEGMENT), block = lz4(segment);
        stored.push(block.length < segment.length ? block : segment);
    }
    const index = stored.length === 1 ? [] :
        [seal(Buffer.concat(stored.map(s => u16(s.length - 1))), 0, INDEX, content.length)];
    return Buffer.concat([...index,
        ...stored.map((s, i) => seal(s, i, i === stored.length - 1 ? LAST : 0, content.length))]);
};

const one = text(500), three = Buffer.concat([text(SEGMENT), text(SEGMENT + 999).subarray(999), noise(300)]);
for (const [name, content] of [['one', one], ['three', three]]) {
    say(`${name}-content-sha256`, sha256(content));
    say(`${name}-length`, u32(content.length));
    say(`${name}-sealed`, make(content));
}
