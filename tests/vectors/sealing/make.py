"""Makes format1.txt: the sealing formats, implemented a second time from their descriptions."""
import hashlib
import struct

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

FORMAT, SUITE, SEGMENT = 1, 1, 65536
HEAD = bytes([FORMAT, SUITE])


def derive(key, label, context=b"", length=32):
    info = b"ZeroStor 1 " + label + b"\0" + context
    return HKDF(SHA256(), length, salt=None, info=info).derive(key)


def u32(number):
    return struct.pack(">I", number)


# What the tests' entropy gives: 0, 1, 2, ...
drawn = 0


def draw(length):
    global drawn
    taken = bytes(i & 0xFF for i in range(drawn, drawn + length))
    drawn += length
    return taken


def say(name, value):
    print(name, value.hex())


MASTER = bytes(range(0xA0, 0xC0))
VAULT, CONTENT, SEAL = b"\x11" * 16, b"\x22" * 16, b"\x33" * 16
TICK, ORDINAL = 7, 5

master_id = derive(MASTER, b"master key id", length=16)
say("master-id", master_id)
say("master-text", b"ZeroStor master key 1\nid  %s\nkey %s\n"
    % (master_id.hex().encode(), MASTER.hex().encode()))

epoch_key, nonce = draw(32), draw(12)
wrap_key = derive(MASTER, b"epoch key wrap", VAULT + u32(1))
aad = HEAD + VAULT + u32(1) + u32(TICK) + master_id
wrapped = master_id + nonce + AESGCM(wrap_key).encrypt(nonce, epoch_key, aad)
say("key-ring", bytes([FORMAT]) + VAULT + bytes([1]) + u32(1) + bytes([SUITE]) + u32(TICK)
    + bytes([len(wrapped)]) + wrapped)

head = HEAD + u32(1)
aad = head + VAULT + CONTENT
content_key, nonce = draw(32), draw(12)
box = AESGCM(derive(epoch_key, b"content key wrap", CONTENT)).encrypt(nonce, content_key, aad)
say("wrapped-content-key", head + nonce + box + derive(content_key, b"content key commitment"))

nonce = draw(12)
box = AESGCM(derive(epoch_key, b"manifest", CONTENT)).encrypt(nonce, b"a manifest", aad)
say("sealed-manifest", head + nonce + box)

stripe = AESGCM(derive(content_key, b"stripe", SEAL))
for length in (1, 16, SEGMENT - 1, SEGMENT, SEGMENT + 1, 3 * SEGMENT, 4 * 1024 * 1024):
    content = bytes((i * 7 + i // 251) & 0xFF for i in range(length))
    sealed = b""
    for start in range(0, length, SEGMENT):
        index = start // SEGMENT
        last = start + SEGMENT >= length
        aad = HEAD + VAULT + CONTENT + u32(ORDINAL) + u32(index)
        sealed += stripe.encrypt(bytes(7) + u32(index) + bytes([last]), content[start:start + SEGMENT], aad)
    if length <= 16:
        say("stripe-%d" % length, sealed)
    say("stripe-%d-sha256" % length, hashlib.sha256(sealed).digest())
