/*
 * What takes the time of web/js/pipeline/lanczos.js: photos of 8 bits, averaged over boxes, and then
 * resized along their width and along their height, with 8 bits between, as Pillow does.
 *
 * A pixel is four numbers, the fourth of which nobody looks at: one vector.
 */
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name)))

/* Which pixels make each one of the result, `most` weights apart; those beyond `counts` are not read. */
typedef struct {
  const int32_t *firsts, *counts;
  const float *weights;
  int32_t most, length;
} Taps;

static v128_t widened(const uint8_t *pixel) {
  v128_t bytes = wasm_v128_load32_zero(pixel);
  return wasm_u32x4_extend_low_u16x8(wasm_u16x8_extend_low_u8x16(bytes));
}

/* To the nearest level; between two, to the even one. */
static void store_levels(uint8_t *to, v128_t values) {
  v128_t levels = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(values));
  v128_t words = wasm_i16x8_narrow_i32x4(levels, levels);
  wasm_v128_store32_lane(to, wasm_u8x16_narrow_i16x8(words, words), 0);
}

/* The mean of every box of `rows` rows and `columns` columns, a row of them as numbers; the last one
 * may have fewer columns. */
EXPORT(average) void average(const uint8_t *pixels, int32_t rows, int32_t width, int32_t columns,
                             uint8_t *levels, v128_t *to) {
  for (int32_t left = 0; left < width; left += columns, to++, levels += 4) {
    int32_t end = left + columns < width ? left + columns : width;
    v128_t sum = wasm_i32x4_splat(0);
    for (int32_t row = 0; row < rows; row++)
      for (int32_t x = left; x < end; x++)
        sum = wasm_i32x4_add(sum, widened(pixels + 4 * (row * width + x)));
    v128_t count = wasm_f32x4_splat((float)(rows * (end - left)));
    store_levels(levels, wasm_f32x4_div(wasm_f32x4_convert_u32x4(sum), count));
    *to = wasm_f32x4_convert_u32x4(widened(levels));
  }
}

/* Of a row of numbers, to levels. */
EXPORT(narrow) void narrow(const v128_t *row, const Taps *taps, uint8_t *to) {
  const float *weights = taps->weights;
  for (int32_t x = 0; x < taps->length; x++, to += 4, weights += taps->most) {
    const v128_t *from = row + taps->firsts[x];
    v128_t sum = wasm_f32x4_splat(0);
    for (int32_t i = 0; i < taps->counts[x]; i++)
      sum = wasm_f32x4_add(sum, wasm_f32x4_mul(wasm_f32x4_splat(weights[i]), from[i]));
    store_levels(to, sum);
  }
}

/* Of rows of `width` pixels, to red, green and blue beside each other. Writes a byte more. */
EXPORT(shorten) void shorten(const uint8_t *rows, int32_t width, const Taps *taps, uint8_t *to) {
  const float *weights = taps->weights;
  for (int32_t y = 0; y < taps->length; y++, weights += taps->most)
    for (int32_t x = 0; x < width; x++, to += 3) {
      const uint8_t *from = rows + 4 * (taps->firsts[y] * width + x);
      v128_t sum = wasm_f32x4_splat(0);
      for (int32_t i = 0; i < taps->counts[y]; i++, from += 4 * width) {
        v128_t value = wasm_f32x4_convert_u32x4(widened(from));
        sum = wasm_f32x4_add(sum, wasm_f32x4_mul(wasm_f32x4_splat(weights[i]), value));
      }
      store_levels(to, sum);
    }
}
