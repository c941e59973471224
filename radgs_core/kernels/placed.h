// Gaussians as they lie in memory, and as their groups' poses place them in a frame.
//
// In double precision: a micrometre at a metre's distance does not fit a float, nor does the inverse covariance of a
// Gaussian as thin as the bone's cortex. There are few Gaussians beside voxels and pixels.
#pragma once
#include "lanes.h"

namespace radgs {

// N Gaussians: (N, 3), (N, 3), (N, 4), (N,) and their group (N,); T_frame_group is (G, 3, 4).
struct Gaussians {
    const float* means;
    const float* scales;
    const float* quaternions;
    const float* densities;
    const int* groups;
    const double* T_frame_group;
    int count;
};

template <class T> struct SymmetricOf {
    T xx, xy, xz, yy, yz, zz;
};
using Symmetric3 = SymmetricOf<DoubleLanes>;

// Neighbouring Gaussians in the frame. Matrices are row-major.
struct Placed {
    DoubleLanes rotation[9]; // T_frame_group's
    DoubleLanes mean[3]; // in the group's frame
    DoubleLanes quaternion[4], quaternion_norm2;
    DoubleLanes gaussian_axes[9]; // columns are the principal axes in the group's frame
    DoubleLanes axes[9]; // the same in the frame
    DoubleLanes inverse_scale[3];
    DoubleLanes m[3]; // the mean in the frame
    DoubleLanes density;
    Symmetric3 A; // inverse covariance in the frame
};

// Neighbours' numbers; beyond the last Gaussian its own, once more.
RADGS DoubleLanes gathered(const float* from, int stride, int first, int count)
{
    DoubleLanes result = double_lanes(0.0);
    for (int i = 0; i < LANES; i++)
        set_lane(result, i, from[stride * (first + i < count ? first + i : count - 1)]);
    return result;
}

RADGS DoubleLanes of_group(const Gaussians& g, int element, int first)
{
    DoubleLanes result = double_lanes(0.0);
    for (int i = 0; i < LANES; i++) {
        const int gaussian = first + i < g.count ? first + i : g.count - 1;
        set_lane(result, i, g.T_frame_group[12 * g.groups[gaussian] + element]);
    }
    return result;
}

RADGS void rotation_of(const DoubleLanes* q, DoubleLanes norm2, DoubleLanes* r)
{
    const DoubleLanes f = 2.0 / norm2;
    r[0] = 1.0 - f * (q[2] * q[2] + q[3] * q[3]);
    r[1] = f * (q[1] * q[2] - q[0] * q[3]);
    r[2] = f * (q[1] * q[3] + q[0] * q[2]);
    r[3] = f * (q[1] * q[2] + q[0] * q[3]);
    r[4] = 1.0 - f * (q[1] * q[1] + q[3] * q[3]);
    r[5] = f * (q[2] * q[3] - q[0] * q[1]);
    r[6] = f * (q[1] * q[3] - q[0] * q[2]);
    r[7] = f * (q[2] * q[3] + q[0] * q[1]);
    r[8] = 1.0 - f * (q[1] * q[1] + q[2] * q[2]);
}

RADGS Placed place(const Gaussians& g, int first)
{
    Placed p;
    for (int k = 0; k < 3; k++) {
        p.mean[k] = gathered(g.means + k, 3, first, g.count);
        p.inverse_scale[k] = 1.0 / gathered(g.scales + k, 3, first, g.count);
    }
    for (int row = 0; row < 3; row++) {
        p.m[row] = of_group(g, 4 * row + 3, first);
        for (int k = 0; k < 3; k++) {
            p.rotation[3 * row + k] = of_group(g, 4 * row + k, first);
            p.m[row] += p.rotation[3 * row + k] * p.mean[k];
        }
    }
    p.density = gathered(g.densities, 1, first, g.count);
    p.quaternion_norm2 = double_lanes(0.0);
    for (int k = 0; k < 4; k++) {
        p.quaternion[k] = gathered(g.quaternions + k, 4, first, g.count);
        p.quaternion_norm2 += p.quaternion[k] * p.quaternion[k];
    }
    rotation_of(p.quaternion, p.quaternion_norm2, p.gaussian_axes);
    DoubleLanes root[9]; // columns: axes over scales, A = root root^T
    for (int row = 0; row < 3; row++)
        for (int k = 0; k < 3; k++) {
            const DoubleLanes* R = p.rotation + 3 * row;
            p.axes[3 * row + k] = R[0] * p.gaussian_axes[k] + R[1] * p.gaussian_axes[3 + k] + R[2] * p.gaussian_axes[6 + k];
            root[3 * row + k] = p.axes[3 * row + k] * p.inverse_scale[k];
        }
    p.A.xx = root[0] * root[0] + root[1] * root[1] + root[2] * root[2];
    p.A.xy = root[0] * root[3] + root[1] * root[4] + root[2] * root[5];
    p.A.xz = root[0] * root[6] + root[1] * root[7] + root[2] * root[8];
    p.A.yy = root[3] * root[3] + root[4] * root[4] + root[5] * root[5];
    p.A.yz = root[3] * root[6] + root[4] * root[7] + root[5] * root[8];
    p.A.zz = root[6] * root[6] + root[7] * root[7] + root[8] * root[8];
    return p;
}

} // namespace radgs
