/* Loops over a photo's pixels, for which NumPy takes a pass through memory for each operation.
 *
 * Each computes what the module that is named above it computes without them, up to the
 * rounding of floats. Nothing here allocates, and nothing needs a library: room comes with the call.
 */

#include <stdint.h>

typedef intptr_t Index; /* NumPy's intp */
typedef float Floats __attribute__((vector_size(16), aligned(4)));
typedef uint32_t Numbers __attribute__((vector_size(16), aligned(4)));
typedef uint8_t Pixel __attribute__((vector_size(4), aligned(1)));

static inline float clipped(float value, float most) {
    return value < 0 ? 0 : value > most ? most : value;
}

static inline float between(float first, float second, float share) {
    return first + (second - first) * share;
}

static inline Floats colours_of(const uint8_t *rgba) {
    return __builtin_convertvector(*(const Pixel *)rgba, Floats);
}

/* ---- resample.py ------------------------------------------------------------------------------ */

/* (outputs, n): each the sum of `taps` rows of `values`, (length, n), by indices and weights that
 * are (taps, outputs). */
void combine_rows(const float *values, Index n, const Index *indices, const float *weights,
                  Index taps, Index outputs, float *combined) {
    for (Index output = 0; output < outputs; output++) {
        float *restrict to = combined + output * n;
        for (Index tap = 0; tap < taps; tap++) {
            const float *restrict from = values + indices[tap * outputs + output] * n;
            const float weight = weights[tap * outputs + output];
            if (tap == 0) {
                for (Index at = 0; at < n; at++) to[at] = from[at] * weight;
            } else {
                for (Index at = 0; at < n; at++) to[at] += from[at] * weight;
            }
        }
    }
}

/* ---- boxes.py --------------------------------------------------------------------------------- */

static inline Index at_most(Index value, Index most) { return value < most ? value : most; }

/* Means of `values`, (planes, h, w), over the windows of `radius` that lie inside. `sums` is room
 * for w. */
void box_mean(const double *values, Index planes, Index h, Index w, Index radius, double *means,
              double *restrict sums) {
    for (Index plane = 0; plane < planes; plane++, values += h * w, means += h * w) {
        for (Index x = 0; x < w; x++) sums[x] = 0;
        for (Index y = 0; y < at_most(radius, h); y++) {
            for (Index x = 0; x < w; x++) sums[x] += values[y * w + x];
        }
        for (Index y = 0; y < h; y++) {
            if (y + radius < h) {
                const double *restrict enters = values + (y + radius) * w;
                for (Index x = 0; x < w; x++) sums[x] += enters[x];
            }
            if (y > radius) {
                const double *restrict leaves = values + (y - radius - 1) * w;
                for (Index x = 0; x < w; x++) sums[x] -= leaves[x];
            }
            const Index rows = at_most(y + radius + 1, h) - (y > radius ? y - radius : 0);
            double sum = 0;
            for (Index x = 0; x < at_most(radius, w); x++) sum += sums[x];
            for (Index x = 0; x < w; x++) {
                if (x + radius < w) sum += sums[x + radius];
                if (x > radius) sum -= sums[x - radius - 1];
                const Index columns = at_most(x + radius + 1, w) - (x > radius ? x - radius : 0);
                means[y * w + x] = sum / (double)(rows * columns);
            }
        }
    }
}

/* ---- guided.py -------------------------------------------------------------------------------- */

#define OPEN 0.5f /* settled is 0, 1, or this */

/* Rows between whose columns alpha lies: four coefficients a pixel, and the matte. */
typedef struct {
    Index row;
    Floats *smooth;
    float *matte;
} Wide;

static void widen(Wide *wide, Index row, const Floats *smooth, const float *matte, Index w,
                  const Index *left, const Index *right, const float *across, Index columns) {
    wide->row = row;
    smooth += row * w, matte += row * w;
    for (Index x = 0; x < columns; x++) {
        const Floats first = smooth[left[x]];
        wide->smooth[x] = first + (smooth[right[x]] - first) * across[x];
        wide->matte[x] = between(matte[left[x]], matte[right[x]], across[x]);
    }
}

/* Between four pixels that are settled alike nobody looks. */
static void settle(const float *upper, const float *lower, const Index *left, const Index *right,
                   Index columns, float *restrict settled) {
    for (Index x = 0; x < columns; x++) {
        const float value = upper[left[x]];
        const int alike = value == upper[right[x]] && value == lower[left[x]] &&
                          value == lower[right[x]];
        settled[x] = alike ? value : OPEN;
    }
}

/* Alpha of some rows of a photo, (rows, columns), where smooth coefficients, (h, w, 4), meet its
 * colours. Where it is `held` to a matte, (h, w): by so much to its outline, with so much contrast,
 * and by so much in the mean. `room` is for 11 x columns. */
void alpha_rows(const float *smooth, const float *matte, const float *settled, Index w,
                const Index *above, const Index *below, const float *down, Index rows,
                const Index *left, const Index *right, const float *across, Index columns,
                const uint8_t *rgba, Index held, float by_outline, float contrast, float by_mean,
                float *alpha, float *room) {
    Wide upper = {-1, (Floats *)room, room + 8 * columns};
    Wide lower = {-1, (Floats *)room + columns, room + 9 * columns};
    float *even = room + 10 * columns;
    for (Index y = 0; y < rows; y++, rgba += 4 * columns, alpha += columns) {
        if (upper.row != above[y] || lower.row != below[y]) {
            settle(settled + above[y] * w, settled + below[y] * w, left, right, columns, even);
        }
        if (upper.row != above[y] && lower.row == above[y]) {
            const Wide kept = lower;
            lower = upper, upper = kept;
        }
        if (upper.row != above[y]) {
            widen(&upper, above[y], (const Floats *)smooth, matte, w, left, right, across, columns);
        }
        if (lower.row != below[y]) {
            widen(&lower, below[y], (const Floats *)smooth, matte, w, left, right, across, columns);
        }
        const float share = down[y];
        for (Index x = 0; x < columns; x++) {
            if (even[x] != OPEN) {
                alpha[x] = even[x];
                continue;
            }
            Floats colours = colours_of(rgba + 4 * x);
            colours[3] = 1;
            const Floats above_it = upper.smooth[x], below_it = lower.smooth[x];
            const Floats terms = (above_it + (below_it - above_it) * share) * colours;
            float met = clipped((terms[0] + terms[2]) + (terms[1] + terms[3]), 1);
            if (held) {
                const float plain = between(upper.matte[x], lower.matte[x], share);
                met = between(plain, met, by_outline);
                met = clipped(met * contrast + (1 - contrast) / 2, 1);
                met = between(plain, met, by_mean);
            }
            alpha[x] = met;
        }
    }
}

/* ---- compose.py ------------------------------------------------------------------------------- */

/* Alpha in [0, 1] into the pixels, one number each, that it belongs to. */
void write_alpha(const float *restrict alpha, Index count, uint8_t *restrict rgba) {
    uint32_t *restrict pixels = (uint32_t *)rgba;
    for (Index at = 0; at < count; at++) {
        pixels[at] = (pixels[at] & 0xFFFFFF) | (uint32_t)(int32_t)(alpha[at] * 255 + 0.5f) << 24;
    }
}

/* ---- shrink.py -------------------------------------------------------------------------------- */

/* Sums of pixels, `row_step` and 4 bytes apart, over blocks that begin at the rows `tops`,
 * (down + 1), and the columns `lefts`, (across + 1): of four channels, (down, across, 4), or of the
 * first one, (down, across). */
void block_sums(const uint8_t *bytes, Index row_step, Index channels, const Index *tops, Index down,
                const Index *lefts, Index across, uint32_t *sums) {
    for (Index row = 0; row < down; row++) {
        for (Index column = 0; column < across; column++, sums += channels) {
            Numbers four = {0};
            uint32_t one = 0;
            for (Index y = tops[row]; y < tops[row + 1]; y++) {
                const uint8_t *pixel = bytes + y * row_step + 4 * lefts[column];
                const uint8_t *end = bytes + y * row_step + 4 * lefts[column + 1];
                if (channels == 1) {
                    for (; pixel < end; pixel += 4) one += *pixel;
                } else {
                    for (; pixel < end; pixel += 4) {
                        four += __builtin_convertvector(*(const Pixel *)pixel, Numbers);
                    }
                }
            }
            if (channels == 1) {
                *sums = one;
            } else {
                *(Numbers *)sums = four;
            }
        }
    }
}

/* ---- foreground.py ---------------------------------------------------------------------------- */

static inline int is_soft(float alpha) { return alpha > 0 && alpha < 1; }

static inline float distance(float first, float second) {
    return first > second ? first - second : second - first;
}

/* Every n-th pixel of `planes` x (from_h, from_w), as planes x (h, w). */
static void sample(const float *from, Index planes, Index from_h, Index from_w, float *to, Index h,
                   Index w) {
    for (Index plane = 0; plane < planes; plane++, from += from_h * from_w) {
        for (Index y = 0; y < h; y++) {
            const float *row = from + y * from_h / h * from_w;
            for (Index x = 0; x < w; x++) *to++ = row[x * from_w / w];
        }
    }
}

/* A Gauss-Seidel step of one pixel, unless it and its neighbours are even. */
static void step(float *layers, const float *rgba, Index size, Index at, const Index neighbours[4],
                 float regularisation) {
    const float *alphas = rgba + 3 * size;
    const float alpha = alphas[at], beta = 1 - alpha;
    int in_band = is_soft(alpha);
    float weights[4], total = 0;
    for (int each = 0; each < 4; each++) {
        const float beside = alphas[neighbours[each]];
        in_band |= beside != alpha;
        weights[each] = regularisation + distance(alpha, beside);
        total += weights[each];
    }
    if (!in_band) return;
    for (int each = 0; each < 4; each++) weights[each] /= total;
    const float yielding = 1 / (alpha * alpha + beta * beta + total);
    for (int channel = 0; channel < 3; channel++) {
        float *fronts = layers + channel * size, *behinds = fronts + 3 * size;
        float front = 0, behind = 0;
        for (int each = 0; each < 4; each++) {
            front += fronts[neighbours[each]] * weights[each];
            behind += behinds[neighbours[each]] * weights[each];
        }
        const float colour = rgba[channel * size + at];
        const float missing = (colour - alpha * front - beta * behind) * yielding;
        fronts[at] = clipped(front + alpha * missing, 1);
        behinds[at] = clipped(behind + beta * missing, 1);
    }
}

/* Layers of colour, (6, h, w), from coarser ones: what the picture, (4, full_h, full_w), shows is
 * taken from it, and soft pixels and those beside another alpha are relaxed in `sweeps`, in two colours
 * like a chess board. `level` is room for (4, h, w). */
void finer_layers(const float *coarse, Index coarse_h, Index coarse_w, const float *rgba,
                  Index full_h, Index full_w, float *layers, Index h, Index w, float *level,
                  Index sweeps, float regularisation) {
    const Index size = h * w;
    sample(coarse, 6, coarse_h, coarse_w, layers, h, w);
    sample(rgba, 4, full_h, full_w, level, h, w);
    for (Index at = 0; at < size; at++) {
        const float alpha = level[3 * size + at];
        if (is_soft(alpha)) continue;
        float *known = layers + (alpha == 0 ? 3 * size : 0) + at;
        for (int channel = 0; channel < 3; channel++) {
            known[channel * size] = level[channel * size + at];
        }
    }
    for (Index half = 0; half < 2 * sweeps; half++) {
        for (Index y = 0; y < h; y++) {
            for (Index x = (y + half) % 2; x < w; x += 2) {
                const Index at = y * w + x;
                const Index neighbours[4] = {
                    y > 0 ? at - w : at,
                    y < h - 1 ? at + w : at,
                    x > 0 ? at - 1 : at,
                    x < w - 1 ? at + 1 : at,
                };
                step(layers, level, size, at, neighbours, regularisation);
            }
        }
    }
}

/* The soft pixels of some rows of a photo, (rows, columns, 4): where they are, and the colours of
 * the foreground there, (n, 3), by `layers`, (6, h, w) in 0..255. Returns n. */
Index foreground(const uint8_t *rgba, Index rows, Index columns, uint8_t clear, const float *layers,
                 Index h, Index w, const Index *above, const Index *below, const float *down,
                 const Index *left, const Index *right, const float *across, Index *places,
                 uint8_t *colours) {
    Index found = 0;
    for (Index y = 0; y < rows; y++) {
        const float *upper = layers + above[y] * w, *lower = layers + below[y] * w;
        for (Index x = 0; x < columns; x++) {
            const uint8_t *pixel = rgba + 4 * (y * columns + x);
            if (pixel[3] <= clear || pixel[3] >= 255 - clear) continue;
            const float alpha = pixel[3] * (1 / 255.0f), beta = 1 - alpha;
            const float yielding = 1 / (alpha * alpha + beta * beta);
            for (int channel = 0; channel < 3; channel++) {
                float both[2];
                for (int layer = 0; layer < 2; layer++) {
                    const Index plane = (channel + 3 * layer) * h * w;
                    const float *top = upper + plane, *bottom = lower + plane;
                    both[layer] = between(between(top[left[x]], top[right[x]], across[x]),
                                          between(bottom[left[x]], bottom[right[x]], across[x]),
                                          down[y]);
                }
                const float missing = (pixel[channel] - alpha * both[0] - beta * both[1]) * yielding;
                const float colour = clipped(both[0] + alpha * missing, 255);
                colours[3 * found + channel] = (uint8_t)(colour + 0.5f);
            }
            places[found++] = y * columns + x;
        }
    }
    return found;
}

/* ---- png.py ----------------------------------------------------------------------------------- */

/* RGBA as a PNG has it before compression: (rows, 1 + 4 x columns). `room` is for 4 x columns. */
void scan_lines(const uint8_t *rgba, Index rows, Index columns, uint8_t *lines, uint8_t *room) {
    for (Index y = 0; y < rows; y++) {
        const uint32_t *restrict pixels = (const uint32_t *)rgba + y * columns;
        uint32_t *restrict seen = (uint32_t *)room;
        for (Index x = 0; x < columns; x++) seen[x] = pixels[x] > 0x00FFFFFF ? pixels[x] : 0;
        uint8_t *restrict line = lines + y * (1 + 4 * columns);
        *line++ = 1;
        for (Index at = 0; at < 4; at++) line[at] = room[at];
        for (Index at = 4; at < 4 * columns; at++) line[at] = (uint8_t)(room[at] - room[at - 4]);
    }
}
