// Drawing of ellipsoids into a volume.
//
// A plane of an ellipsoid is drawn window by window, LANES columns wide, from the middle row outwards. With q(n) the
// exponent n rows from the middle one,
//     2^-q(n) = 2^-q(0) ratio^n 2^(-yy n^2),  ratio = 2^(-dq/dy),
// where the last factor is the same for all windows: two multiplications a row instead of an exponential.
#pragma once
#include "ellipsoid.h"

namespace radgs {

using Offset = long long;
constexpr float MOST = 120.0f; // exponents that `power_of_two` takes, of either sign
constexpr int LONGEST_REACH = 15; // rows; rounding adds up in ratio^n

// Columns and rows of one plane that an ellipsoid covers; runs of LANES columns never end beyond the grid.
struct Window {
    int plane, first_row, last_row, column;
    int skipped; // columns at the window's beginning that another one draws
    float z;
};

// What is the same for all windows of an ellipsoid.
struct Profile {
    Ellipsoid e;
    float level; // of the exponent at the cut-off
    float lowest; // 2^-level
    float xy, yy; // of the exponent's matrix
    int reach; // rows to either side of the middle one that the recurrence may go
    float gauss[LONGEST_REACH + 1]; // 2^(-yy n^2)
    RADGS Profile(const Ellipsoid& ellipsoid, float cutoff)
        : e(ellipsoid)
        , level(float(HALF_LOG2_E) * cutoff * cutoff)
        , lowest(lane(power_of_two(larger(lanes(-level), lanes(-MOST))), 0))
        , xy(e.pivot_x * e.shear_xy)
        , yy(xy * e.shear_xy + e.pivot_y)
    {
        // all columns that come within the cut-off must start above 2^-MOST
        const float room = lane(square_root(lanes(MOST / yy)), 0) - lane(square_root(lanes(level / yy)), 0);
        reach = yy > 16.0f || !(room > 0.0f) ? 0 : room < float(LONGEST_REACH) ? int(room) : LONGEST_REACH;
        for (int n = 0; n <= LONGEST_REACH; n += LANES) {
            const Lanes rows = numbered() + float(n);
            store(gauss + n, power_of_two(larger(-yy * rows * rows, lanes(-MOST))));
        }
    }
};

// Calls visit(Window) for what planes begin..end - 1 of the grid see of an ellipsoid.
template <class Visit> RADGS void for_windows(const Profile& p, const Grid& grid, int begin, int end, Visit visit)
{
    const Ellipsoid& e = p.e;
    const int first_plane = int(e.first_plane) > begin ? int(e.first_plane) : begin;
    const int end_plane = int(e.last_plane) + 1 < end ? int(e.last_plane) + 1 : end;
    const float width = lane(square_root(lanes(1.0f / e.pivot_x + e.shear_xy * e.shear_xy / e.pivot_y)), 0);
    const float height = lane(square_root(lanes(1.0f / e.pivot_y)), 0), inverse_yy = 1.0f / p.yy;
    // the cut-off itself is tested for each voxel: a range may be a little too wide, never too narrow
    const float slack = 1e-3f;
    for (int block = first_plane; block < end_plane; block += LANES) {
        const Lanes z = numbered() + (e.dz + (float(block) - e.plane));
        const Lanes level = larger(p.level - e.pivot_z * z * z, lanes(0.0f)), reach = square_root(level);
        // of the voxel at the beginning of row and column counts, from the middle of the plane's ellipse
        const Lanes x0 = e.dx - (e.shear_xy * e.shear_yz - e.shear_xz) * z - e.column;
        const Lanes y0 = e.dy + e.shear_yz * z - e.row;
        const Lanes first = larger(round_up(-width * reach - x0 - slack), lanes(0.0f));
        const Lanes last = smaller(round_down(width * reach - x0 + slack), lanes(grid.columns - 1.0f));
        const Lanes top_y = height * reach, top_x = -e.shear_xy * top_y;
        const IntLanes count = to_int(larger(last - first + float(LANES), lanes(0.0f)) * (1.0f / LANES));
        int planes = end_plane - block < LANES ? end_plane - block : LANES, windows = 0;
        for (int i = 0; i < planes; i++)
            windows = lane(count, i) > windows ? lane(count, i) : windows;
        for (int w = 0; w < windows; w++) {
            const Lanes column = first + float(w * LANES);
            const Lanes left = column + x0 - slack, right = smaller(column + float(LANES - 1), last) + x0 + slack;
            // where the border of the ellipse is furthest up and down within these columns
            const Lanes up_x = smaller(larger(top_x, left), right), down_x = smaller(larger(-top_x, left), right);
            const float c = e.pivot_x * e.pivot_y;
            const Lanes up = square_root(larger(p.yy * level - c * up_x * up_x, lanes(0.0f))) - p.xy * up_x;
            const Lanes down = -square_root(larger(p.yy * level - c * down_x * down_x, lanes(0.0f))) - p.xy * down_x;
            const IntLanes first_row = to_int(larger(round_up(down * inverse_yy - y0 - slack), lanes(0.0f)));
            const IntLanes last_row = to_int(smaller(round_down(up * inverse_yy - y0 + slack), lanes(grid.rows - 1.0f)));
            const Lanes kept = smaller(column, lanes(float(grid.columns - LANES)));
            const IntLanes start = to_int(kept), skipped = to_int(column - kept);
            for (int i = 0; i < planes; i++)
                if (w < lane(count, i))
                    visit(Window {block + i, lane(first_row, i), lane(last_row, i), lane(start, i), lane(skipped, i), lane(z, i)});
        }
    }
}

// Calls visit(row, y, value) for the rows of a window; value is 2^-q of its LANES columns, 0 beyond the cut-off.
template <class Visit> RADGS void for_rows(const Profile& p, const Window& w, Visit visit)
{
    const Ellipsoid& e = p.e;
    const Lanes x = numbered() + (e.dx + (float(w.column) - e.column));
    for (int first = w.first_row; first <= w.last_row; first += 2 * p.reach + 1) {
        const int last = w.last_row < first + 2 * p.reach ? w.last_row : first + 2 * p.reach;
        const int middle = (first + last) / 2;
        const float y = e.dy + (float(middle) - e.row), w_y = y + e.shear_yz * w.z;
        const Lanes w_x = x + (e.shear_xy * y + e.shear_xz * w.z);
        const Lanes exponent = e.pivot_x * w_x * w_x + (e.pivot_y * w_y * w_y + e.pivot_z * w.z * w.z);
        const Lanes slope = 2.0f * (p.xy * w_x + e.pivot_y * w_y);
        const auto seen = (exponent <= MOST) & (numbered() >= float(w.skipped));
        const Lanes start = choose(seen, power_of_two(-exponent), lanes(0.0f));
        auto sweep = [&](int begin, int step, int count, Lanes power, Lanes ratio) {
            for (int n = begin; n <= count; n++) {
                const Lanes value = power * p.gauss[n];
                visit(middle + step * n, y + float(step * n), choose(value >= p.lowest, value, lanes(0.0f)));
                power = power * ratio;
            }
        };
        const Lanes bounded = larger(smaller(slope, lanes(MOST)), lanes(-MOST));
        const Lanes down = power_of_two(-bounded), up = power_of_two(bounded);
        sweep(0, 1, last - middle, start, down);
        sweep(1, -1, middle - first, start * up, up);
    }
}

RADGS Offset index(const Grid& grid, const Window& w, int row)
{
    return (Offset(w.plane) * grid.rows + row) * grid.columns + w.column;
}

// Adds ellipsoids first..last - 1 to planes begin..end - 1 of a volume.
RADGS void draw(const Ellipsoid* ellipsoids, int first, int last, const Grid& grid, int begin, int end, float cutoff, float* volume)
{
    for (int i = first; i < last; i++) {
        if (ellipsoids[i].first_plane >= end || ellipsoids[i].last_plane < begin)
            continue;
        const Profile p(ellipsoids[i], cutoff);
        for_windows(p, grid, begin, end, [&](const Window& w) {
            for_rows(p, w, [&](int row, float, Lanes value) {
                accumulate(volume + index(grid, w, row), lanes(p.e.density), value);
            });
        });
    }
}

constexpr int VOXEL_MOMENTS = 10;

// Adds, for what planes begin..end - 1 see of ellipsoids first..last - 1, the sums of g 2^-q times 1, x, y, z, xx,
// xy, xz, yy, yz, zz, where g is the gradient by a voxel; (VOXEL_MOMENTS, count) in memory.
RADGS void draw_adjoint(const Ellipsoid* ellipsoids, int first, int last, const Grid& grid, int begin, int end, float cutoff, const float* gradient, float* moments, int count)
{
    for (int i = first; i < last; i++) {
        if (ellipsoids[i].first_plane >= end || ellipsoids[i].last_plane < begin)
            continue;
        const Profile p(ellipsoids[i], cutoff);
        Lanes sums[VOXEL_MOMENTS];
        for (int k = 0; k < VOXEL_MOMENTS; k++)
            sums[k] = lanes(0.0f);
        for_windows(p, grid, begin, end, [&](const Window& w) {
            Lanes s = lanes(0.0f), s_y = lanes(0.0f), s_yy = lanes(0.0f);
            for_rows(p, w, [&](int row, float y, Lanes value) {
                const Lanes u = load(gradient + index(grid, w, row)) * value, u_y = u * y;
                s += u;
                s_y += u_y;
                s_yy += u_y * y;
            });
            const Lanes x = numbered() + (p.e.dx + (float(w.column) - p.e.column)), s_x = s * x;
            sums[0] += s;
            sums[1] += s_x;
            sums[2] += s_y;
            sums[3] += s * w.z;
            sums[4] += s_x * x;
            sums[5] += s_y * x;
            sums[6] += s_x * w.z;
            sums[7] += s_yy;
            sums[8] += s_y * w.z;
            sums[9] += s * (w.z * w.z);
        });
        for (int k = 0; k < VOXEL_MOMENTS; k++)
            moments[k * count + i] += total(sums[k]);
    }
}

} // namespace radgs
