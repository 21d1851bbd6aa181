// The other side of kem.sh, from the drafts and @noble's primitives.
import { readFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js';
import { x25519 } from '@noble/curves/ed25519.js';
import { sha3_256, shake256 } from '@noble/hashes/sha3.js';

const suites = {
    xwing: { lattice: ml_kem768, ciphertextBytes: 1088, label: Buffer.from('5c2e2f2f5e5c', 'hex') },
    xwing1024: { lattice: ml_kem1024, ciphertextBytes: 1568, label: Buffer.from('ZeroStor xwing1024') },
};
const hex = bytes => Buffer.from(bytes).toString('hex');
const unhex = text => Uint8Array.from(Buffer.from(text, 'hex'));

function pairOf(suite, seed) {
    const expanded = shake256(seed, { dkLen: 96 });
    const { publicKey, secretKey } = suite.lattice.keygen(expanded.subarray(0, 64));
    const scalar = expanded.subarray(64), point = x25519.getPublicKey(scalar);
    return { secretKey, scalar, point, publicKey: Buffer.concat([publicKey, point]), latticeKey: publicKey };
}
const combine = (suite, latticeSecret, agreed, sent, point) =>
    sha3_256(Uint8Array.from(Buffer.concat([latticeSecret, agreed, sent, point, suite.label])));

const [verb, argument] = process.argv.slice(2);
if (verb === 'make') {
    const cases = Object.entries(suites).flatMap(([name, suite]) => Array.from({ length: Number(argument) }, () => {
        const seed = Uint8Array.from(randomBytes(32)), pair = pairOf(suite, seed);
        const { cipherText, sharedSecret } = suite.lattice.encapsulate(pair.latticeKey);
        const ephemeral = Uint8Array.from(randomBytes(32)), sent = x25519.getPublicKey(ephemeral);
        const secret = combine(suite, sharedSecret, x25519.getSharedSecret(ephemeral, pair.point), sent, pair.point);
        return {
            Suite: name, Seed: hex(seed), PublicKey: hex(pair.publicKey),
            Ciphertext: hex(Buffer.concat([cipherText, sent])), Secret: hex(secret),
        };
    }));
    console.log(JSON.stringify(cases));
} else {
    const cases = JSON.parse(readFileSync(argument));
    for (const { Suite, Seed, PublicKey, Ciphertext, Secret } of cases) {
        const suite = suites[Suite], pair = pairOf(suite, unhex(Seed)), ciphertext = unhex(Ciphertext);
        const sent = ciphertext.subarray(suite.ciphertextBytes);
        const secret = combine(
            suite, suite.lattice.decapsulate(ciphertext.subarray(0, suite.ciphertextBytes), pair.secretKey),
            x25519.getSharedSecret(pair.scalar, sent), sent, pair.point);
        if (hex(pair.publicKey) !== PublicKey || hex(secret) !== Secret) throw new Error(`differs for seed ${Seed}`);
    }
    console.log(`${cases.length} of ours: all opened, all public keys equal`);
}
