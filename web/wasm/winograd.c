/*
 * Runs the plan of a network (exporter/winograd) in float32: what ONNX Runtime Web computes from the
 * same file, in a third of its time.
 *
 * Convolutions of 3x3 take a quarter of the multiplications: tiles of 4x4 results by the minimal
 * filtering F(4x4, 3x3), https://arxiv.org/abs/1509.09308; those of 5x5 three eighths, by F(2x2, 5x5).
 * With the points 0, 1, -1, 2 and -2:
 *
 *     V = B' d B     of every tile of 6x6 pixels d and every channel read
 *     M = U V        at each of 36 places: matrices of tiles x channels read x channels written
 *     Y = A' M A     of every tile and every channel written; U = G g G' are the filters
 *
 * U is made once. That of filters of many channels would take most of a network's memory, and belong
 * to few pixels: they stay as they are in the file, in int8 too, and their U is made in every run.
 *
 * Tensors are rows of pixels of channels. A pixel begins `pixel_floats` after the one before, as what
 * is concatenated lies side by side from the start. Channels are padded to fours.
 *
 * All threads walk through the steps together: each takes the next piece of a step until none is
 * left, and waits for the others before the next step.
 */
#include <stdint.h>

typedef float f4 __attribute__((vector_size(16), aligned(4)));
typedef int8_t code4 __attribute__((vector_size(4), aligned(1)));
typedef float loose_float __attribute__((aligned(1)));
typedef int32_t loose_int __attribute__((aligned(1)));

#define INLINE static inline __attribute__((always_inline))
#define EXPORT(name) __attribute__((export_name(#name)))
/* Browsers run a function as it was compiled in haste until it is called again. */
#define PIECE static __attribute__((noinline)) void

/* ---- the plan, as exporter/winograd/layout.py writes it ---------------------------------------- */

enum { WINOGRAD, DIRECT, MAX_POOL, RESIZE, ADD, SIGMOID, INPUT, DEPTHWISE, MEAN, MULTIPLY, MEASURE,
       NORMALISE, TILES, DEEP };
enum { AS_IT_IS, RELU, RELU6 };

/* Tensors, filters and biases are floats from the start of their region, sources bytes of the ONNX
 * file. `other` is what is added to the result, or -1.
 *
 * `order`, in numbers from the start of the plan: which of the file's channels each one of `in` is,
 * or -1 for padding. With steps, filters are int8 and biases int32, in steps of each channel written;
 * without (-1) they are floats. `bits` of a weight: 32, 8, or 4, two in a byte. `is_transposed`: the
 * file has channels written last.
 *
 * What the file knows of the first `file_in_channels` to NORMALISE: scales, biases, and in place of the
 * steps means and variances. */
typedef struct {
  int32_t operation, activation, kernel, dilation, stride;
  int32_t in, in_pixel_floats, in_height, in_width, in_channels, order, file_in_channels;
  int32_t out, out_pixel_floats, out_height, out_width, out_channels, file_out_channels;
  int32_t other, other_pixel_floats;
  int32_t filters, biases, filters_source, biases_source, filter_steps, bias_steps, is_transposed, bits;
  int32_t tiles; /* WINOGRAD: of a piece */
} Step;

/* `bytes` and `small` count from the first plan: where all of them end, and where the plan of the same
 * network for a small picture begins, which has the same filters at the same places. */
typedef struct {
  int32_t magic, steps, packed_floats, arena_floats, thread_floats, input, output, height, width;
  int32_t checksum, bytes, small, unused[4];
} Plan;

enum { PLACES = 36, TAPS = 9, MOST_TAPS = 25, ROWS = 4, STRIPS = 16 };
/* Channels read and written whose filters are made at a time, and floats from place to place: not a
 * power of two, or all places would be kept in the same few lines of the cache. */
enum { IN_SLICE = 64, OUT_SLICE = 16, PLACE_FLOATS = IN_SLICE * OUT_SLICE + 16 };
enum { MOST_STEPS = 1024, MOST_CHANNELS = 4096, MOST_NORMALISED = 512, STACK_FLOATS = 4096 };

extern float __heap_base;
static const Plan *first_plan, *plan;
static const Step *steps;
static float *packed, *arena, *threads_own;
static int32_t threads;
static const float zeros[MOST_CHANNELS];

INLINE f4 load(const float *from) { return *(const f4 *)from; }
INLINE void store(float *to, f4 value) { *(f4 *)to = value; }
INLINE f4 all(float value) { return (f4){value, value, value, value}; }
INLINE f4 larger(f4 a, f4 b) { return __builtin_wasm_pmax_f32x4(a, b); }
INLINE f4 smaller(f4 a, f4 b) { return __builtin_wasm_pmin_f32x4(a, b); }
INLINE int32_t least(int32_t a, int32_t b) { return a < b ? a : b; }
INLINE int32_t in_eights(int32_t channels) { return (channels + 7) / 8 * 8; }

INLINE float *pixel_out(const Step *s, int32_t pixel) {
  return arena + s->out + pixel * s->out_pixel_floats;
}

INLINE f4 activated(const Step *s, f4 value) {
  if (s->activation != AS_IT_IS) value = larger(value, all(0));
  return s->activation == RELU6 ? smaller(value, all(6)) : value;
}

INLINE f4 finished(const Step *s, f4 value, int32_t pixel, int32_t channel) {
  value = activated(s, value);
  if (s->other >= 0) value += load(arena + s->other + pixel * s->other_pixel_floats + channel);
  return value;
}

/* ---- filters, once ----------------------------------------------------------------------------- */

INLINE const char *source(int32_t place) { return (const char *)arena + place; }
INLINE float float_at(int32_t place, int32_t i) { return ((const loose_float *)source(place))[i]; }

/* Where the file has the filter from channel `in` to channel `out`; -1 where one of them is padding. */
static int32_t filter_at(const Step *s, int32_t out, int32_t in) {
  int32_t is_alone = s->operation == DEPTHWISE, channel = ((const int32_t *)first_plan + s->order)[in];
  if (out >= s->file_out_channels || channel < 0) return -1;
  int32_t filter =
      s->is_transposed ? channel * s->file_out_channels + out : out * s->file_in_channels + channel;
  return (is_alone ? out : filter) * s->kernel * s->kernel;
}

static int32_t code_at(const Step *s, int32_t i) {
  const int8_t *codes = (const int8_t *)source(s->filters_source);
  if (s->bits == 8) return codes[i];
  return (int8_t)(i % 2 ? codes[i / 2] : codes[i / 2] << 4) >> 4;
}

static float weight_of(const Step *s, int32_t out, int32_t in, int32_t tap) {
  int32_t i = filter_at(s, out, in);
  if (i < 0) return 0;
  if (s->filter_steps < 0) return float_at(s->filters_source, i + tap);
  return code_at(s, i + tap) * float_at(s->filter_steps, out);
}

/* Of 3 or 5 weights of four filters, the 6 numbers of minimal filtering. */
INLINE void filter_side(const float *from, int32_t apart, int32_t taps, float *to, int32_t pitch) {
  f4 a = load(from), b = load(from + apart), c = load(from + 2 * apart);
  f4 d = taps == 5 ? load(from + 3 * apart) : all(0), e = taps == 5 ? load(from + 4 * apart) : all(0);
  f4 even = a / 24 + c / 6 + 2 * e / 3, odd = b / 12 + d / 3;
  store(to, a / 4);
  store(to + pitch, -(a + c + e + (b + d)) / 6);
  store(to + 2 * pitch, -(a + c + e - (b + d)) / 6);
  store(to + 3 * pitch, even + odd);
  store(to + 4 * pitch, even - odd);
  store(to + 5 * pitch, taps == 5 ? e : c);
}

/* Of eight filters [tap][8] the numbers at each place, places `pitch` apart. */
INLINE void transform_filters(const float *filters, int32_t kernel, float *to, int32_t pitch) {
  float half[PLACES * 4];
  for (int32_t four = 0; four < 8; four += 4) {
    for (int32_t x = 0; x < kernel; x++)
      filter_side(filters + x * 8 + four, kernel * 8, kernel, half + x * 4, 24);
    for (int32_t y = 0; y < 6; y++)
      filter_side(half + y * 24, 4, kernel, to + y * 6 * pitch + four, pitch);
  }
}

/* [place or tap][eight channels written][channel read][8] */
static void pack_filters(const Step *s) {
  int32_t taps = s->kernel * s->kernel, written = in_eights(s->out_channels);
  int32_t read = s->operation == DEPTHWISE ? 1 : s->in_channels, pitch = written * read;
  for (int32_t out = 0; out < written; out += 8)
    for (int32_t in = 0; in < read; in++) {
      float eight[MOST_TAPS * 8], *to = packed + s->filters + out * read + in * 8;
      for (int32_t i = 0; i < taps * 8; i++) eight[i] = weight_of(s, out + i % 8, in, i / 8);
      if (s->operation == WINOGRAD) transform_filters(eight, s->kernel, to, pitch);
      else
        for (int32_t i = 0; i < taps * 8; i++) to[i / 8 * pitch + i % 8] = eight[i];
    }
}

/* [eight channels written][channel read][tap][8], as floats or as codes, whose scales lie behind the
 * biases: transformed, they would take four or sixteen times as much. */
static void pack_deep_filters(const Step *s) {
  int32_t are_floats = s->filter_steps < 0, written = in_eights(s->out_channels);
  float *filters = packed + s->filters, *scales = packed + s->biases + written;
  int8_t *codes = (int8_t *)filters;
  for (int32_t i = 0; i < written * s->in_channels; i++) {
    int32_t out = i / 8 / s->in_channels * 8 + i % 8, at = filter_at(s, out, i / 8 % s->in_channels);
    for (int32_t tap = 0; tap < TAPS; tap++) {
      int32_t to = (i / 8 * TAPS + tap) * 8 + i % 8;
      if (are_floats) filters[to] = at < 0 ? 0 : float_at(s->filters_source, at + tap);
      else codes[to] = at < 0 ? 0 : code_at(s, at + tap);
    }
  }
  for (int32_t out = 0; out < written; out++)
    scales[out] = are_floats || out >= s->file_out_channels ? 1 : float_at(s->filter_steps, out);
}

static void pack_biases(const Step *s) {
  for (int32_t out = 0; out < in_eights(s->out_channels); out++) {
    float *to = packed + s->biases + out;
    if (out >= s->file_out_channels || s->biases_source < 0) *to = 0;
    else if (s->bias_steps < 0) *to = float_at(s->biases_source, out);
    else *to = ((const loose_int *)source(s->biases_source))[out] * float_at(s->bias_steps, out);
  }
}

static const float EPSILON = 1e-5f;

/* Of the channels that are normalised with known means and variances. */
static void pack_normalisation(const Step *s) {
  int32_t known = s->file_in_channels, means = s->filter_steps, variances = s->bias_steps;
  for (int32_t i = 0; i < known; i++) {
    float deviation = __builtin_sqrtf(float_at(variances, i) + EPSILON);
    float scale = float_at(s->filters_source, i) / deviation;
    packed[s->filters + i] = scale;
    packed[s->biases + i] = float_at(s->biases_source, i) - float_at(means, i) * scale;
  }
}

/* ---- matrices: ROWS rows by 8 columns ---------------------------------------------------------- */

typedef struct {
  f4 low[ROWS], high[ROWS];
} Sums;

INLINE Sums no_sums(void) {
  Sums sums;
  for (int32_t row = 0; row < ROWS; row++) sums.low[row] = sums.high[row] = all(0);
  return sums;
}

INLINE void multiply(Sums *sums, const float *const rows[ROWS], const float *columns, int32_t depth) {
  for (int32_t k = 0; k < depth; k++) {
    f4 low = load(columns + k * 8), high = load(columns + k * 8 + 4);
#pragma unroll
    for (int32_t row = 0; row < ROWS; row++) {
      f4 value = all(rows[row][k]);
      sums->low[row] += value * low;
      sums->high[row] += value * high;
    }
  }
}

/* ---- convolution by minimal filtering ---------------------------------------------------------- */

/* A tile has `side` results along each side. */
INLINE int32_t side_of(const Step *s) { return 7 - s->kernel; }
INLINE int32_t in_tiles(int32_t pixels, int32_t side) { return (pixels + side - 1) / side; }
INLINE int32_t tiles_of(const Step *s) {
  return in_tiles(s->out_width, side_of(s)) * in_tiles(s->out_height, side_of(s));
}

INLINE void forward(f4 a, f4 b, f4 c, f4 d, f4 e, f4 f, float *to, int32_t pitch) {
  f4 p = e - 4 * c, q = d - 4 * b, r = e - c, t = 2 * (d - b);
  store(to, 4 * a - 5 * c + e);
  store(to + pitch, p + q);
  store(to + 2 * pitch, p - q);
  store(to + 3 * pitch, r + t);
  store(to + 4 * pitch, r - t);
  store(to + 5 * pitch, 4 * b - 5 * d + f);
}

INLINE void inverse(f4 a, f4 b, f4 c, f4 d, f4 e, f4 f, f4 *to, int32_t pitch, int32_t side) {
  f4 p = b + c, q = b - c, r = d + e, t = d - e;
  to[0] = a + p + r;
  to[pitch] = side == 2 ? q + 2 * t + f : q + 2 * t;
  if (side == 2) return;
  to[2 * pitch] = p + 4 * r;
  to[3 * pitch] = q + 8 * t + f;
}

/* Of `channels` from `first` on, to [place][channel], places `pitch` apart. What lies outside of the
 * picture is zero. */
INLINE void read_tile(const Step *s, int32_t top, int32_t left, int32_t dilation, int32_t first,
                      int32_t channels, float *to, int32_t pitch, int inside) {
  int32_t pixel_floats = s->in_pixel_floats;
  const float *from = arena + s->in + (top * s->in_width + left) * pixel_floats + first;
  for (int32_t channel = 0; channel < channels; channel += 4) {
    float half[PLACES * 4];
    for (int32_t x = 0; x < 6; x++) {
      f4 d[6];
      for (int32_t y = 0; y < 6; y++) {
        int there = inside || ((uint32_t)(top + y * dilation) < (uint32_t)s->in_height &&
                               (uint32_t)(left + x * dilation) < (uint32_t)s->in_width);
        d[y] = there ? load(from + (y * s->in_width + x) * dilation * pixel_floats + channel) : all(0);
      }
      forward(d[0], d[1], d[2], d[3], d[4], d[5], half + x * 4, 24);
    }
    for (int32_t y = 0; y < 6; y++) {
      const float *h = half + y * 24;
      forward(load(h), load(h + 4), load(h + 8), load(h + 12), load(h + 16), load(h + 20),
              to + y * 6 * pitch + channel, pitch);
    }
  }
}

/* A tile of `channels` from `first` on, of which `from` has [place][channel], places `pitch` apart. */
INLINE void write_tile(const Step *s, int32_t top, int32_t left, int32_t dilation, const float *from,
                       int32_t pitch, int32_t side, int32_t first, int32_t channels) {
  int32_t height = least(side, (s->out_height - top + dilation - 1) / dilation);
  int32_t width = least(side, (s->out_width - left + dilation - 1) / dilation);
  for (int32_t channel = 0; channel < channels; channel += 4) {
    f4 half[4][6], result[4], bias = load(packed + s->biases + first + channel), scales = all(1);
    if (s->operation == DEEP)
      scales = load(packed + s->biases + in_eights(s->out_channels) + first + channel);
    for (int32_t x = 0; x < 6; x++) {
      const float *m = from + x * pitch + channel;
      inverse(load(m), load(m + 6 * pitch), load(m + 12 * pitch), load(m + 18 * pitch),
              load(m + 24 * pitch), load(m + 30 * pitch), &half[0][x], 6, side);
    }
    for (int32_t y = 0; y < height; y++) {
      const f4 *h = half[y];
      inverse(h[0], h[1], h[2], h[3], h[4], h[5], result, 1, side);
      int32_t pixel = (top + y * dilation) * s->out_width + left;
      for (int32_t x = 0; x < width; x++, pixel += dilation)
        store(pixel_out(s, pixel) + first + channel,
              finished(s, result[x] * scales + bias, pixel, first + channel));
    }
  }
}

/* A piece is some tiles, few enough for their matrices to stay in the cache. */
INLINE void convolve_tiles(const Step *s, int32_t piece, float *own, int32_t side) {
  int32_t across = in_tiles(s->out_width, side), first = piece * s->tiles;
  int32_t tiles = least(s->tiles, tiles_of(s) - first);
  int32_t read = s->in_channels, written = in_eights(s->out_channels);
  float *v = own, *m = own + PLACES * s->tiles * read;
  for (int32_t i = 0; i < tiles; i++) {
    int32_t reach = (7 - side) / 2;
    int32_t top = (first + i) / across * side - reach, left = (first + i) % across * side - reach;
    int inside = top >= 0 && left >= 0 && top + 6 <= s->in_height && left + 6 <= s->in_width;
    if (inside) read_tile(s, top, left, 1, 0, read, v + i * read, s->tiles * read, 1);
    else read_tile(s, top, left, 1, 0, read, v + i * read, s->tiles * read, 0);
  }
  for (int32_t place = 0; place < PLACES; place++) {
    const float *filters = packed + s->filters + place * read * written;
    const float *v_here = v + place * s->tiles * read;
    float *m_here = m + place * s->tiles * written;
    for (int32_t channel = 0; channel < written; channel += 8)
      /* Rows beyond the last tile are multiplied, too, and never looked at. */
      for (int32_t i = 0; i < tiles; i += ROWS) {
        const float *rows[ROWS];
        for (int32_t row = 0; row < ROWS; row++) rows[row] = v_here + (i + row) * read;
        Sums sums = no_sums();
        multiply(&sums, rows, filters + channel * read, read);
        for (int32_t row = 0; row < ROWS; row++) {
          float *to = m_here + (i + row) * written + channel;
          store(to, sums.low[row]);
          store(to + 4, sums.high[row]);
        }
      }
  }
  for (int32_t i = 0; i < tiles; i++) {
    int32_t top = (first + i) / across * side, left = (first + i) % across * side;
    write_tile(s, top, left, 1, m + i * written, s->tiles * written, side, 0, s->out_channels);
  }
}

PIECE convolve_3x3(const Step *s, int32_t piece, float *own) { convolve_tiles(s, piece, own, 4); }
PIECE convolve_5x5(const Step *s, int32_t piece, float *own) { convolve_tiles(s, piece, own, 2); }

/* ---- the same for few pixels of many channels: two steps --------------------------------------- */

/* Along a side of `size` pixels, of which every `dilation`th one belongs together. */
INLINE int32_t tiles_along(int32_t size, int32_t dilation) {
  int32_t tiles = 0;
  for (int32_t phase = 0; phase < dilation; phase++)
    tiles += in_tiles((size - phase + dilation - 1) / dilation, 4);
  return tiles;
}

/* Where the first result of tile `i` of them lies. */
INLINE int32_t tile_start(int32_t i, int32_t size, int32_t dilation) {
  int32_t phase = 0, tiles;
  while (i >= (tiles = in_tiles((size - phase + dilation - 1) / dilation, 4))) i -= tiles, phase++;
  return phase + i * 4 * dilation;
}

/* Step 1, a tile at a time: V as [slice of channels][place][tile][channel]. */
PIECE read_one_tile(const Step *s, int32_t tile) {
  int32_t dilation = s->dilation, across = tiles_along(s->in_width, dilation), tiles = s->out_width;
  int32_t top = tile_start(tile / across, s->in_height, dilation) - dilation;
  int32_t left = tile_start(tile % across, s->in_width, dilation) - dilation;
  for (int32_t start = 0; start < s->in_channels; start += IN_SLICE) {
    int32_t depth = least(IN_SLICE, s->in_channels - start);
    float *to = arena + s->out + start * PLACES * tiles + tile * depth;
    read_tile(s, top, left, dilation, start, depth, to, tiles * depth, 0);
  }
}

/* Eight numbers of filters as they are in the file. */
INLINE void load_eight(const Step *s, int32_t i, float *to) {
  if (s->filter_steps < 0) {
    store(to, load(packed + s->filters + i));
    store(to + 4, load(packed + s->filters + i + 4));
  } else {
    const int8_t *codes = (const int8_t *)(packed + s->filters) + i;
    store(to, __builtin_convertvector(*(const code4 *)codes, f4));
    store(to + 4, __builtin_convertvector(*(const code4 *)(codes + 4), f4));
  }
}

/* Step 2, some channels written at a time: their filters are made for this, of a slice of the channels
 * read, so that they stay in the cache. */
PIECE convolve_deep(const Step *s, int32_t piece, float *own) {
  int32_t read = s->in_channels, tiles = s->in_width, dilation = s->dilation, first = piece * OUT_SLICE;
  int32_t written = least(OUT_SLICE, s->out_channels - first);
  int32_t m_pitch = (tiles + ROWS - 1) / ROWS * ROWS * OUT_SLICE;
  float *u = own, *m = own + PLACES * PLACE_FLOATS;
  for (int32_t start = 0; start < read; start += IN_SLICE) {
    int32_t depth = least(IN_SLICE, read - start);
    const float *v = arena + s->in + start * PLACES * tiles;
    for (int32_t out = 0; out < written; out += 8)
      for (int32_t in = 0; in < depth; in++) {
        float filters[TAPS * 8];
        int32_t from = ((first + out) * read + (start + in) * 8) * TAPS;
        for (int32_t i = 0; i < TAPS * 8; i += 8) load_eight(s, from + i, filters + i);
        transform_filters(filters, 3, u + (out * IN_SLICE) + in * 8, PLACE_FLOATS);
      }
    for (int32_t place = 0; place < PLACES; place++)
      for (int32_t i = 0; i < tiles; i += ROWS) {
        const float *rows[ROWS];
        /* Rows beyond the last tile may be another tensor's, and are never looked at. */
        for (int32_t row = 0; row < ROWS; row++) rows[row] = v + (place * tiles + i + row) * depth;
        for (int32_t out = 0; out < written; out += 8) {
          float *here = m + place * m_pitch + i * OUT_SLICE + out;
          Sums sums = no_sums();
          if (start > 0)
            for (int32_t row = 0; row < ROWS; row++) {
              sums.low[row] = load(here + row * OUT_SLICE);
              sums.high[row] = load(here + row * OUT_SLICE + 4);
            }
          multiply(&sums, rows, u + place * PLACE_FLOATS + out * IN_SLICE, depth);
          for (int32_t row = 0; row < ROWS; row++) {
            store(here + row * OUT_SLICE, sums.low[row]);
            store(here + row * OUT_SLICE + 4, sums.high[row]);
          }
        }
      }
  }
  int32_t across = tiles_along(s->out_width, dilation);
  for (int32_t i = 0; i < tiles; i++) {
    int32_t top = tile_start(i / across, s->out_height, dilation);
    int32_t left = tile_start(i % across, s->out_width, dilation);
    write_tile(s, top, left, dilation, m + i * OUT_SLICE, m_pitch, 4, first, written);
  }
}

/* ---- every other step, a row at a time --------------------------------------------------------- */

PIECE convolve_row(const Step *s, int32_t y) {
  int32_t kernel = s->kernel, reach = kernel / 2 * s->dilation, read = s->in_channels;
  int32_t tap_floats = in_eights(s->out_channels) * read;
  for (int32_t channel = 0; channel < s->out_channels; channel += 8)
    for (int32_t x = 0; x < s->out_width; x += ROWS) {
      Sums sums = no_sums();
      for (int32_t tap = 0; tap < kernel * kernel; tap++) {
        int32_t from_y = y * s->stride + tap / kernel * s->dilation - reach;
        int32_t from_x = x * s->stride + tap % kernel * s->dilation - reach;
        if ((uint32_t)from_y >= (uint32_t)s->in_height) continue;
        const float *rows[ROWS];
        for (int32_t row = 0; row < ROWS; row++, from_x += s->stride)
          rows[row] = (uint32_t)from_x < (uint32_t)s->in_width
                          ? arena + s->in + (from_y * s->in_width + from_x) * s->in_pixel_floats
                          : zeros;
        multiply(&sums, rows, packed + s->filters + tap * tap_floats + channel * read, read);
      }
      const float *bias = packed + s->biases + channel;
      for (int32_t row = 0; row < least(ROWS, s->out_width - x); row++) {
        int32_t pixel = y * s->out_width + x + row;
        float *to = pixel_out(s, pixel) + channel;
        store(to, finished(s, sums.low[row] + load(bias), pixel, channel));
        if (channel + 4 < s->out_channels)
          store(to + 4, finished(s, sums.high[row] + load(bias + 4), pixel, channel + 4));
      }
    }
}

/* Every channel by itself. */
PIECE convolve_channels(const Step *s, int32_t y) {
  int32_t kernel = s->kernel, reach = kernel / 2 * s->dilation, channels = in_eights(s->out_channels);
  const float *filters = packed + s->filters;
  for (int32_t x = 0; x < s->out_width; x++) {
    int32_t pixel = y * s->out_width + x;
    const float *from[PLACES];
    for (int32_t tap = 0; tap < kernel * kernel; tap++) {
      int32_t from_y = y * s->stride + tap / kernel * s->dilation - reach;
      int32_t from_x = x * s->stride + tap % kernel * s->dilation - reach;
      int there = (uint32_t)from_y < (uint32_t)s->in_height && (uint32_t)from_x < (uint32_t)s->in_width;
      from[tap] = there ? arena + s->in + (from_y * s->in_width + from_x) * s->in_pixel_floats : zeros;
    }
    for (int32_t c = 0; c < s->out_channels; c += 4) {
      f4 sum = load(packed + s->biases + c);
      for (int32_t tap = 0; tap < kernel * kernel; tap++)
        sum += load(from[tap] + c) * load(filters + tap * channels + c);
      store(pixel_out(s, pixel) + c, finished(s, sum, pixel, c));
    }
  }
}

/* Of 2x2 pixels; of fewer at an odd end. */
PIECE pool_row(const Step *s, int32_t y) {
  int32_t pixel_floats = s->in_pixel_floats, row = s->in_width * pixel_floats;
  const float *top = arena + s->in + y * 2 * row;
  const float *bottom = top + (least(y * 2 + 1, s->in_height - 1) - y * 2) * row;
  for (int32_t x = 0; x < s->out_width; x++) {
    int32_t left = x * 2 * pixel_floats, right = least(x * 2 + 1, s->in_width - 1) * pixel_floats;
    float *to = pixel_out(s, y * s->out_width + x);
    for (int32_t c = 0; c < s->in_channels; c += 4)
      store(to + c, larger(larger(load(top + left + c), load(top + right + c)),
                           larger(load(bottom + left + c), load(bottom + right + c))));
  }
}

typedef struct {
  int32_t before, after;
  float share; /* of the one after */
} Neighbours;

INLINE Neighbours neighbours_of(int32_t i, int32_t from, int32_t to) {
  float at = (i + 0.5f) * from / to - 0.5f;
  if (at < 0) at = 0;
  int32_t before = least((int32_t)at, from - 1);
  return (Neighbours){before, least(before + 1, from - 1), at - before};
}

/* Bilinear, pixels' centres at halves. */
PIECE resize_row(const Step *s, int32_t y) {
  Neighbours v = neighbours_of(y, s->in_height, s->out_height);
  int32_t pixel_floats = s->in_pixel_floats, row = s->in_width * pixel_floats;
  const float *top = arena + s->in + v.before * row, *bottom = arena + s->in + v.after * row;
  for (int32_t x = 0; x < s->out_width; x++) {
    Neighbours h = neighbours_of(x, s->in_width, s->out_width);
    float *to = pixel_out(s, y * s->out_width + x);
    f4 above = all(1 - v.share), below = all(v.share), left = all(1 - h.share), right = all(h.share);
    for (int32_t c = 0; c < s->in_channels; c += 4) {
      int32_t l = h.before * pixel_floats + c, r = h.after * pixel_floats + c;
      store(to + c, above * (left * load(top + l) + right * load(top + r)) +
                        below * (left * load(bottom + l) + right * load(bottom + r)));
    }
  }
}

PIECE add_row(const Step *s, int32_t y) {
  for (int32_t x = 0; x < s->out_width; x++) {
    int32_t pixel = y * s->out_width + x;
    const float *from = arena + s->in + pixel * s->in_pixel_floats;
    for (int32_t c = 0; c < s->out_channels; c += 4)
      store(pixel_out(s, pixel) + c, finished(s, load(from + c), pixel, c));
  }
}

/* By one number for each channel. */
PIECE multiply_row(const Step *s, int32_t y) {
  for (int32_t x = 0; x < s->out_width; x++) {
    int32_t pixel = y * s->out_width + x;
    const float *from = arena + s->in + pixel * s->in_pixel_floats;
    for (int32_t c = 0; c < s->out_channels; c += 4)
      store(pixel_out(s, pixel) + c, load(from + c) * load(arena + s->other + c));
  }
}

/* Of all pixels, for each channel. */
PIECE average(const Step *s) {
  int32_t pixels = s->in_height * s->in_width;
  for (int32_t c = 0; c < s->in_channels; c += 4) {
    f4 sum = all(0);
    for (int32_t i = 0; i < pixels; i++) sum += load(arena + s->in + i * s->in_pixel_floats + c);
    store(arena + s->out + c, sum / all(pixels));
  }
}

/* Where the pixel in the middle lies: beside the edges, where padding is seen, it is like most others. */
INLINE int32_t middle_of(const Step *s) {
  return s->in + (s->in_height / 2 * s->in_width + s->in_width / 2) * s->in_pixel_floats;
}

/* Sums of each channel and of its squares in a strip of the picture; one pixel is taken off all of them,
 * as a variance is lost beside a large mean. */
PIECE measure_strip(const Step *s, int32_t strip) {
  int32_t row = s->in_width * s->in_pixel_floats, channels = s->in_channels;
  const float *picture = arena + s->in;
  float *sums = pixel_out(s, strip), *squares = sums + channels;
  for (int32_t c = 0; c < 2 * channels; c += 4) store(sums + c, all(0));
  for (int32_t y = strip * s->in_height / STRIPS; y < (strip + 1) * s->in_height / STRIPS; y++)
    for (int32_t c = 0; c < channels; c += 4) {
      f4 sum = all(0), square = all(0), origin = load(arena + middle_of(s) + c);
      for (int32_t x = 0; x < s->in_width; x++) {
        f4 value = load(picture + y * row + x * s->in_pixel_floats + c) - origin;
        sum += value;
        square += value * value;
      }
      store(sums + c, load(sums + c) + sum);
      store(squares + c, load(squares + c) + square);
    }
}

/* The first `known` channels with what is known of them, the others with what was measured. */
PIECE normalise_strip(const Step *s, int32_t strip) {
  float scales[MOST_NORMALISED], shifts[MOST_NORMALISED];
  int32_t known = s->file_in_channels, measured = s->in_channels - known;
  for (int32_t c = 0; c < s->in_channels; c += 4) {
    f4 scale = load(packed + s->filters + c), shift = load(packed + s->biases + c);
    if (c >= known) {
      f4 sum = all(0), square = all(0), pixels = all(s->in_height * s->in_width);
      for (int32_t i = 0; i < STRIPS; i++) {
        const float *sums = arena + s->other + i * s->other_pixel_floats + c - known;
        sum += load(sums);
        square += load(sums + measured);
      }
      f4 mean = sum / pixels, variance = larger(square / pixels - mean * mean, all(0));
      scale = 1 / __builtin_elementwise_sqrt(variance + EPSILON);
      shift = -(load(arena + middle_of(s) + c) + mean) * scale;
    }
    store(scales + c, scale);
    store(shifts + c, shift);
  }
  int32_t first = strip * s->in_height / STRIPS, end = (strip + 1) * s->in_height / STRIPS;
  for (int32_t pixel = first * s->in_width; pixel < end * s->in_width; pixel++) {
    const float *from = arena + s->in + pixel * s->in_pixel_floats;
    for (int32_t c = 0; c < s->in_channels; c += 4)
      store(pixel_out(s, pixel) + c, activated(s, load(from + c) * load(scales + c) + load(shifts + c)));
  }
}

/* e to the power of x <= 0, by 2^n and a polynomial of what remains; off by one part in ten million. */
static float exponential(float x) {
  if (x < -87) return 0;
  float n = __builtin_rintf(x * 1.44269504f);
  float r = x - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.f / 120 + r / 720;
  p = 1 + r * (1 + r * (1.f / 2 + r * (1.f / 6 + r * (1.f / 24 + r * p))));
  union {
    int32_t bits;
    float value;
  } power = {((int32_t)n + 127) << 23};
  return p * power.value;
}

PIECE sigmoid_row(const Step *s, int32_t y) {
  for (int32_t x = 0; x < s->out_width; x++) {
    const float *from = arena + s->in + (y * s->in_width + x) * s->in_pixel_floats;
    for (int32_t c = 0; c < s->out_channels; c++) {
      float e = exponential(from[c] < 0 ? from[c] : -from[c]);
      pixel_out(s, y * s->out_width + x)[c] = (from[c] < 0 ? e : 1) / (1 + e);
    }
  }
}

/* Three planes to pixels. */
PIECE interleave_row(const Step *s, int32_t y) {
  int32_t plane = s->in_height * s->in_width;
  for (int32_t x = 0; x < s->in_width; x++) {
    const float *from = arena + s->in + y * s->in_width + x;
    store(pixel_out(s, y * s->in_width + x), (f4){from[0], from[plane], from[2 * plane], 0});
  }
}

/* ---- the way through the plan ------------------------------------------------------------------ */

static int32_t pieces_of(const Step *s) {
  switch (s->operation) {
    case WINOGRAD: return (tiles_of(s) + s->tiles - 1) / s->tiles;
    case MEASURE:
    case NORMALISE: return STRIPS;
    case TILES: return s->out_width;
    case DEEP: return (s->out_channels + OUT_SLICE - 1) / OUT_SLICE;
    default: return s->out_height;
  }
}

static void run_piece(const Step *s, int32_t piece, float *own) {
  switch (s->operation) {
    case WINOGRAD: return s->kernel == 3 ? convolve_3x3(s, piece, own) : convolve_5x5(s, piece, own);
    case DIRECT: return convolve_row(s, piece);
    case MAX_POOL: return pool_row(s, piece);
    case RESIZE: return resize_row(s, piece);
    case ADD: return add_row(s, piece);
    case SIGMOID: return sigmoid_row(s, piece);
    case INPUT: return interleave_row(s, piece);
    case DEPTHWISE: return convolve_channels(s, piece);
    case MEAN: return average(s);
    case MULTIPLY: return multiply_row(s, piece);
    case MEASURE: return measure_strip(s, piece);
    case NORMALISE: return normalise_strip(s, piece);
    case TILES: return read_one_tile(s, piece);
    case DEEP: return convolve_deep(s, piece, own);
  }
}

static int32_t next_piece[MOST_STEPS];
static int32_t runs, meetings, arrived;

#ifdef THREADS
#define TAKE(place) __atomic_fetch_add(place, 1, __ATOMIC_SEQ_CST)
#define NOW(place) __atomic_load_n(place, __ATOMIC_SEQ_CST)
#define WAKE(place) __builtin_wasm_memory_atomic_notify(place, -1)
#define WAIT(place, value) __builtin_wasm_memory_atomic_wait32(place, value, -1)

/* How often to look before the thread sleeps: steps are short, and waking takes as long as some. */
enum { LOOKS = 2000 };

static void meet(void) {
  int32_t meeting = NOW(&meetings);
  if (TAKE(&arrived) == threads - 1) {
    __atomic_store_n(&arrived, 0, __ATOMIC_SEQ_CST);
    TAKE(&meetings);
    WAKE(&meetings);
    return;
  }
  for (int32_t look = 0; look < LOOKS; look++)
    if (NOW(&meetings) != meeting) return;
  while (NOW(&meetings) == meeting) WAIT(&meetings, meeting);
}
#else /* of what browsers can do, no more than SIMD */
#define TAKE(place) ((*(place))++)
#define WAKE(place)
INLINE void meet(void) {}
#endif

INLINE float *own_of(int32_t thread) { return threads_own + thread * first_plan->thread_floats; }

static void work(int32_t thread) {
  for (int32_t i = 0; i < plan->steps; i++) {
    const Step *s = steps + i;
    int32_t pieces = pieces_of(s), piece;
    while ((piece = TAKE(next_piece + i)) < pieces)
      run_piece(s, piece, own_of(thread) + STACK_FLOATS);
    meet();
  }
}

/* ---- what JavaScript calls --------------------------------------------------------------------- */

/* Where the plan is to be put. */
EXPORT(place) const Plan *place(void) {
  first_plan = (const Plan *)(((uintptr_t)&__heap_base + 63) / 64 * 64);
  return first_plan;
}

/* What the next run follows: the first plan, or the one for a small picture. */
EXPORT(choose) void choose(int32_t is_small) {
  plan = (const Plan *)((const char *)first_plan + (is_small ? first_plan->small : 0));
  steps = (const Step *)(plan + 1);
}

/* Where the ONNX file is to be put, once the plan is there, and the input before every run. */
EXPORT(lay_out) float *lay_out(int32_t thread_count) {
  threads = thread_count;
  packed = (float *)((const char *)first_plan + first_plan->bytes);
  arena = packed + first_plan->packed_floats;
  threads_own = arena + first_plan->arena_floats;
  choose(0);
  return arena;
}

/* Takes over the filters from the ONNX file, whose place is used for something else from then on. */
EXPORT(pack) void pack(void) {
  for (const Step *s = steps; s < steps + plan->steps; s++) {
    if (s->operation == WINOGRAD || s->operation == DIRECT || s->operation == DEPTHWISE) {
      pack_filters(s);
      pack_biases(s);
    }
    if (s->operation == DEEP) {
      pack_deep_filters(s);
      pack_biases(s);
    }
    if (s->operation == NORMALISE) pack_normalisation(s);
  }
}

EXPORT(run) void run(void) {
  for (int32_t i = 0; i < plan->steps; i++) next_piece[i] = 0;
  TAKE(&runs);
  WAKE(&runs);
  work(0);
}

/* Where the stack of a thread ends, which grows downwards. */
EXPORT(stack_end) float *stack_end(int32_t thread) { return own_of(thread) + STACK_FLOATS; }

#ifdef THREADS
/* Of every thread but the first: never returns. */
EXPORT(serve) void serve(int32_t thread) {
  for (int32_t seen = 0;;) {
    int32_t run_now = NOW(&runs);
    if (run_now == seen) {
      WAIT(&runs, seen);
    } else {
      seen = run_now;
      work(thread);
    }
  }
}
#endif
