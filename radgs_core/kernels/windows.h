// Which voxels an ellipsoid covers.
#pragma once
#include "ellipsoid.h"

namespace radgs {

RADGS int greater(int a, int b) { return a > b ? a : b; }
RADGS int lesser(int a, int b) { return a < b ? a : b; }
RADGS float root(float x) { return lane(square_root(lanes(x)), 0); }

// LANES columns and some rows of one plane; never beyond the border of the grid.
struct Window {
    int plane, first_row, last_row, column;
    int skipped; // columns at the beginning that another window holds
    float z;
};

// Calls visit(Window) for what planes begin..end - 1 of the grid see of an ellipsoid. Nothing depends on begin and end
// but which planes are visited.
template <class Visit> RADGS void for_windows(const Ellipsoid& e, float cutoff, const Grid& grid, int begin, int end, Visit visit)
{
    const float most = exponent_at(cutoff), xy = e.xy(), yy = e.yy(), both = e.pivot_x * e.pivot_y, inverse_yy = 1.0f / yy;
    const int first_plane = greater(int(e.first_plane), begin), end_plane = lesser(int(e.last_plane) + 1, end);
    const float half_width = root(1.0f / e.pivot_x + e.shear_xy * e.shear_xy / e.pivot_y);
    const float half_height = root(1.0f / e.pivot_y);
    // each voxel is tested as well: a range may be a little too wide, never too narrow
    const float slack = 1e-3f;
    const float width = 2.0f * (half_width * root(most) + slack);
    const int windows = (width < float(grid.columns) ? int(width) : grid.columns) / LANES + 1;
    for (int block = first_plane; block < end_plane; block += LANES) {
        float z_of[LANES];
        int first_row_of[LANES], last_row_of[LANES], column_of[LANES], skipped_of[LANES];
        const Lanes z = numbered() + (float(block) - e.plane) + e.dz;
        store(z_of, z);
        const Lanes level = larger(most - e.pivot_z * z * z, lanes(0.0f)), radius = square_root(level);
        // where column 0 and row 0 lie, from the middle of the plane's ellipse
        const Lanes x0 = e.dx - (e.shear_xy * e.shear_yz - e.shear_xz) * z - e.column;
        const Lanes y0 = e.dy + e.shear_yz * z - e.row;
        const Lanes first = larger(round_up(-half_width * radius - x0 - slack), lanes(0.0f));
        const Lanes last = smaller(round_down(half_width * radius - x0 + slack), lanes(grid.columns - 1.0f));
        const Lanes top_x = -e.shear_xy * half_height * radius;
        for (int w = 0; w < windows; w++) {
            const Lanes column = first + float(w * LANES);
            const Lanes left = column + x0 - slack, right = smaller(column + float(LANES - 1), last) + x0 + slack;
            // where the border of the ellipse is furthest up and down within these columns
            const Lanes up_x = smaller(larger(top_x, left), right), down_x = smaller(larger(-top_x, left), right);
            const Lanes up = square_root(larger(yy * level - both * up_x * up_x, lanes(0.0f))) - xy * up_x;
            const Lanes down = -square_root(larger(yy * level - both * down_x * down_x, lanes(0.0f))) - xy * down_x;
            const Lanes first_row = larger(round_up(down * inverse_yy - y0 - slack), lanes(0.0f));
            const Lanes last_row = smaller(round_down(up * inverse_yy - y0 + slack), lanes(grid.rows - 1.0f));
            // rows are drawn in pairs: one more where their number is odd
            const Lanes rows = last_row - first_row + 1.0f, odd = rows - 2.0f * round_down(0.5f * rows);
            const Lanes start = smaller(column, lanes(float(grid.columns - LANES)));
            store(first_row_of, to_int(smaller(larger(first_row - odd, lanes(0.0f)), lanes(float(grid.rows)))));
            store(last_row_of, to_int(larger(choose(column <= last, last_row, lanes(-1.0f)), lanes(-1.0f))));
            store(column_of, to_int(start));
            store(skipped_of, to_int(smaller(column - start, lanes(float(LANES)))));
            for (int i = 0; i < lesser(end_plane - block, LANES); i++)
                if (first_row_of[i] <= last_row_of[i])
                    visit(Window {block + i, first_row_of[i], last_row_of[i], column_of[i], skipped_of[i], z_of[i]});
        }
    }
}

// Columns of a window, from the ellipsoid's centre.
RADGS Lanes columns_of(const Ellipsoid& e, const Window& w) { return numbered() + (float(w.column) - e.column) + e.dx; }

} // namespace radgs
