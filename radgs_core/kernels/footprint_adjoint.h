// Adjoint of the projection: from the moments that `splat_adjoint` leaves to gradients by everything that the footprints
// are made of. Gradients by symmetric matrices as in placed_adjoint.h.
#pragma once
#include "footprint.h"
#include "placed_adjoint.h"

namespace radgs {

// Adds the gradients in one view. by_transform gets the gradient by T_camera_group (3, 4) of each of the neighbours.
RADGS void add_gradients(const Gaussians& g, const Camera& camera, const float* moments, int first, GaussianGradients& sum,
    DoubleLanes* by_transform)
{
    const Projected p = project(g, camera, first);
    DoubleLanes gathered_moments[MOMENTS];
    const DoubleMask seen = gather_moments<MOMENTS>(moments, first, g.count, gathered_moments);
    Lanes moment[MOMENTS];
    for (int k = 0; k < MOMENTS; k++)
        moment[k] = to_float(gathered_moments[k]);
    const Lanes inverse_c = 1.0f / p.c, gain_per_density = square_root(TWO_PI * inverse_c);
    const ToPixels pixels(camera);
    const float mx = pixels.mx, mxy = pixels.mxy, my = pixels.my;

    // by the constants in pixels, moved to normalised image coordinates
    Lanes conic[3], slope[2], bend[3];
    pixels.matrix(p.Cxx, p.Cxy, p.Cyy, conic);
    pixels.vector(p.bx * inverse_c, p.by * inverse_c, slope);
    pixels.matrix(p.A.xx * inverse_c, p.A.xy * inverse_c, p.A.yy * inverse_c, bend);
    const Lanes by_u = -2.0f * p.gain
        * (conic[0] * moment[1] + conic[1] * moment[2] + slope[0] * moment[6] + bend[0] * moment[7] + bend[1] * moment[8]);
    const Lanes by_v = -2.0f * p.gain
        * (conic[1] * moment[1] + conic[2] * moment[2] + slope[1] * moment[6] + bend[1] * moment[7] + bend[2] * moment[8]);
    const Lanes gain = p.gain;
    auto unscaled = [&](Lanes xx, Lanes xy, Lanes yy, Lanes* out) {
        out[0] = gain * (mx * mx * xx + 2.0f * mx * mxy * xy + mxy * mxy * yy);
        out[1] = gain * (my * (mx * xy + mxy * yy));
        out[2] = gain * (my * my * yy);
    };
    Lanes by_C[3], by_bend[3];
    unscaled(moment[3], moment[4], moment[5], by_C);
    unscaled(moment[9], moment[10], moment[11], by_bend);
    const Lanes by_slope_x = 2.0f * gain * (mx * moment[7] + mxy * moment[8]);
    const Lanes by_slope_y = 2.0f * gain * (my * moment[8]);

    // C = depth^2 (A - b b^T / c), slope = b / c, bend = A / c, gain = density sqrt(2 pi / c)
    const Lanes depth2 = p.depth * p.depth;
    const Lanes Cb_x = by_C[0] * p.bx + by_C[1] * p.by, Cb_y = by_C[1] * p.bx + by_C[2] * p.by;
    Lanes by_bx = inverse_c * (by_slope_x - 2.0f * depth2 * Cb_x);
    Lanes by_by = inverse_c * (by_slope_y - 2.0f * depth2 * Cb_y);
    const Lanes by_c = inverse_c * inverse_c
            * (depth2 * (p.bx * Cb_x + p.by * Cb_y) - by_slope_x * p.bx - by_slope_y * p.by
                - (by_bend[0] * p.A.xx + 2.0f * by_bend[1] * p.A.xy + by_bend[2] * p.A.yy))
        - 0.5f * inverse_c * p.gain * moment[0];
    // c = e.b, b = A e
    by_bx += by_c * p.ex;
    by_by += by_c * p.ey;
    const Lanes by_bz = by_c;
    SymmetricOf<Lanes> by_A;
    by_A.xx = depth2 * by_C[0] + by_bend[0] * inverse_c + by_bx * p.ex;
    by_A.xy = depth2 * by_C[1] + by_bend[1] * inverse_c + 0.5f * (by_bx * p.ey + by_by * p.ex);
    by_A.yy = depth2 * by_C[2] + by_bend[2] * inverse_c + by_by * p.ey;
    by_A.xz = 0.5f * (by_bx + by_bz * p.ex);
    by_A.yz = 0.5f * (by_by + by_bz * p.ey);
    by_A.zz = by_bz;
    const Lanes by_ex = float(camera.fx) * by_u + by_c * p.bx + p.A.xx * by_bx + p.A.xy * by_by + p.A.xz * by_bz;
    const Lanes by_ey = float(camera.skew) * by_u + float(camera.fy) * by_v
        + by_c * p.by + p.A.xy * by_bx + p.A.yy * by_by + p.A.yz * by_bz;
    // e = m / depth
    const Lanes by_depth = 2.0f * (by_C[0] * p.Cxx + 2.0f * by_C[1] * p.Cxy + by_C[2] * p.Cyy) - by_ex * p.ex - by_ey * p.ey;
    const DoubleLanes by_m[3] = {
        to_double(by_ex * p.inverse_depth), to_double(by_ey * p.inverse_depth), to_double(by_depth * p.inverse_depth),
    };
    const Symmetric3 by_placed_A = {
        to_double(by_A.xx), to_double(by_A.xy), to_double(by_A.xz), to_double(by_A.yy), to_double(by_A.yz), to_double(by_A.zz),
    };
    add_gradients(p.placed, seen, by_m, by_placed_A, to_double(gain_per_density * moment[0]), sum, by_transform);
}

} // namespace radgs
