// Projection of Gaussians into a view, and its adjoint.
//
// Notation of radgs_core/radgs/oracle/projection.py, in pixels: with D the offset of a pixel from the projected centre,
//     integral = |d| gain s^(-1/2) exp(-Q / (2 s)),  Q = D^T conic D,  s = 1 + 2 slope.D + D^T bend D.
// Positions are computed in double precision, because a micrometre at a metre's distance does not fit a float.
#pragma once
#include "placed.h"

namespace radgs {

constexpr float MIN_DEPTH_MM = 1.0f;
constexpr float TWO_PI = 6.28318531f;
constexpr float LOG2_E = 1.44269504f;
constexpr int FOOTPRINT_SIZE = 16;
constexpr int MOMENTS = 12;

struct Camera {
    double fx, skew, cx, fy, cy;
    int width, height;
};

// What the rasterizer draws; 64 bytes, one line of the processor's cache.
struct Footprint {
    float gain;
    float dx, dy; // offset of the first column and row from the centre
    float falloff_xx, falloff_xy, falloff_yy; // -log2(e) / 2 times the conic: exp(-Q / 2) = 2^(D^T falloff D)
    float slope_x, slope_y;
    float bend_xx, bend_xy, bend_yy;
    float first_column, last_column, first_row, last_row; // inclusive; nothing is drawn where last_row < first_row
    float largest_bend; // no less than |s - 1| anywhere in the footprint
};
static_assert(sizeof(Footprint) == FOOTPRINT_SIZE * sizeof(float), "");

// Neighbouring Gaussians in the camera frame, and everything on the way to their footprints.
struct Projected {
    Placed placed;
    SymmetricOf<Lanes> A;
    DoubleLanes u, v; // pixel coordinates of the centre
    Lanes m[3], ex, ey, depth, inverse_depth;
    Lanes bx, by, bz, c; // b = A e, c = e.b
    Lanes gain;
    Lanes Cxx, Cxy, Cyy; // of Q in normalised image coordinates
};

RADGS Projected project(const Gaussians& g, const Camera& camera, int first)
{
    Projected p;
    p.placed = place(g, first);
    const Symmetric3& A = p.placed.A;
    p.A = {to_float(A.xx), to_float(A.xy), to_float(A.xz), to_float(A.yy), to_float(A.yz), to_float(A.zz)};
    const DoubleLanes* m = p.placed.m;
    for (int k = 0; k < 3; k++)
        p.m[k] = to_float(m[k]);
    const DoubleLanes inverse_depth = 1.0 / m[2];
    const DoubleLanes ex = m[0] * inverse_depth, ey = m[1] * inverse_depth;
    p.u = camera.fx * ex + camera.skew * ey + camera.cx;
    p.v = camera.fy * ey + camera.cy;
    p.ex = to_float(ex);
    p.ey = to_float(ey);
    p.depth = p.m[2];
    p.inverse_depth = to_float(inverse_depth);
    p.bx = p.A.xx * p.ex + p.A.xy * p.ey + p.A.xz;
    p.by = p.A.xy * p.ex + p.A.yy * p.ey + p.A.yz;
    p.bz = p.A.xz * p.ex + p.A.yz * p.ey + p.A.zz;
    p.c = p.ex * p.bx + p.ey * p.by + p.bz;
    const Lanes inverse_c = 1.0f / p.c, depth2 = p.depth * p.depth;
    p.Cxx = depth2 * (p.A.xx - p.bx * p.bx * inverse_c);
    p.Cxy = depth2 * (p.A.xy - p.bx * p.by * inverse_c);
    p.Cyy = depth2 * (p.A.yy - p.by * p.by * inverse_c);
    p.gain = to_float(p.placed.density) * square_root(TWO_PI * inverse_c);
    return p;
}

// Upper triangle of M^T S M, with M = [[mx, mxy], [0, my]] from offsets in pixels to normalised image coordinates.
struct ToPixels {
    float mx, mxy, my;
    RADGS explicit ToPixels(const Camera& camera)
        : mx(float(1.0 / camera.fx)), mxy(float(-camera.skew / (camera.fx * camera.fy))), my(float(1.0 / camera.fy))
    {
    }
    RADGS void matrix(Lanes xx, Lanes xy, Lanes yy, Lanes* out) const
    {
        out[0] = mx * mx * xx;
        out[1] = mx * (mxy * xx + my * xy);
        out[2] = mxy * mxy * xx + 2.0f * mxy * my * xy + my * my * yy;
    }
    RADGS void vector(Lanes x, Lanes y, Lanes* out) const
    {
        out[0] = mx * x;
        out[1] = mxy * x + my * y;
    }
};

// Bounding box, in pixels, of where Q <= cutoff^2 s: an ellipse, whose centre perspective shifts.
RADGS void project_block(const Gaussians& g, const Camera& camera, float cutoff, int first, Footprint* out)
{
    const Projected p = project(g, camera, first);
    const ToPixels pixels(camera);
    const Lanes inverse_c = 1.0f / p.c;
    const float k2 = cutoff * cutoff;
    Lanes conic[3], slope[2], bend[3];
    pixels.matrix(p.Cxx, p.Cxy, p.Cyy, conic);
    pixels.vector(p.bx * inverse_c, p.by * inverse_c, slope);
    pixels.matrix(p.A.xx * inverse_c, p.A.xy * inverse_c, p.A.yy * inverse_c, bend);
    const Lanes xx = conic[0] - k2 * bend[0], xy = conic[1] - k2 * bend[1], yy = conic[2] - k2 * bend[2];
    const Lanes determinant = xx * yy - xy * xy;
    const Lanes inverse = 1.0f / determinant;
    const Lanes shift_x = k2 * (yy * slope[0] - xy * slope[1]) * inverse;
    const Lanes shift_y = k2 * (xx * slope[1] - xy * slope[0]) * inverse;
    const Lanes level = k2 * (1.0f + slope[0] * shift_x + slope[1] * shift_y);
    const Lanes half_x = square_root(level * yy * inverse), half_y = square_root(level * xx * inverse);
    const Lanes u = to_float(p.u) + shift_x, v = to_float(p.v) + shift_y;
    // the corners of the box around the ellipse, seen from the projected centre
    const Lanes reach_x = half_x + absolute(shift_x), reach_y = half_y + absolute(shift_y);
    const Lanes largest = 2.0f * (absolute(slope[0]) * reach_x + absolute(slope[1]) * reach_y) + bend[0] * reach_x * reach_x
        + 2.0f * absolute(bend[1]) * reach_x * reach_y + bend[2] * reach_y * reach_y;
    const Lanes zero = lanes(0.0f);
    // a Gaussian that reaches the X-ray source has no bounded footprint: it is not drawn
    const auto drawn = (p.depth > MIN_DEPTH_MM) & (xx > 0.0f) & (determinant > 0.0f) & (half_x >= 0.0f) & (half_y >= 0.0f);
    const Lanes column = choose(drawn, larger(round_up(u - half_x), zero), zero);
    const Lanes row = choose(drawn, larger(round_up(v - half_y), zero), zero);
    const Lanes last_column = smaller(round_down(u + half_x), lanes(camera.width - 1.0f));
    const auto visible = drawn & (column <= last_column);
    const Lanes last_row = choose(visible, smaller(round_down(v + half_y), lanes(camera.height - 1.0f)), lanes(-1.0f));
    const Lanes dx = to_float(to_double(column) - p.u), dy = to_float(to_double(row) - p.v);
    for (int i = 0; i < LANES && first + i < g.count; i++)
        out[first + i] = Footprint {
            lane(p.gain, i), lane(dx, i), lane(dy, i), -0.5f * LOG2_E * lane(conic[0], i), -0.5f * LOG2_E * lane(conic[1], i),
            -0.5f * LOG2_E * lane(conic[2], i),
            lane(slope[0], i), lane(slope[1], i), lane(bend[0], i), lane(bend[1], i), lane(bend[2], i),
            lane(column, i), lane(last_column, i), lane(row, i), lane(last_row, i), lane(largest, i),
        };
}

} // namespace radgs
