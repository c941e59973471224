// Images and the coarser grid of windows: cells of stride x stride pixels, of which the last ones may be partly filled.
#pragma once
#include "lanes.h"

namespace radgs {

constexpr int MAX_STRIDE = 8;

struct Cells {
    int height, width, stride; // pixels
    RADGS int rows() const { return (height + stride - 1) / stride; }
    RADGS int columns() const { return (width + stride - 1) / stride; }
    RADGS Offset count() const { return Offset(rows()) * columns(); }
    RADGS int end_row(int row) const { return (row + 1) * stride < height ? (row + 1) * stride : height; }
    // Tasks that LANES neighbouring cells, or the pixels of one row of cells on LANES neighbouring columns, are cut into.
    RADGS int cell_blocks() const { return (columns() + LANES - 1) / LANES; }
    RADGS int pixel_blocks() const { return (width + LANES - 1) / LANES; }
};

// Sums over LANES neighbouring cells of MAPS maps; out holds (MAPS, rows, columns). add(pixel, count, sums) adds the
// values of LANES pixels, of which the first `count` exist.
template <int MAPS, class Add> RADGS void pool_block(const Cells& cells, int row, int first, Add add, float* out)
{
    float line[MAPS][LANES * MAX_STRIDE];
    for (int part = 0; part < cells.stride; part++) {
        const int column = first * cells.stride + part * LANES, count = cells.width - column;
        Lanes sums[MAPS];
        for (int map = 0; map < MAPS; map++)
            sums[map] = lanes(0.0f);
        if (count > 0)
            for (int y = row * cells.stride; y < cells.end_row(row); y++)
                add(Offset(y) * cells.width + column, count, sums);
        for (int map = 0; map < MAPS; map++)
            store(line[map] + part * LANES, sums[map]);
    }
    const int count = cells.columns() - first < LANES ? cells.columns() - first : LANES;
    for (int map = 0; map < MAPS; map++) {
        float* to = out + map * cells.count() + Offset(row) * cells.columns() + first;
        for (int i = 0; i < count; i++) {
            float sum = 0.0f;
            for (int j = 0; j < cells.stride; j++)
                sum += line[map][i * cells.stride + j];
            to[i] = sum;
        }
    }
}

// The values of MAPS maps of cells at LANES neighbouring pixels of a row of cells.
template <int MAPS> RADGS void at_pixels(const Cells& cells, int row, int column, const float* maps, Lanes* values)
{
    const IntLanes cell = to_int((numbered() + (float(column) + 0.5f)) * (1.0f / float(cells.stride)));
    for (int i = 0; i < LANES; i++) {
        const int last = cells.columns() - 1, at = lane(cell, i) < last ? lane(cell, i) : last;
        for (int map = 0; map < MAPS; map++)
            set_lane(values[map], i, maps[map * cells.count() + Offset(row) * cells.columns() + at]);
    }
}

// One task sums LANES neighbouring cells of one image (N, height, width) to (N, rows, columns).
RADGS void pool_task(const float* images, int height, int width, int stride, float* out, int task)
{
    const Cells cells {height, width, stride};
    const int blocks = cells.rows() * cells.cell_blocks(), block = task % blocks;
    const Offset image = task / blocks;
    const float* pixels = images + image * height * width;
    const auto add = [&](Offset pixel, int count, Lanes* sums) { sums[0] += load_first(pixels + pixel, count); };
    pool_block<1>(cells, block / cells.cell_blocks(), block % cells.cell_blocks() * LANES, add, out + image * cells.count());
}

} // namespace radgs
