// From the moments that `draw_adjoint` leaves to gradients by the mean and the inverse covariance in the frame.
#pragma once
#include "ellipsoid.h"
#include "placed_adjoint.h"

namespace radgs {

// moments: (VOXEL_MOMENTS, count) in memory
RADGS void add_gradients(const Gaussians& g, const Grid& grid, const float* moments, int first, GaussianGradients& sum,
    DoubleLanes* by_transform)
{
    const Placed p = place(g, first);
    DoubleLanes moment[VOXEL_MOMENTS];
    const DoubleMask seen = gather_moments<VOXEL_MOMENTS>(moments, first, g.count, moment);
    // by_m = density A sum(offset), by_A = -1/2 density sum(offset offset^T), offsets turned from voxels to mm
    const DoubleLanes x = moment[1], y = moment[2], z = moment[3];
    const DoubleLanes xx = moment[4], xy = moment[5], xz = moment[6], yy = moment[7], yz = moment[8], zz = moment[9];
    DoubleLanes offset[3], by_x[3], by_y[3], by_z[3];
    for (int i = 0; i < 3; i++) {
        const double X = step_x(grid, i), Y = step_y(grid, i), Z = step_z(grid, i);
        offset[i] = X * x + Y * y + Z * z;
        by_x[i] = X * xx + Y * xy + Z * xz;
        by_y[i] = X * xy + Y * yy + Z * yz;
        by_z[i] = X * xz + Y * yz + Z * zz;
    }
    auto by_A = [&](int i, int j) {
        return -0.5 * p.density * (by_x[i] * step_x(grid, j) + by_y[i] * step_y(grid, j) + by_z[i] * step_z(grid, j));
    };
    const DoubleLanes by_m[3] = {
        p.density * (p.A.xx * offset[0] + p.A.xy * offset[1] + p.A.xz * offset[2]),
        p.density * (p.A.xy * offset[0] + p.A.yy * offset[1] + p.A.yz * offset[2]),
        p.density * (p.A.xz * offset[0] + p.A.yz * offset[1] + p.A.zz * offset[2]),
    };
    const Symmetric3 by_placed_A = {by_A(0, 0), by_A(0, 1), by_A(0, 2), by_A(1, 1), by_A(1, 2), by_A(2, 2)};
    add_gradients(p, seen, by_m, by_placed_A, moment[0], sum, by_transform);
}

} // namespace radgs
