/* The compression of a PNG's scan lines: Huffman codes and runs of zeros. What noise and a
 * transparent background leave of filtered lines holds little else, and zlib takes longer to find
 * that out.
 * P. Deutsch, RFC 1951, 1996; D. Huffman, "A Method for the Construction of Minimum-Redundancy
 * Codes", 1952.
 */

#include <stdint.h>

typedef intptr_t Index; /* NumPy's intp */

/* Browsers put quicker code in the place of a function from one call of it to the next. */
#define PIECE static __attribute__((noinline))

enum {
    LONGEST_CODE = 12,     /* four of them, and what has not filled a byte, fit into 64 bits */
    BLOCK_WORDS = 1 << 16, /* of four bytes each: what has codes of its own */
    LONGEST_RUN = 64,      /* in words: matches have up to 258 bytes */
    LITERALS = 256,
    END_OF_BLOCK = 256,
    FIRST_LENGTH = 257,
    LENGTHS = 29,
    SYMBOLS = FIRST_LENGTH + LENGTHS,
};

/* ---- bits ------------------------------------------------------------------------------------- */

typedef struct {
    uint8_t *to;
    uint64_t pending; /* bits that do not fill a byte yet, the first one lowest */
    int count;
} Bits;

typedef struct {
    uint32_t value; /* the first bit lowest */
    int count;
} Code;

static inline void add(Bits *bits, Code code) {
    bits->pending |= (uint64_t)code.value << bits->count;
    bits->count += code.count;
}

static inline void flush(Bits *bits) {
    __builtin_memcpy(bits->to, &bits->pending, 8);
    bits->to += bits->count >> 3;
    bits->pending >>= bits->count & ~7;
    bits->count &= 7;
}

static void put(Bits *bits, uint32_t value, int count) {
    add(bits, (Code){value, count});
    flush(bits);
}

static inline uint32_t word_at(const uint8_t *bytes, Index word) {
    uint32_t value;
    __builtin_memcpy(&value, bytes + 4 * word, 4);
    return value;
}

/* ---- codes ------------------------------------------------------------------------------------ */

typedef struct {
    int code, first, bits; /* a match's length: its code, the shortest one, which of them it is */
} Length;

/* Codes stand for 1, 1, ... and then 2, 4, 8, 16, 32 lengths, four times each, from 3 to 257; the
 * last one for 258 alone. */
static Length length_of(int bytes) {
    int code = 0, first = 3;
    for (;;) {
        const int bits = code < 8 ? 0 : code / 4 - 1;
        if (bytes < first + (1 << bits)) return (Length){code, first, bits};
        first += 1 << bits;
        code++;
    }
}

/* How deep each of `leaves`, from light to heavy, lies in the tree that is lightest in all. */
static void huffman_depths(const uint32_t *weights, int leaves, uint8_t *depths) {
    uint32_t all[2 * SYMBOLS];
    uint16_t parents[2 * SYMBOLS];
    uint8_t depth_of[2 * SYMBOLS];
    const int nodes = 2 * leaves - 1;
    for (int leaf = 0; leaf < leaves; leaf++) all[leaf] = weights[leaf];
    /* Leaves and inner nodes are both there from light to heavy. */
    int leaf = 0, inner = leaves;
    for (int node = leaves; node < nodes; node++) {
        uint32_t weight = 0;
        for (int child = 0; child < 2; child++) {
            const int is_leaf = leaf < leaves && (inner >= node || all[leaf] <= all[inner]);
            const int lightest = is_leaf ? leaf++ : inner++;
            weight += all[lightest];
            parents[lightest] = (uint16_t)node;
        }
        all[node] = weight;
    }
    depth_of[nodes - 1] = 0;
    for (int node = nodes - 2; node >= 0; node--) {
        depth_of[node] = (uint8_t)(depth_of[parents[node]] + 1);
        if (node < leaves) depths[node] = depth_of[node];
    }
}

/* The length of each symbol's code, 0 for one that does not occur. Two of them do, at least. */
static void code_lengths(const uint32_t *counts, uint8_t *lengths) {
    int symbols[SYMBOLS], used = 0;
    uint32_t weights[SYMBOLS];
    uint8_t depths[SYMBOLS];
    for (int symbol = 0; symbol < SYMBOLS; symbol++) {
        lengths[symbol] = 0;
        if (!counts[symbol]) continue;
        int at = used++;
        for (; at > 0 && weights[at - 1] > counts[symbol]; at--) {
            weights[at] = weights[at - 1];
            symbols[at] = symbols[at - 1];
        }
        weights[at] = counts[symbol];
        symbols[at] = symbol;
    }
    huffman_depths(weights, used, depths);
    /* Codes that are too long are cut off, and those of other rare symbols pay for it. */
    int excess = -(1 << LONGEST_CODE);
    for (int at = 0; at < used; at++) {
        if (depths[at] > LONGEST_CODE) depths[at] = LONGEST_CODE;
        excess += 1 << (LONGEST_CODE - depths[at]);
    }
    while (excess > 0) {
        int rarest = 0;
        while (depths[rarest] == LONGEST_CODE) rarest++;
        depths[rarest]++;
        excess -= 1 << (LONGEST_CODE - depths[rarest]);
    }
    for (; excess < 0; excess++) {
        int commonest = used - 1;
        while (depths[commonest] < LONGEST_CODE) commonest--;
        depths[commonest]--;
    }
    for (int at = 0; at < used; at++) lengths[symbols[at]] = depths[at];
}

static void codes_of(const uint8_t *lengths, int symbols, Code *codes) {
    int of_length[LONGEST_CODE + 1] = {0}, next[LONGEST_CODE + 1] = {0};
    for (int symbol = 0; symbol < symbols; symbol++) of_length[lengths[symbol]]++;
    of_length[0] = 0;
    for (int length = 1; length <= LONGEST_CODE; length++) {
        next[length] = (next[length - 1] + of_length[length - 1]) << 1;
    }
    for (int symbol = 0; symbol < symbols; symbol++) {
        const int length = lengths[symbol];
        uint32_t mirrored = 0;
        if (length > 0) {
            const int code = next[length]++;
            for (int bit = 0; bit < length; bit++) {
                mirrored |= (uint32_t)((code >> bit) & 1) << (length - 1 - bit);
            }
        }
        codes[symbol] = (Code){mirrored, length};
    }
}

/* ---- blocks ----------------------------------------------------------------------------------- */

/* Of words that are 0, from `at` on. */
static inline Index run_from(const uint8_t *bytes, Index at, Index words) {
    const Index most = at + LONGEST_RUN < words ? at + LONGEST_RUN : words;
    Index end = at + 1;
    while (end < most && word_at(bytes, end) == 0) end++;
    return end - at;
}

/* How often each symbol is written, and how many runs of zeros there are of each length. */
PIECE void count_symbols(const uint8_t *bytes, Index words, uint32_t *counts, uint32_t *runs) {
    /* One count for each place in a word: the same byte comes often, and would wait for itself. */
    uint32_t places[4][LITERALS];
    __builtin_memset(places, 0, sizeof places);
    for (Index at = 0; at < words;) {
        const uint32_t word = word_at(bytes, at);
        if (word == 0) {
            const Index run = run_from(bytes, at, words);
            runs[run]++;
            at += run;
            continue;
        }
        for (int place = 0; place < 4; place++) places[place][word >> 8 * place & 255]++;
        at++;
    }
    for (int byte = 0; byte < LITERALS; byte++) {
        for (int place = 0; place < 4; place++) counts[byte] += places[place][byte];
    }
    counts[END_OF_BLOCK] = 1;
    for (int run = 1; run <= LONGEST_RUN; run++) {
        counts[0] += runs[run];
        if (runs[run]) counts[FIRST_LENGTH + length_of(4 * run - 1).code] += runs[run];
    }
}

static void write_header(Bits *bits, const uint8_t *lengths) {
    static const int FOUR_BITS = 16; /* lengths of codes below that have codes of four bits */
    static const int ORDER[] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    put(bits, 0, 1); /* not the last one */
    put(bits, 2, 2); /* with Huffman codes of its own */
    put(bits, SYMBOLS - FIRST_LENGTH, 5);
    put(bits, 0, 5); /* one distance, which is 1 */
    put(bits, sizeof ORDER / sizeof *ORDER - 4, 4);
    for (unsigned at = 0; at < sizeof ORDER / sizeof *ORDER; at++) {
        put(bits, ORDER[at] < FOUR_BITS ? 4 : 0, 3);
    }
    uint8_t four[16];
    Code codes[16];
    for (int length = 0; length < FOUR_BITS; length++) four[length] = 4;
    codes_of(four, FOUR_BITS, codes);
    for (int symbol = 0; symbol < SYMBOLS; symbol++) put(bits, codes[lengths[symbol]].value, 4);
    put(bits, codes[1].value, 4);
}

PIECE void write_block(Bits *bits, const uint8_t *bytes, Index words) {
    uint32_t counts[SYMBOLS] = {0}, runs[LONGEST_RUN + 1] = {0};
    uint8_t lengths[SYMBOLS];
    Code codes[SYMBOLS], matches[LONGEST_RUN + 1];
    count_symbols(bytes, words, counts, runs);
    code_lengths(counts, lengths);
    codes_of(lengths, SYMBOLS, codes);
    for (int run = 1; run <= LONGEST_RUN; run++) {
        /* What follows the zero that a run begins with: a length, and a distance of one bit, 0. */
        const Length length = length_of(4 * run - 1);
        const Code code = codes[FIRST_LENGTH + length.code];
        const uint32_t which = (uint32_t)(4 * run - 1 - length.first);
        matches[run] = (Code){code.value | which << code.count, code.count + length.bits + 1};
    }
    write_header(bits, lengths);
    for (Index at = 0; at < words;) {
        const uint32_t word = word_at(bytes, at);
        if (word == 0) {
            const Index run = run_from(bytes, at, words);
            add(bits, codes[0]);
            add(bits, matches[run]);
            at += run;
        } else {
            for (int place = 0; place < 4; place++) add(bits, codes[word >> 8 * place & 255]);
            at++;
        }
        flush(bits);
    }
    add(bits, codes[END_OF_BLOCK]);
    flush(bits);
}

/* Blocks that say `count` bytes, none of them the last one of a stream, and all of whole bytes, so
 * that those of its next part may follow. `to` has room for 3/2 of `count` and for 512 for each
 * block and two more. Returns how many bytes they take. */
Index deflate(const uint8_t *bytes, Index count, uint8_t *to) {
    Bits bits = {to, 0, 0};
    const Index words = count / 4, rest = count % 4;
    for (Index first = 0; first < words; first += BLOCK_WORDS) {
        const Index left = words - first;
        write_block(&bits, bytes + 4 * first, left < BLOCK_WORDS ? left : BLOCK_WORDS);
    }
    put(&bits, 0, 3); /* as they are */
    if (bits.count > 0) put(&bits, 0, 8 - bits.count);
    put(&bits, (uint32_t)rest, 16);
    put(&bits, ~(uint32_t)rest & 0xFFFF, 16);
    for (Index at = 0; at < rest; at++) put(&bits, bytes[4 * words + at], 8);
    return bits.to - to;
}
