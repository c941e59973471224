// The voxelizer cut into tasks, which threads of the CPU or of CUDA share. Layouts: voxelizer.py.
#pragma once
#include "ellipsoid_adjoint.h"
#include "voxelizer.h"

namespace radgs {

RADGS Grid grid_of(const double* transforms, int planes, int rows, int columns)
{
    return Grid {planes, rows, columns, transforms, transforms + 12};
}

// One task takes a block of Gaussians to voxel coordinates.
RADGS void place_task(const float* means, const float* scales, const float* quaternions, const float* densities,
    const int* group_of, const double* T_frame_group, int count, int block, const double* transforms, int planes, int rows,
    int columns, float cutoff, float* ellipsoids, int task)
{
    const Gaussians g {means, scales, quaternions, densities, group_of, T_frame_group, count};
    const Grid grid = grid_of(transforms, planes, rows, columns);
    const int begin = task * block;
    for (int first = begin; first < begin + block && first < count; first += LANES)
        place_block(g, grid, cutoff, first, reinterpret_cast<Ellipsoid*>(ellipsoids));
}

// One task draws a share of the Gaussians into a slab of planes: on the CPU all of them, so that tasks do not meet and
// sums have an order, into a slab that stays in the processor's cache; on CUDA one of them.
RADGS void draw_task(const float* ellipsoids, int count, int shares, int slabs, const double* transforms, int planes, int rows,
    int columns, float cutoff, float* volume, int task)
{
    const int share = task / slabs, slab = task % slabs;
    draw(reinterpret_cast<const Ellipsoid*>(ellipsoids), begin_of(share, shares, count), begin_of(share + 1, shares, count),
        grid_of(transforms, planes, rows, columns), begin_of(slab, slabs, planes), begin_of(slab + 1, slabs, planes), cutoff, volume);
}

// One task gathers the moments of a share of the Gaussians, slab by slab. Moments hold zeros before.
RADGS void draw_adjoint_task(const float* ellipsoids, int count, int shares, int slabs, const double* transforms, int planes,
    int rows, int columns, float cutoff, const float* gradient, float* moments, int task)
{
    for (int slab = 0; slab < slabs; slab++)
        draw_adjoint(reinterpret_cast<const Ellipsoid*>(ellipsoids), begin_of(task, shares, count), begin_of(task + 1, shares, count),
            grid_of(transforms, planes, rows, columns), begin_of(slab, slabs, planes), begin_of(slab + 1, slabs, planes), cutoff,
            gradient, moments, count);
}

// One task takes the moments of a block of Gaussians to gradients. by_transform (blocks, G, 12) holds zeros before; it is
// summed over blocks afterwards, so that the sum has an order.
RADGS void gradient_task(const float* means, const float* scales, const float* quaternions, const float* densities,
    const int* group_of, const double* T_frame_group, int count, int block, int groups, const double* transforms, int planes,
    int rows, int columns, const float* moments, float* by_mean, float* by_scale, float* by_quaternion, float* by_density,
    double* by_transform, int task)
{
    const Gaussians g {means, scales, quaternions, densities, group_of, T_frame_group, count};
    const Grid grid = grid_of(transforms, planes, rows, columns);
    const int begin = task * block;
    for (int first = begin; first < begin + block && first < count; first += LANES) {
        GaussianGradients sum = no_gradients();
        DoubleLanes transform[12];
        add_gradients(g, grid, moments, first, sum, transform);
        add_to_groups(g, first, transform, by_transform + 12 * Offset(task) * groups);
        store_gradients(sum, first, count, by_mean, by_scale, by_quaternion, by_density);
    }
}

} // namespace radgs
