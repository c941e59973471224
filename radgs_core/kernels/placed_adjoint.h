// Adjoint of `place`: from gradients by the mean and the inverse covariance in a frame to gradients by the parameters.
//
// Gradients by symmetric matrices are symmetric matrices G with dL = sum_ij G_ij dA_ij.
#pragma once
#include "placed.h"

namespace radgs {

// Of neighbouring Gaussians; sums where there are several frames.
struct GaussianGradients {
    DoubleLanes mean[3], scale[3], quaternion[4], density;
};

RADGS GaussianGradients no_gradients()
{
    const DoubleLanes zero = double_lanes(0.0);
    return GaussianGradients {{zero, zero, zero}, {zero, zero, zero}, {zero, zero, zero, zero}, zero};
}

// Neighbours' moments, (COUNT, count) in memory, and which neighbours have any that is not 0.
template <int COUNT> RADGS DoubleMask gather_moments(const float* moments, int first, int count, DoubleLanes* out)
{
    DoubleMask seen = double_lanes(0.0) != 0.0;
    for (int k = 0; k < COUNT; k++) {
        out[k] = gathered(moments + k * count, 1, first, count);
        seen = seen | (out[k] != 0.0);
    }
    return seen;
}

// Adds the gradients in one frame, of the neighbours that are `seen`: all are sums of moments, but where nothing was
// drawn they may be 0 times infinity. by_transform gets the gradient by T_frame_group (3, 4) of each of the neighbours.
RADGS void add_gradients(const Placed& p, DoubleMask seen, const DoubleLanes* by_m, const Symmetric3& by_A, DoubleLanes by_density,
    GaussianGradients& sum, DoubleLanes* by_transform)
{
    auto if_seen = [&](DoubleLanes x) { return choose(seen, x, double_lanes(0.0)); };
    // A = axes scale^-2 axes^T, axes = rotation gaussian_axes
    DoubleLanes by_axes[9], H[9]; // H = axes^T by_A axes
    for (int k = 0; k < 3; k++) {
        const DoubleLanes x = p.axes[k], y = p.axes[3 + k], z = p.axes[6 + k], w = p.inverse_scale[k];
        const DoubleLanes ax = by_A.xx * x + by_A.xy * y + by_A.xz * z;
        const DoubleLanes ay = by_A.xy * x + by_A.yy * y + by_A.yz * z;
        const DoubleLanes az = by_A.xz * x + by_A.yz * y + by_A.zz * z;
        by_axes[k] = 2.0 * w * w * ax;
        by_axes[3 + k] = 2.0 * w * w * ay;
        by_axes[6 + k] = 2.0 * w * w * az;
        for (int j = 0; j < 3; j++)
            H[3 * j + k] = p.axes[j] * ax + p.axes[3 + j] * ay + p.axes[6 + j] * az;
        sum.scale[k] -= if_seen(2.0 * w * w * w * H[4 * k]);
    }
    const DoubleLanes* R = p.rotation;
    for (int i = 0; i < 3; i++) {
        sum.mean[i] += if_seen(R[i] * by_m[0] + R[3 + i] * by_m[1] + R[6 + i] * by_m[2]);
        by_transform[4 * i + 3] = if_seen(by_m[i]);
        for (int j = 0; j < 3; j++)
            by_transform[4 * i + j] = if_seen(by_m[i] * p.mean[j] + by_axes[3 * i] * p.gaussian_axes[3 * j]
                + by_axes[3 * i + 1] * p.gaussian_axes[3 * j + 1] + by_axes[3 * i + 2] * p.gaussian_axes[3 * j + 2]);
    }
    // Turning the Gaussian about its own axes by a small omega changes A by axes ([omega] W - W [omega]) axes^T with
    // W = scale^-2; a quaternion's change dq turns it by 2 q^-1 dq. What stays the same (the quaternion's length, the
    // turning of a sphere) does not enter, so that no large numbers have to cancel.
    auto squares_differ = [&](int i, int j) {
        return (p.inverse_scale[i] - p.inverse_scale[j]) * (p.inverse_scale[i] + p.inverse_scale[j]);
    };
    const DoubleLanes f = 4.0 / p.quaternion_norm2;
    const DoubleLanes x = f * squares_differ(1, 2) * H[5], y = f * squares_differ(2, 0) * H[2];
    const DoubleLanes z = f * squares_differ(0, 1) * H[1];
    const DoubleLanes* q = p.quaternion;
    sum.quaternion[0] -= if_seen(q[1] * x + q[2] * y + q[3] * z);
    sum.quaternion[1] += if_seen(q[0] * x + q[2] * z - q[3] * y);
    sum.quaternion[2] += if_seen(q[0] * y + q[3] * x - q[1] * z);
    sum.quaternion[3] += if_seen(q[0] * z + q[1] * y - q[2] * x);
    sum.density += if_seen(by_density);
}

// Adds gradients by T_frame_group of neighbouring Gaussians to those of their groups, (G, 12) in memory.
RADGS void add_to_groups(const Gaussians& g, int first, const DoubleLanes* by_transform, double* by_groups)
{
    for (int i = 0; i < LANES && first + i < g.count; i++)
        for (int k = 0; k < 12; k++)
            by_groups[12 * g.groups[first + i] + k] += lane(by_transform[k], i);
}

RADGS void store_gradients(const GaussianGradients& of, int first, int count, float* by_mean, float* by_scale,
    float* by_quaternion, float* by_density)
{
    for (int i = 0; i < LANES && first + i < count; i++) {
        for (int k = 0; k < 3; k++) {
            by_mean[3 * (first + i) + k] = float(lane(of.mean[k], i));
            by_scale[3 * (first + i) + k] = float(lane(of.scale[k], i));
        }
        for (int k = 0; k < 4; k++)
            by_quaternion[4 * (first + i) + k] = float(lane(of.quaternion[k], i));
        by_density[first + i] = float(lane(of.density, i));
    }
}

} // namespace radgs
