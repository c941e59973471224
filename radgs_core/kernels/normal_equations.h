// Sums over pixels of products of derivative images that lie on parts of one image. Layouts: normal_equations.py.
#pragma once
#include "lanes.h"

namespace radgs {

constexpr int PARAMETERS = 6; // of each part
constexpr int TILE = 3; // so many of them at once: sums of TILE x TILE products fit the processor's registers
constexpr int BLOCK_SIZE = PARAMETERS * PARAMETERS;
constexpr int PART_SIZE = 5;

// The derivatives (PARAMETERS, 2, height, width) of one part; it may stick out of the image.
struct Part {
    const float* derivatives;
    int top, left, height, width;
    RADGS explicit Part(const Offset* p)
        : derivatives(reinterpret_cast<const float*>(p[0])), top(int(p[1])), left(int(p[2])), height(int(p[3])), width(int(p[4]))
    {
    }
    // The first parameter's first component at a pixel of the image, and the distances to the others.
    RADGS const float* at(int row, int column) const { return derivatives + Offset(row - top) * width + column - left; }
    RADGS Offset component() const { return Offset(height) * width; }
    RADGS Offset parameter() const { return 2 * component(); }
};

struct Region {
    int top, bottom, left, right; // the last ones exclusive
    RADGS void clip(const Part& part)
    {
        top = part.top > top ? part.top : top;
        left = part.left > left ? part.left : left;
        bottom = part.top + part.height < bottom ? part.top + part.height : bottom;
        right = part.left + part.width < right ? part.left + part.width : right;
    }
};

// sum_x weight(x) sum_c first_i,c(x) second_j,c(x), for TILE parameters i and j from i0 and j0 on, to out[i][j].
RADGS void multiply_tile(const Part& first, const Part& second, int i0, int j0, const float* weight, int width,
    const Region& region, double* out)
{
    Lanes sums[TILE][TILE];
    for (int i = 0; i < TILE; i++)
        for (int j = 0; j < TILE; j++)
            sums[i][j] = lanes(0.0f);
    for (int row = region.top; row < region.bottom; row++)
        for (int column = region.left; column < region.right; column += LANES) {
            const int count = region.right - column;
            const float* a = first.at(row, column) + i0 * first.parameter();
            const float* b = second.at(row, column) + j0 * second.parameter();
            const Lanes w = load_first(weight + Offset(row) * width + column, count);
            for (int component = 0; component < 2; component++) {
                Lanes weighted[TILE];
                for (int i = 0; i < TILE; i++)
                    weighted[i] = w * load_first(a + i * first.parameter() + component * first.component(), count);
                for (int j = 0; j < TILE; j++) {
                    const Lanes other = load_first(b + j * second.parameter() + component * second.component(), count);
                    for (int i = 0; i < TILE; i++)
                        sums[i][j] += weighted[i] * other;
                }
            }
        }
    for (int i = 0; i < TILE; i++)
        for (int j = 0; j < TILE; j++)
            out[PARAMETERS * (i0 + i) + j0 + j] = total(to_double(sums[i][j]));
}

// sum_x sum_c pull_c(x) part_i,c(x), for all parameters i, to out[i]; pull is (2, plane).
RADGS void multiply_pull(const Part& part, const float* pull, Offset plane, int width, const Region& region, double* out)
{
    Lanes sums[PARAMETERS];
    for (int i = 0; i < PARAMETERS; i++)
        sums[i] = lanes(0.0f);
    for (int row = region.top; row < region.bottom; row++)
        for (int column = region.left; column < region.right; column += LANES)
            for (int component = 0; component < 2; component++) {
                const int count = region.right - column;
                const float* derivative = part.at(row, column) + component * part.component();
                const Lanes by = load_first(pull + component * plane + Offset(row) * width + column, count);
                for (int i = 0; i < PARAMETERS; i++)
                    sums[i] += by * load_first(derivative + i * part.parameter(), count);
            }
    for (int i = 0; i < PARAMETERS; i++)
        out[i] = total(to_double(sums[i]));
}

// One task sums a pair of parts, first <= second, over a band of rows. Part 0 is the body: `weights` (3, height, width)
// are for the body with itself, the body with others, and others; `pulls` (2, 2, height, width) for the body and others.
RADGS void normal_equations_task(const Offset* parts, int part_count, const float* weights, const float* pulls, int height,
    int width, int rows_a_band, double* out, int task)
{
    const int pairs = part_count * (part_count + 1) / 2, band = task / pairs;
    int first = 0, second = task % pairs;
    for (; second >= part_count - first; first++)
        second -= part_count - first;
    second += first;
    const Part a(parts + PART_SIZE * first), b(parts + PART_SIZE * second);
    const int beyond = (band + 1) * rows_a_band;
    Region region {band * rows_a_band, beyond < height ? beyond : height, 0, width};
    region.clip(a);
    region.clip(b);
    const Offset plane = Offset(height) * width;
    const float* weight = weights + ((first > 0) + (second > 0)) * plane;
    double* to = out + Offset(task) * (BLOCK_SIZE + PARAMETERS);
    for (int i = 0; i < PARAMETERS; i += TILE)
        for (int j = first == second ? i : 0; j < PARAMETERS; j += TILE)
            multiply_tile(a, b, i, j, weight, width, region, to);
    if (first == second) {
        for (int i = 0; i < PARAMETERS; i++)
            for (int j = 0; j < i; j++)
                to[PARAMETERS * i + j] = to[PARAMETERS * j + i];
        multiply_pull(a, pulls + (first > 0) * 2 * plane, plane, width, region, to + BLOCK_SIZE);
    }
}

} // namespace radgs
