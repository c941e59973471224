// The image of a rigid group of Gaussians and its six derivatives by the group's pose, in one pass over the pixels.
//
// With L = log(integral), a motion changes a footprint by
//     dL = d log(gain) - (1/2) D^T d(conic) D + (conic D).d(centre):
// a polynomial of degree two in the pixel offset D. The perspective term s is exact in the image and taken as constant
// in the derivatives, which changes them by a few parts in a thousand of their largest value.
#pragma once
#include "rasterizer.h"

namespace radgs {

constexpr int TWISTS = 6;
constexpr int CHANNELS = 1 + TWISTS; // the image, then its derivatives

// Coefficients of 1, x, y, xx, xy, yy of dL for each component of the twist.
struct Polynomials {
    float coefficient[6][TWISTS];
};

// The frame that twists (v, omega) are given in, seen from the camera: axes (columns of a 3x3 matrix) and origin.
struct TwistFrame {
    const double* axes;
    const double* origin;
};

RADGS void project_derivatives(const Gaussians& g, const Camera& camera, const TwistFrame& frame, int first, int last, Polynomials* out)
{
    const Projected p = project(g, camera, first);
    const ToPixels pixels(camera);
    const Lanes inverse_c = 1.0f / p.c, depth2 = p.depth * p.depth;
    Lanes conic[3];
    pixels.matrix(p.Cxx, p.Cxy, p.Cyy, conic);
    const Lanes arm_x = p.m[0] - float(frame.origin[0]), arm_y = p.m[1] - float(frame.origin[1]), arm_z = p.m[2] - float(frame.origin[2]);
    for (int twist = 0; twist < TWISTS; twist++) {
        const float ax = float(frame.axes[twist % 3]), ay = float(frame.axes[3 + twist % 3]), az = float(frame.axes[6 + twist % 3]);
        Lanes dmx = lanes(ax), dmy = lanes(ay), dmz = lanes(az);
        SymmetricOf<Lanes> dA = {}; // omega x A - A omega x
        if (twist >= 3) {
            dmx = ay * arm_z - az * arm_y;
            dmy = az * arm_x - ax * arm_z;
            dmz = ax * arm_y - ay * arm_x;
            dA.xx = 2.0f * (ay * p.A.xz - az * p.A.xy);
            dA.yy = 2.0f * (az * p.A.xy - ax * p.A.yz);
            dA.zz = 2.0f * (ax * p.A.yz - ay * p.A.xz);
            dA.xy = ay * p.A.yz - az * p.A.yy + az * p.A.xx - ax * p.A.xz;
            dA.xz = ay * p.A.zz - az * p.A.yz + ax * p.A.xy - ay * p.A.xx;
            dA.yz = az * p.A.xz - ax * p.A.zz + ax * p.A.yy - ay * p.A.xy;
        }
        const Lanes dex = (dmx - p.ex * dmz) * p.inverse_depth, dey = (dmy - p.ey * dmz) * p.inverse_depth;
        const Lanes dAe_x = dA.xx * p.ex + dA.xy * p.ey + dA.xz, dAe_y = dA.xy * p.ex + dA.yy * p.ey + dA.yz;
        const Lanes dAe_z = dA.xz * p.ex + dA.yz * p.ey + dA.zz;
        const Lanes dbx = dAe_x + p.A.xx * dex + p.A.xy * dey, dby = dAe_y + p.A.xy * dex + p.A.yy * dey;
        const Lanes dc = p.ex * dAe_x + p.ey * dAe_y + dAe_z + 2.0f * (p.bx * dex + p.by * dey);
        const Lanes relative_dc = dc * inverse_c, relative_depth = 2.0f * dmz * p.inverse_depth;
        const Lanes dCxx = relative_depth * p.Cxx + depth2 * (dA.xx - (2.0f * dbx - p.bx * relative_dc) * p.bx * inverse_c);
        const Lanes dCxy = relative_depth * p.Cxy + depth2 * (dA.xy - (dbx * p.by + p.bx * dby - p.bx * p.by * relative_dc) * inverse_c);
        const Lanes dCyy = relative_depth * p.Cyy + depth2 * (dA.yy - (2.0f * dby - p.by * relative_dc) * p.by * inverse_c);
        Lanes d_conic[3];
        pixels.matrix(dCxx, dCxy, dCyy, d_conic);
        const Lanes du = float(camera.fx) * dex + float(camera.skew) * dey, dv = float(camera.fy) * dey;
        const Lanes coefficient[6] = {
            -0.5f * relative_dc, conic[0] * du + conic[1] * dv, conic[1] * du + conic[2] * dv,
            -0.5f * d_conic[0], -d_conic[1], -0.5f * d_conic[2],
        };
        for (int i = 0; i < LANES && first + i < last; i++)
            for (int k = 0; k < 6; k++)
                out[first + i].coefficient[k][twist] = lane(coefficient[k], i);
    }
}

// Adds a footprint and its derivatives to CHANNELS planes.
struct DerivativeDrawing {
    const Footprint& footprint;
    const Polynomials& polynomials;
    float* image; // where row 0 and column 0 of the first plane would lie
    int stride, plane;
    float constant[TWISTS][LANES], linear[TWISTS][LANES]; // dL in LANES rows: polynomials in dx

    RADGS void begin(const Rows& rows)
    {
        const Lanes y = load(rows.dy);
        for (int twist = 0; twist < TWISTS; twist++) {
            const Polynomials& p = polynomials;
            store(constant[twist], (p.coefficient[5][twist] * y + p.coefficient[2][twist]) * y + p.coefficient[0][twist]);
            store(linear[twist], p.coefficient[4][twist] * y + p.coefficient[1][twist]);
        }
    }
    RADGS void pixels(const Rows&, int i, int row, int column, const Pixels& p)
    {
        const Lanes value = footprint.gain * p.value;
        float* to = image + row * stride + column;
        accumulate(to, lanes(1.0f), value);
        for (int twist = 0; twist < TWISTS; twist++) {
            to += plane;
            accumulate(to, (polynomials.coefficient[3][twist] * p.dx + linear[twist][i]) * p.dx + constant[twist][i], value);
        }
    }
};

} // namespace radgs
