// Gaussians in voxel coordinates, as the voxelizer draws them.
//
// x counts columns (the last index of the volume, neighbours in memory), y rows and z planes (the first index), from the
// Gaussian's centre. The exponent is nested: with
//     w_y = y + shear_yz z,  w_x = x + shear_xy y + shear_xz z,
//     exp(-1/2 (r - c)^T A (r - c)) = 2^-(pivot_x w_x^2 + pivot_y w_y^2 + pivot_z z^2),
// so that w_y is the distance from the middle row of a plane's ellipse and w_x that from the middle of a row's chord:
// sums of squares lose nothing to cancellation where a Gaussian is thin and lies askew.
#pragma once
#include "placed.h"

namespace radgs {

constexpr int ELLIPSOID_SIZE = 16;
constexpr int VOXEL_MOMENTS = 10;
constexpr double HALF_LOG2_E = 0.72134752044448170;

// 64 bytes, one line of the processor's cache.
struct Ellipsoid {
    float density;
    float pivot_x, pivot_y, pivot_z;
    float shear_xy, shear_xz, shear_yz;
    float dx, dy, dz; // offset of a voxel near the centre from it
    float column, row, plane; // that voxel
    float first_plane, last_plane; // inclusive; empty where last < first
    float unused;
    // of the exponent's matrix
    RADGS float xy() const { return pivot_x * shear_xy; }
    RADGS float yy() const { return pivot_x * shear_xy * shear_xy + pivot_y; }
};
static_assert(sizeof(Ellipsoid) == ELLIPSOID_SIZE * sizeof(float), "");

RADGS float exponent_at(float cutoff) { return float(HALF_LOG2_E) * cutoff * cutoff; }

// Voxels (plane, row, column) in the frame: two 3x4 matrices.
struct Grid {
    int planes, rows, columns;
    const double* T_frame_voxel;
    const double* T_voxel_frame;
};

// Steps of one column, row or plane in the frame.
RADGS double step_x(const Grid& grid, int coordinate) { return grid.T_frame_voxel[4 * coordinate + 2]; }
RADGS double step_y(const Grid& grid, int coordinate) { return grid.T_frame_voxel[4 * coordinate + 1]; }
RADGS double step_z(const Grid& grid, int coordinate) { return grid.T_frame_voxel[4 * coordinate]; }

RADGS DoubleLanes centre(const Grid& grid, const Placed& p, int axis)
{
    const double* T = grid.T_voxel_frame + 4 * axis;
    return T[0] * p.m[0] + T[1] * p.m[1] + T[2] * p.m[2] + T[3];
}

// Upper triangle (x, y, z) of A in voxel coordinates.
RADGS Symmetric3 in_voxels(const Grid& grid, const Placed& p)
{
    DoubleLanes root[9]; // columns of A's root along the axes of the grid
    for (int k = 0; k < 3; k++) {
        const DoubleLanes a = p.axes[k] * p.inverse_scale[k], b = p.axes[3 + k] * p.inverse_scale[k];
        const DoubleLanes c = p.axes[6 + k] * p.inverse_scale[k];
        root[k] = a * step_x(grid, 0) + b * step_x(grid, 1) + c * step_x(grid, 2);
        root[3 + k] = a * step_y(grid, 0) + b * step_y(grid, 1) + c * step_y(grid, 2);
        root[6 + k] = a * step_z(grid, 0) + b * step_z(grid, 1) + c * step_z(grid, 2);
    }
    auto product = [&](int i, int j) {
        return root[3 * i] * root[3 * j] + root[3 * i + 1] * root[3 * j + 1] + root[3 * i + 2] * root[3 * j + 2];
    };
    return Symmetric3 {product(0, 0), product(0, 1), product(0, 2), product(1, 1), product(1, 2), product(2, 2)};
}

RADGS void place_block(const Gaussians& g, const Grid& grid, float cutoff, int first, Ellipsoid* out)
{
    const Placed p = place(g, first);
    const Symmetric3 A = in_voxels(grid, p);
    const DoubleLanes shear_xy = A.xy / A.xx, shear_xz = A.xz / A.xx;
    const DoubleLanes pivot_y = A.yy - A.xy * shear_xy, rest = A.yz - A.xy * shear_xz;
    const DoubleLanes shear_yz = rest / pivot_y, pivot_z = A.zz - A.xz * shear_xz - rest * shear_yz;
    // half of the box around the ellipsoid, from the covariance
    const DoubleLanes shear = shear_xz - shear_xy * shear_yz;
    const DoubleLanes variance_z = 1.0 / pivot_z, variance_y = 1.0 / pivot_y + shear_yz * shear_yz * variance_z;
    const DoubleLanes variance_x = 1.0 / A.xx + shear_xy * shear_xy / pivot_y + shear * shear * variance_z;
    const DoubleLanes x = centre(grid, p, 2), y = centre(grid, p, 1), z = centre(grid, p, 0);
    const Lanes half_x = cutoff * square_root(to_float(variance_x)), half_y = cutoff * square_root(to_float(variance_y));
    const Lanes half_z = cutoff * square_root(to_float(variance_z));
    const Lanes column = round_down(to_float(x)), row = round_down(to_float(y)), plane = round_down(to_float(z));
    const Lanes first_plane = larger(round_up(to_float(z) - half_z), lanes(0.0f));
    const Lanes last_plane = smaller(round_down(to_float(z) + half_z), lanes(grid.planes - 1.0f));
    const auto drawn = (to_float(x) + half_x >= 0.0f) & (to_float(x) - half_x <= grid.columns - 1.0f)
        & (to_float(y) + half_y >= 0.0f) & (to_float(y) - half_y <= grid.rows - 1.0f) & (last_plane >= first_plane);
    const Lanes begin = choose(drawn, first_plane, lanes(0.0f)), end = choose(drawn, last_plane, lanes(-1.0f));
    const Lanes dx = to_float(to_double(column) - x), dy = to_float(to_double(row) - y), dz = to_float(to_double(plane) - z);
    for (int i = 0; i < LANES && first + i < g.count; i++)
        out[first + i] = Ellipsoid {
            float(lane(p.density, i)),
            float(HALF_LOG2_E * lane(A.xx, i)), float(HALF_LOG2_E * lane(pivot_y, i)), float(HALF_LOG2_E * lane(pivot_z, i)),
            float(lane(shear_xy, i)), float(lane(shear_xz, i)), float(lane(shear_yz, i)),
            lane(dx, i), lane(dy, i), lane(dz, i), lane(column, i), lane(row, i), lane(plane, i),
            lane(begin, i), lane(end, i), 0.0f,
        };
}

} // namespace radgs
