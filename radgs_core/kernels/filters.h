// Separable filters of stacks of images, with zeros beyond the border.
//
// A few rows at a time are filtered along y into lines, and these along x into the result, so that what lies between
// stays in the processor's cache. Layouts: filters.py.
#pragma once
#include "lanes.h"

namespace radgs {

constexpr int ROWS_AT_ONCE = LANES > 1 ? 4 : 1;
constexpr int TAPS_PADDING = 3; // zeros before and after the taps of each filter
constexpr int LINE_PADDING = 16; // zeros after a line
static_assert(TAPS_PADDING >= ROWS_AT_ONCE - 1 && LINE_PADDING >= LANES, "");

struct Taps {
    const float* values;
    int reach; // taps lie at -reach..reach
    RADGS int count() const { return 2 * reach + 1; }
    RADGS const float* along_y(int filter) const { return values + filter * (count() + 2 * TAPS_PADDING) + TAPS_PADDING; }
    template <int FILTERS> RADGS const float* along_x(int filter) const { return along_y(FILTERS + filter); }
};

// Filters rows first_row..first_row + ROWS_AT_ONCE - 1 of an image along y; a row may lie beyond the border. Lines are
// (FILTERS, ROWS_AT_ONCE, line_length).
template <int FILTERS>
RADGS void filter_along_y(const float* image, int height, int width, int first_row, const Taps& taps, float* lines, int line_length)
{
    const int top = first_row - taps.reach > 0 ? first_row - taps.reach : 0;
    const int beyond = first_row + ROWS_AT_ONCE + taps.reach;
    const int bottom = beyond < height ? beyond : height;
    for (int column = 0; column < width; column += LANES) {
        Lanes sums[FILTERS][ROWS_AT_ONCE];
        for (int f = 0; f < FILTERS; f++)
            for (int j = 0; j < ROWS_AT_ONCE; j++)
                sums[f][j] = lanes(0.0f);
        for (int row = top; row < bottom; row++) {
            const Lanes pixels = load_first(image + Offset(row) * width + column, width - column);
            for (int f = 0; f < FILTERS; f++) {
                const float* tap = taps.along_y(f) + row - first_row + taps.reach;
                for (int j = 0; j < ROWS_AT_ONCE; j++)
                    sums[f][j] += tap[-j] * pixels;
            }
        }
        for (int f = 0; f < FILTERS; f++)
            for (int j = 0; j < ROWS_AT_ONCE; j++)
                store(lines + (f * ROWS_AT_ONCE + j) * line_length + column, sums[f][j]);
    }
}

// Filters lines along x: each FILTERS images, `plane` apart, get `rows` rows.
template <int FILTERS>
RADGS void filter_along_x(const float* lines, int line_length, const Taps& taps, int rows, float* out, Offset plane, int width)
{
    for (int column = 0; column < width; column += LANES) {
        for (int f = 0; f < FILTERS; f++) {
            const float* tap = taps.along_x<FILTERS>(f);
            const float* from = lines + f * ROWS_AT_ONCE * line_length + column;
            Lanes sums[ROWS_AT_ONCE];
            for (int j = 0; j < ROWS_AT_ONCE; j++)
                sums[j] = lanes(0.0f);
            for (int k = 0; k < taps.count(); k++)
                for (int j = 0; j < ROWS_AT_ONCE; j++)
                    sums[j] += tap[k] * load(from + j * line_length + k);
            for (int j = 0; j < ROWS_AT_ONCE; j++)
                if (j < rows)
                    store_first(out + f * plane + Offset(j) * width + column, sums[j], width - column);
        }
    }
}

template <int FILTERS>
RADGS void filter(const float* images, int height, int width, const Taps& taps, int bands, float* scratch, float* out, int task)
{
    const int image = task / bands, band = task % bands;
    const int line_length = width + 2 * taps.reach + LINE_PADDING;
    float* lines = scratch + Offset(task) * FILTERS * ROWS_AT_ONCE * line_length;
    for (int i = 0; i < FILTERS * ROWS_AT_ONCE * line_length; i++)
        lines[i] = 0.0f;
    const Offset plane = Offset(height) * width;
    const int end = begin_of(band + 1, bands, height);
    for (int row = begin_of(band, bands, height); row < end; row += ROWS_AT_ONCE) {
        filter_along_y<FILTERS>(images + image * plane, height, width, row, taps, lines + taps.reach, line_length);
        filter_along_x<FILTERS>(
            lines, line_length, taps, end - row, out + image * FILTERS * plane + Offset(row) * width, plane, width);
    }
}

// One task filters a band of rows of one image, by one or two filters.
RADGS void filter_task(const float* images, int height, int width, const float* taps, int reach, int filters, int bands,
    float* scratch, float* out, int task)
{
    if (filters == 1)
        filter<1>(images, height, width, Taps {taps, reach}, bands, scratch, out, task);
    else
        filter<2>(images, height, width, Taps {taps, reach}, bands, scratch, out, task);
}

} // namespace radgs
