// The values of an ellipsoid in a window, from the middle row outwards. With q(n) the exponent n rows from the middle one,
//     2^-q(n) = 2^-q(0) ratio^n 2^(-yy n^2),  ratio = 2^(-dq/dy),
// where the last factor is the same in all windows: two multiplications a voxel instead of an exponential.
#pragma once
#include "windows.h"

namespace radgs {

constexpr float MOST = 120.0f; // floats below 2^-MOST are nearly denormal, which is slow
constexpr int LONGEST_REACH = 15; // rows; rounding adds up in ratio^n

// What is the same in all windows of an ellipsoid.
struct Profile {
    Ellipsoid e;
    float xy, yy;
    float lowest; // value at the cut-off
    int longest; // rows that one exponential may serve
    float furthest; // beyond this exponent, a column of the middle row does not reach the cut-off in a run
    float gauss[LONGEST_REACH + 1]; // 2^(-yy n^2)
    float half[LONGEST_REACH + 1], half2[LONGEST_REACH + 1]; // n + 1/2, and its square

    RADGS Profile(const Ellipsoid& ellipsoid, float cutoff)
        : e(ellipsoid)
        , xy(e.xy())
        , yy(e.yy())
    {
        // From row to row a voxel's distance from the centre, as the exponent's root, changes by `step` at most: a run
        // ends before a column that comes within the cut-off at its one end is too far away at the other.
        const float level = exponent_at(cutoff), step = root(yy), radius = root(level), room = 0.5f * (root(MOST) - radius) / step;
        const int reach = !(room >= 1.0f) ? 0 : room < float(LONGEST_REACH - 1) ? int(room) + 1 : LONGEST_REACH;
        const float furthest_root = radius + step * float(reach);
        lowest = lane(power_of_two(larger(lanes(-level), lanes(-MOST))), 0);
        longest = greater(2 * reach, 1);
        furthest = lane(smaller(lanes(1.001f * furthest_root * furthest_root), lanes(MOST)), 0);
        for (int n = 0; n <= LONGEST_REACH; n += LANES) {
            const Lanes rows = numbered() + float(n), halves = rows + 0.5f;
            store(gauss + n, power_of_two(larger(-yy * rows * rows, lanes(-MOST))));
            store(half + n, halves);
            store(half2 + n, halves * halves);
        }
    }
};

// Rows of a window that one exponential serves.
struct Run {
    int first, middle, end;
    float y; // halfway between the middle row and the one before
    Lanes value, up, down; // of the middle row; the ratios from row to row
};

// Calls visit(Run) for all rows of a window.
template <class Visit> RADGS void for_runs(const Profile& p, const Window& w, Visit visit)
{
    const Ellipsoid& e = p.e;
    const Lanes x = columns_of(e, w);
    for (int first = w.first_row; first <= w.last_row; first += p.longest) {
        const int end = lesser(w.last_row + 1, first + p.longest), middle = first + (end - first) / 2;
        const float y = e.dy + (float(middle) - e.row), w_y = y + e.shear_yz * w.z;
        const Lanes w_x = x + (e.shear_xy * y + e.shear_xz * w.z);
        const Lanes exponent = e.pivot_x * w_x * w_x + (e.pivot_y * w_y * w_y + e.pivot_z * w.z * w.z);
        const Lanes slope = 2.0f * (p.xy * w_x + e.pivot_y * w_y);
        // what does not start does not come back: whatever the ratios are, 0 stays beyond the cut-off
        const auto starts = (exponent <= p.furthest) & (numbered() >= float(w.skipped));
        const Lanes value = choose(starts, power_of_two(-exponent), lanes(0.0f));
        visit(Run {first, middle, end, y - 0.5f, value, power_of_two(-slope), power_of_two(slope)});
    }
}

// LANES columns of one row; 0 beyond the cut-off.
struct Row {
    int row;
    Lanes value;
};

// Calls visit(i, above, below) for pairs of rows of a run, at run.y +- (i + 1/2).
template <class Visit> RADGS void for_rows(const Profile& p, const Run& run, Visit visit)
{
    const int pairs = run.middle - run.first;
    Lanes above = run.value, below = run.value;
    auto row = [&](int number, Lanes value) { return Row {number, choose(value >= p.lowest, value, lanes(0.0f))}; };
#pragma unroll 1
    for (int i = 0; i < pairs; i++) {
        below = below * run.down;
        visit(i, row(run.middle + i, above * p.gauss[i]), row(run.middle - 1 - i, below * p.gauss[i + 1]));
        above = above * run.up;
    }
    if (run.middle + pairs < run.end) // a row without its like: at the border of the grid
        visit(pairs, row(run.middle + pairs, above * p.gauss[pairs]), Row {run.middle + pairs, lanes(0.0f)});
}

} // namespace radgs
