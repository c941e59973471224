// The local correlation of gradient images: its sums over windows, its gains, and what it pulls pixels towards.
// Notation and formulas: radgs_core/registration/similarity.py. Layouts: similarity.py.
#pragma once
#include "cells.h"

namespace radgs {

constexpr float TINY = 1e-12f;

// One task sums products of gradients, usable pixels only, over LANES neighbouring cells: F.B, F.M, B.B, B.M, M.M.
RADGS void products_task(const float* target, const float* body, const float* bone, const float* usable, int height, int width,
    int stride, float* out, int task)
{
    const Cells cells {height, width, stride};
    const Offset plane = Offset(height) * width;
    const auto add = [&](Offset pixel, int count, Lanes* sums) {
        const Lanes v = load_first(usable + pixel, count);
        for (int component = 0; component < 2; component++, pixel += plane) {
            const Lanes f = load_first(target + pixel, count);
            const Lanes b = load_first(body + pixel, count), m = load_first(bone + pixel, count);
            const Lanes vb = v * b, vm = v * m;
            sums[0] += f * vb;
            sums[1] += f * vm;
            sums[2] += b * vb;
            sums[3] += b * vm;
            sums[4] += m * vm;
        }
    };
    pool_block<5>(cells, task / cells.cell_blocks(), task % cells.cell_blocks() * LANES, add, out);
}

struct Gains {
    Lanes a, b;
};

// Minimises bb a^2 + 2 bm a b + mm b^2 - 2 fb a - 2 fm b over a, b >= 0.
RADGS Gains non_negative_gains(Lanes bb, Lanes bm, Lanes mm, Lanes fb, Lanes fm)
{
    const Lanes zero = lanes(0.0f);
    const Lanes inverse = 1.0f / larger(bb * mm - bm * bm, lanes(TINY * TINY));
    const Lanes a = (mm * fb - bm * fm) * inverse, b = (bb * fm - bm * fb) * inverse;
    return Gains {
        choose(b < 0.0f, larger(fb / bb, zero), larger(a, zero)),
        choose(a < 0.0f, larger(fm / mm, zero), larger(b, zero)),
    };
}

// One task fits the gains of LANES windows. sums: F.B, F.M, B.B, B.M, M.M; floor: what is added to B.B, one number.
RADGS void gains_task(const float* ff, const float* sums, const float* floor, const float* weight, int count, float ridge_share,
    float* correlation, float* bone_correlation, float* maps, int task)
{
    const Lanes zero = lanes(0.0f);
    const int first = task * LANES, present = count - first;
    const auto window = [&](const float* map) { return load_first(map + first, present); };
    const auto keep = [&](float* map, Lanes values) { store_first(map + first, values, present); };
    const Lanes fb = window(sums), fm = window(sums + count);
    const Lanes bb = window(sums + 2 * count) + floor[0] + TINY, bm = window(sums + 3 * count), mm = window(sums + 4 * count);
    const Lanes inverse_ff = 1.0f / (window(ff) + TINY);
    const Lanes ridge = ridge_share * mm;
    const Gains gain = non_negative_gains(bb + ridge, bm - ridge, mm + ridge + TINY, fb, fm);
    const Lanes a = gain.a, b = gain.b;
    const Lanes pull_apart = ridge_share * (a - b) * (a - b);
    const Lanes explained
        = (2.0f * (a * fb + b * fm) - a * a * bb - 2.0f * a * b * bm - (b * b + pull_apart) * mm) * inverse_ff;
    const Lanes positive = larger(fb, zero);
    const Lanes by_body = positive * positive * inverse_ff / bb;
    const Lanes by_bone = (explained - by_body) / larger(1.0f - by_body, lanes(TINY));
    keep(correlation, square_root(larger(explained, zero)));
    keep(bone_correlation, square_root(larger(by_bone, zero)));
    const Lanes w = window(weight) * inverse_ff;
    keep(maps, w * a);
    keep(maps + count, w * b);
    keep(maps + 2 * count, w * a * a);
    keep(maps + 3 * count, w * a * b);
    keep(maps + 4 * count, w * b * b);
    keep(maps + 5 * count, w * pull_apart);
}

// One task takes maps of cells (a, b, a a, a b, b b, the ridge's share of M.M) to LANES columns of a row of cells: the
// first-order terms, (2, 2, H, W) of body and bone, and the second-order weights (3, H, W).
RADGS void pulls_task(const float* maps, const float* target, const float* body, const float* bone, const float* usable,
    int height, int width, int stride, float* pulls, float* weights, int task)
{
    const Cells cells {height, width, stride};
    const Offset plane = Offset(height) * width;
    const int row = task / cells.pixel_blocks(), column = task % cells.pixel_blocks() * LANES, count = width - column;
    Lanes map[6];
    at_pixels<6>(cells, row, column, maps, map);
    for (int y = row * stride; y < cells.end_row(row); y++) {
        Offset pixel = Offset(y) * width + column;
        const Lanes v = load_first(usable + pixel, count);
        const Lanes a = v * map[0], b = v * map[1], aa = v * map[2], ab = v * map[3], bb = v * map[4];
        const Lanes ridge = v * map[5];
        store_first(weights + pixel, aa, count);
        store_first(weights + plane + pixel, ab, count);
        store_first(weights + 2 * plane + pixel, bb, count);
        for (int component = 0; component < 2; component++, pixel += plane) {
            const Lanes f = load_first(target + pixel, count);
            const Lanes body_here = load_first(body + pixel, count), bone_here = load_first(bone + pixel, count);
            store_first(pulls + pixel, a * f - aa * body_here - ab * bone_here, count);
            store_first(pulls + 2 * plane + pixel, b * f - ab * body_here - (bb + ridge) * bone_here, count);
        }
    }
}

} // namespace radgs
