// Makes format1.txt: the sealing formats, implemented a second time from their descriptions.
import { createCipheriv, createHash, createHmac } from 'node:crypto';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { x25519 } from '@noble/curves/ed25519.js';

const FORMAT = 1, AES_GCM = 1, XWING = 2, SEGMENT = 65536;
const bytes = (...parts) => Buffer.concat(parts.map(p => typeof p === 'number' ? Buffer.from([p]) : Buffer.from(p)));
const u32 = n => { const b = Buffer.alloc(4); b.writeUInt32BE(n); return b; };
const sha256 = data => createHash('sha256').update(data).digest();
// HKDF-Expand (RFC 5869, 2.3) of one block.
const derive = (key, label, context = '', length = 32) =>
    createHmac('sha256', key).update(bytes(`ZeroStor 1 ${label}`, 0, context, 1)).digest().subarray(0, length);
const seal = (key, nonce, content, associated) => {
    const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
    return bytes(cipher.update(content), cipher.final(), cipher.getAuthTag());
};
const varint = n => n < 128 ? bytes(n) : bytes(n & 127 | 128, varint(n >> 7));
const blob = data => bytes(varint(data.length), data);

// What the tests' entropy gives: 0, 1, 2, ...
let drawn = 0;
const draw = length => Buffer.from(Array.from({ length }, () => drawn++ & 255));
const box = (key, content, associated) => { const nonce = draw(12); return bytes(nonce, seal(key, nonce, content, associated)); };
const say = (name, value) => console.log(name, Buffer.from(value).toString('hex'));

const MASTER = Buffer.from(Array.from({ length: 32 }, (_, i) => 0xa0 + i));
const VAULT = Buffer.alloc(16, 0x11), CONTENT = Buffer.alloc(16, 0x22), STRIPE_SEAL = Buffer.alloc(16, 0x33);
const TICK = 7, ORDINAL = 5, CUSTODY_FABRIC = 1, GENERATION = 1, EPOCH = 1;

const masterId = derive(MASTER, 'master key id', '', 16).toString('hex');
say('master-id', Buffer.from(masterId, 'hex'));
say('master-text', `ZeroStor master key 1\nid  ${masterId}\nkey ${MASTER.toString('hex')}\n`);

// X-Wing, from its draft.
const seed = draw(32);
const expanded = createHash('shake256', { outputLength: 96 }).update(seed).digest();
const lattice = ml_kem768.keygen(expanded.subarray(0, 64));
const scalar = expanded.subarray(64), point = x25519.getPublicKey(scalar);
const publicKey = bytes(lattice.publicKey, point);
const encapsulate = () => {
    const { cipherText, sharedSecret } = ml_kem768.encapsulate(lattice.publicKey, draw(32));
    const ephemeral = draw(32), sent = x25519.getPublicKey(ephemeral);
    const secret = createHash('sha3-256').update(bytes(
        sharedSecret, x25519.getSharedSecret(ephemeral, point), sent, point, Buffer.from('5c2e2f2f5e5c', 'hex'))).digest();
    return { ciphertext: bytes(cipherText, sent), secret };
};

const keyText = bytes(`ZeroStor vault key 1\nvault ${VAULT.toString('hex')}\nkey 1 xwing ${seed.toString('hex')}\n`);
say('key-file', bytes(keyText, `sum ${sha256(keyText).toString('hex').slice(0, 32)}\n`));
const recovery = bytes(XWING, VAULT, u32(GENERATION), seed);
let bits = '';
for (const b of bytes(recovery, sha256(recovery).subarray(0, 5))) bits += b.toString(2).padStart(8, '0');
while (bits.length % 5) bits += '0';
say('recovery-key', 'zs1-' + bits.match(/.{5}/g).map(d => '0123456789abcdefghjkmnpqrstvwxyz'[parseInt(d, 2)]).join('').match(/.{1,5}/g).join('-'));

const epochKey = draw(32);
const bound = bytes(FORMAT, XWING, VAULT, u32(EPOCH), u32(GENERATION), u32(TICK), sha256(publicKey));
const { ciphertext, secret } = encapsulate();
const epochBox = box(derive(secret, 'epoch key wrap', bytes(VAULT, u32(EPOCH))), epochKey, bound);
const witness = createHmac('sha256', derive(seed, 'epoch witness', VAULT)).update(bytes(bound, ciphertext, epochBox)).digest();
const held = box(derive(MASTER, 'private key wrap'), seed,
    bytes(FORMAT, XWING, CUSTODY_FABRIC, VAULT, u32(GENERATION), u32(TICK), sha256(publicKey)));
const ring = bytes(FORMAT, VAULT, CUSTODY_FABRIC, 1, XWING,
    1, u32(GENERATION), XWING, u32(TICK), blob(publicKey), blob(Buffer.from(masterId)), blob(held),
    1, u32(EPOCH), XWING, u32(GENERATION), u32(TICK), ciphertext, epochBox, witness);
say('key-ring', ring);

const head = bytes(FORMAT, AES_GCM, u32(EPOCH));
const associated = bytes(head, VAULT, CONTENT);
const contentKey = draw(32);
say('wrapped-content-key', bytes(
    head, box(derive(epochKey, 'content key wrap'), contentKey, associated),
    derive(contentKey, 'content key commitment')));
say('sealed-manifest', bytes(head, box(derive(epochKey, 'manifest', CONTENT), Buffer.from('a manifest'), associated)));

const stripeKey = derive(contentKey, 'stripe', STRIPE_SEAL);
for (const length of [1, 16, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 4 * 1024 * 1024]) {
    const content = Buffer.alloc(length);
    for (let i = 0; i < length; i++) content[i] = i * 7 + Math.floor(i / 251);
    const segments = [];
    for (let start = 0; start < length; start += SEGMENT) {
        const index = start / SEGMENT, isLast = start + SEGMENT >= length;
        segments.push(seal(stripeKey, bytes(Buffer.alloc(7), u32(index), isLast ? 1 : 0), content.subarray(start, start + SEGMENT),
            bytes(FORMAT, AES_GCM, VAULT, CONTENT, u32(ORDINAL), u32(index))));
    }
    const sealed = Buffer.concat(segments);
    if (length <= 16) say(`stripe-${length}`, sealed);
    say(`stripe-${length}-sha256`, sha256(sealed));
}
