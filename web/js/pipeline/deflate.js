/**
 * The compression of a PNG's scan lines: Huffman codes and runs of zeros. What noise and a
 * transparent background leave of filtered lines holds little else, and zlib, compiled to
 * WebAssembly, takes longer to find that out.
 * P. Deutsch, RFC 1950 and RFC 1951, 1996; D. Huffman, "A Method for the Construction of
 * Minimum-Redundancy Codes", 1952.
 */

/** Codes of so many bits that two of them fit into 32 beside what has not filled a byte. */
const LONGEST_CODE = 12
/** Four bytes each: what has codes of its own. */
const BLOCK_WORDS = 1 << 16
/** A run is at most 256 bytes, one of which is a literal: matches have up to 258. */
const LONGEST_RUN_WORDS = 64

const END_OF_BLOCK = 256
const FIRST_LENGTH = 257
/** By length code: the shortest match, and how many bits tell which one it is. */
const MATCH_LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
  163, 195, 227, 258,
]
const MATCH_BITS = [
  0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
]
const SYMBOLS = FIRST_LENGTH + MATCH_LENGTHS.length
/** In which the lengths of the codes of code lengths are written. */
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

const ADLER_PRIME = 65521
/** So few that no sum exceeds 32 bits. */
const ADLER_WORDS = 900

/** The two bytes before, and those after, what `deflate` has made of all parts of a stream. */
export const ZLIB_HEADER = Uint8Array.of(0x78, 0x01)
export const LAST_BLOCK = Uint8Array.of(0x03, 0x00)

/**
 * @param {Uint8Array} bytes a part of a stream
 * @returns {Uint8Array} blocks that say the same, of whole bytes, so that those of the next part may
 *   follow; none of them is the last
 */
export function deflate(bytes) {
  const { words, rest } = wordsOf(bytes)
  const blocks = Math.ceil(words.length / BLOCK_WORDS) + 1
  const most_bytes = Math.ceil(1.5 * bytes.length) + 512 * blocks
  const bits = new BitWriter(most_bytes)
  for (let first = 0; first < words.length; first += BLOCK_WORDS) {
    writeBlock(bits, words.subarray(first, first + BLOCK_WORDS))
  }
  bits.writeStored(rest)
  return bits.written()
}

/**
 * @param {Uint8Array} bytes
 * @returns {{ words: Uint32Array, rest: Uint8Array }} four bytes at a time, and up to three
 */
function wordsOf(bytes) {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  const count = aligned.length >> 2
  return {
    words: new Uint32Array(aligned.buffer, aligned.byteOffset, count),
    rest: aligned.subarray(4 * count),
  }
}

/** What is written to, kept: memory that is new costs as much as what is written there. */
let scratch = new ArrayBuffer(0)

class BitWriter {
  at = 0
  /** Bits that do not fill a byte yet, the first one lowest. */
  pending = 0
  count = 0

  /** @param {number} most_bytes */
  constructor(most_bytes) {
    if (scratch.byteLength < most_bytes) scratch = new ArrayBuffer(most_bytes)
    this.view = new DataView(scratch)
  }

  /**
   * @param {number} value
   * @param {number} count of its bits, at most 24
   */
  write(value, count) {
    this.pending |= value << this.count
    this.count += count
    this.view.setInt32(this.at, this.pending, true)
    this.at += this.count >>> 3
    this.pending >>>= this.count & 24
    this.count &= 7
  }

  /** @param {Uint8Array} bytes a block as they are, from a whole byte to a whole byte */
  writeStored(bytes) {
    this.write(0, 3)
    if (this.count > 0) this.write(0, 8 - this.count)
    this.write(bytes.length, 16)
    this.write(~bytes.length & 0xffff, 16)
    for (const byte of bytes) this.write(byte, 8)
  }

  /** @returns {Uint8Array} a copy */
  written() {
    return new Uint8Array(this.view.buffer, 0, this.at).slice()
  }
}

/**
 * @param {BitWriter} bits
 * @param {Uint32Array} words
 */
function writeBlock(bits, words) {
  const { counts, runs } = countSymbols(words)
  const lengths = codeLengths(counts)
  const codes = codesOf(lengths)
  writeHeader(bits, lengths)
  writeSymbols(bits, words, codes, runCodes(codes, runs))
  const end = /** @type {number} */ (codes[END_OF_BLOCK])
  bits.write(end & 0xffff, end >>> 16)
}

/**
 * @param {Uint32Array} words
 * @returns {{ counts: Uint32Array, runs: Uint32Array }} how often each symbol is written, and how many
 *   runs of zeros there are of each length in words
 */
function countSymbols(words) {
  const length = words.length
  // One count for each place in a word: the same byte comes often, and would wait for itself.
  const first = new Uint32Array(256)
  const second = new Uint32Array(256)
  const third = new Uint32Array(256)
  const fourth = new Uint32Array(256)
  const runs = new Uint32Array(LONGEST_RUN_WORDS + 1)
  for (let at = 0; at < length; ) {
    const word = /** @type {number} */ (words[at++])
    if (word === 0) {
      const end = endOfRun(words, at)
      runs[end - at + 1]++
      at = end
      continue
    }
    first[word & 255]++
    second[(word >>> 8) & 255]++
    third[(word >>> 16) & 255]++
    fourth[word >>> 24]++
  }
  const counts = new Uint32Array(SYMBOLS)
  for (let byte = 0; byte < 256; byte++) {
    counts[byte] = first[byte] + second[byte] + third[byte] + fourth[byte]
  }
  counts[END_OF_BLOCK] = 1
  for (let run = 1; run < runs.length; run++) {
    counts[0] += runs[run]
    counts[FIRST_LENGTH + matchCode(4 * run - 1)] += runs[run]
  }
  return { counts, runs }
}

/**
 * @param {Uint32Array} words
 * @param {number} at after the first word of a run of zeros
 */
function endOfRun(words, at) {
  const most = Math.min(words.length, at + LONGEST_RUN_WORDS - 1)
  while (at < most && words[at] === 0) at++
  return at
}

/** @param {number} length of a match, in bytes */
function matchCode(length) {
  let code = MATCH_LENGTHS.length - 1
  while (/** @type {number} */ (MATCH_LENGTHS[code]) > length) code--
  return code
}

/**
 * @param {Uint32Array} counts two of which are not 0
 * @returns {Uint8Array} the length of each symbol's code, 0 for one that does not occur
 */
function codeLengths(counts) {
  const symbols = Array.from(counts.keys()).filter((symbol) => counts[symbol] > 0)
  symbols.sort((one, other) => counts[one] - counts[other])
  const depths = huffmanDepths(symbols.map((symbol) => counts[symbol]))
  const lengths = new Uint8Array(counts.length)
  // Codes that are too long are cut off, and those of other rare symbols pay for it.
  let excess = -(1 << LONGEST_CODE)
  for (const [at, symbol] of symbols.entries()) {
    lengths[symbol] = Math.min(depths[at], LONGEST_CODE)
    excess += 1 << (LONGEST_CODE - lengths[symbol])
  }
  while (excess > 0) {
    const rarest = symbols.find((symbol) => lengths[symbol] < LONGEST_CODE) ?? 0
    lengths[rarest]++
    excess -= 1 << (LONGEST_CODE - lengths[rarest])
  }
  for (; excess < 0; excess++) {
    lengths[symbols.findLast((symbol) => lengths[symbol] === LONGEST_CODE) ?? 0]--
  }
  return lengths
}

/**
 * @param {number[]} weights from light to heavy, two at least
 * @returns {Uint8Array} how deep each lies in the tree that is lightest in all
 */
function huffmanDepths(weights) {
  const leaves = weights.length
  const nodes = 2 * leaves - 1
  const parents = new Uint16Array(nodes)
  const all = new Float64Array(nodes).fill(Infinity)
  all.set(weights)
  // Leaves and inner nodes are both there from light to heavy.
  let leaf = 0
  let inner = leaves
  for (let node = leaves; node < nodes; node++) {
    let weight = 0
    for (let child = 0; child < 2; child++) {
      const lightest = leaf < leaves && all[leaf] <= all[inner] ? leaf++ : inner++
      weight += all[lightest]
      parents[lightest] = node
    }
    all[node] = weight
  }
  const depths = new Uint8Array(nodes)
  for (let node = nodes - 2; node >= 0; node--) depths[node] = depths[parents[node]] + 1
  return depths
}

/**
 * @param {Uint8Array} lengths
 * @returns {Uint32Array} of each symbol: its code, first bit lowest, and its length above 16 bits
 */
function codesOf(lengths) {
  const ofLength = new Uint16Array(LONGEST_CODE + 1)
  for (const length of lengths) if (length > 0) ofLength[length]++
  const next = new Uint16Array(LONGEST_CODE + 1)
  for (let length = 1; length <= LONGEST_CODE; length++) {
    next[length] = (next[length - 1] + ofLength[length - 1]) << 1
  }
  return Uint32Array.from(lengths, (length) =>
    length > 0 ? mirrored(next[length]++, length) | (length << 16) : 0,
  )
}

/**
 * @param {number} code
 * @param {number} length
 */
function mirrored(code, length) {
  let bits = 0
  for (let bit = 0; bit < length; bit++) bits |= ((code >> bit) & 1) << (length - 1 - bit)
  return bits
}

/**
 * @param {BitWriter} bits
 * @param {Uint8Array} lengths
 */
function writeHeader(bits, lengths) {
  bits.write(0, 1)
  bits.write(2, 2) // with Huffman codes of its own
  bits.write(SYMBOLS - FIRST_LENGTH, 5)
  bits.write(0, 5) // one distance, which is 1
  bits.write(LENGTHS_ORDER.length - 4, 4)
  // Lengths up to 15 in four bits each: what shorter codes would save is a hundred bytes.
  for (const length of LENGTHS_ORDER) bits.write(length < 16 ? 4 : 0, 3)
  const codes = codesOf(new Uint8Array(16).fill(4))
  for (const length of lengths) bits.write(codes[length] & 0xffff, 4)
  bits.write(codes[1] & 0xffff, 4)
}

/**
 * @param {Uint32Array} codes
 * @param {Uint32Array} runs how many there are of each length in words
 * @returns {Uint32Array} what follows the zero that a run begins with: a match with its length and its
 *   distance, the number of bits above 24
 */
function runCodes(codes, runs) {
  return runs.map((count, run) => {
    if (count === 0) return 0
    const length = 4 * run - 1
    const match = matchCode(length)
    const code = codes[FIRST_LENGTH + match]
    const codeBits = code >>> 16
    const lengthBits = MATCH_BITS[match]
    const value = (code & 0xffff) | ((length - MATCH_LENGTHS[match]) << codeBits)
    return value | ((codeBits + lengthBits + 1) << 24)
  })
}

/**
 * @param {BitWriter} bits
 * @param {Uint32Array} words
 * @param {Uint32Array} codes
 * @param {Uint32Array} runs
 */
function writeSymbols(bits, words, codes, runs) {
  // `BitWriter.write`, twice a word, with what it changes in variables: four times as fast.
  const { view } = bits
  let { at, pending, count } = bits
  const length = words.length
  const zero = codes[0]
  for (let word = 0; word < length; ) {
    const value = words[word++]
    if (value === 0) {
      const end = endOfRun(words, word)
      const run = runs[end - word + 1]
      word = end
      pending |= (zero & 0xffff) << count
      count += zero >>> 16
      view.setInt32(at, pending, true)
      at += count >>> 3
      pending >>>= count & 24
      count &= 7
      pending |= (run & 0xffffff) << count
      count += run >>> 24
    } else {
      let code = codes[value & 255]
      pending |= (code & 0xffff) << count
      count += code >>> 16
      code = codes[(value >>> 8) & 255]
      pending |= (code & 0xffff) << count
      count += code >>> 16
      view.setInt32(at, pending, true)
      at += count >>> 3
      pending >>>= count & 24
      count &= 7
      code = codes[(value >>> 16) & 255]
      pending |= (code & 0xffff) << count
      count += code >>> 16
      code = codes[value >>> 24]
      pending |= (code & 0xffff) << count
      count += code >>> 16
    }
    view.setInt32(at, pending, true)
    at += count >>> 3
    pending >>>= count & 24
    count &= 7
  }
  Object.assign(bits, { at, pending, count })
}

// ---- checksums -----------------------------------------------------------------------------------

/**
 * @param {Uint8Array} bytes
 * @returns {number} their Adler-32
 */
export function adler32(bytes) {
  const { words, rest } = wordsOf(bytes)
  let sum = 1
  let sums = 0
  for (let at = 0; at < words.length; ) {
    const end = Math.min(at + ADLER_WORDS, words.length)
    for (; at < end; at++) {
      const word = words[at]
      sums += sum << 2
      if (word === 0) continue
      const first = word & 255
      const second = (word >>> 8) & 255
      const third = (word >>> 16) & 255
      const fourth = word >>> 24
      sums += 4 * first + 3 * second + 2 * third + fourth
      sum += first + second + third + fourth
    }
    sum %= ADLER_PRIME
    sums %= ADLER_PRIME
  }
  for (const byte of rest) {
    sum = (sum + byte) % ADLER_PRIME
    sums = (sums + sum) % ADLER_PRIME
  }
  return sums * 0x10000 + sum
}

/**
 * @param {number} first Adler-32 of what comes before
 * @param {number} second of what follows
 * @param {number} length of that, in bytes
 * @returns {number} of both together
 */
export function joinedAdler32(first, second, length) {
  const before = first & 0xffff
  const sum = (before + (second & 0xffff) + ADLER_PRIME - 1) % ADLER_PRIME
  const moved = ((length % ADLER_PRIME) * (before + ADLER_PRIME - 1)) % ADLER_PRIME
  const sums = ((first >>> 16) + (second >>> 16) + moved) % ADLER_PRIME
  return sums * 0x10000 + sum
}
