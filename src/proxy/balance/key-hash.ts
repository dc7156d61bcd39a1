/**
 * The hash of everything that is chosen by key: MurmurHash3 (x86, 32 bits) of the key's bytes, and a cheap way to derive more hashes from it.
 *
 * Keys come from request heads, which are decoded as latin1: one character is one byte as the client sent it, so the hash of a key is the
 * one that any other program computes from the same bytes. Text that cannot have come from a head (a salt in the configuration) is hashed
 * as UTF-8. The bytes go into one buffer that is used again for every key; views of each length are made once, because the library takes
 * the length from the view. Keys over 512 bytes are rare enough to pay for an array of their own.
 *
 * The library's check that each byte is a byte is switched off: typed arrays hold nothing else.
 *
 * Pedigree: A. Appleby's MurmurHash3. `mix` is its step for one block of four bytes and its finaliser, with the hash as seed and the salt as
 * block: a bijection in each argument, in which every bit flips every bit of the result about half of the time. Neither resists somebody who
 * looks for collisions: a client that picks its own key picks its own endpoint, which it could as well do by trying keys.
 *
 * @hotpath bench/micro/balance.ts
 */
import murmur from 'murmurhash3js-revisited';

Object.assign(murmur, { inputValidation: false });

const REUSED = 512;
const bytes = Buffer.alloc(REUSED);
const views: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(REUSED + 1).fill(undefined);
const { hash32 } = murmur.x86;

/** The first `length` bytes of the buffer. */
function viewOf(length: number): Uint8Array {
  const known = views[length];
  if (known !== undefined) return known;
  const view = bytes.subarray(0, length);
  views[length] = view;
  return view;
}

/** Of keys too long for the buffer, or with characters that are not bytes. */
function hashLong(text: string, seed: number): number {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 255) return hash32(Buffer.from(text, 'utf8'), seed);
  }
  return hash32(Buffer.from(text, 'latin1'), seed);
}

/** 32 bits without sign. @param seed 32 bits; default 0. */
export function hashKey(text: string, seed = 0): number {
  const { length } = text;
  if (length > REUSED) return hashLong(text, seed);
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255) return hashLong(text, seed);
    bytes[i] = code;
  }
  return hash32(viewOf(length), seed);
}

/** Another hash, as good as independent, from a hash and a salt; all 32 bits, the result without sign. */
export function mix(hash: number, salt: number): number {
  let k = Math.imul(salt, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  let h = hash ^ k;
  h = Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
