// The rasterizer cut into tasks, which threads of the CPU or of CUDA share. Layouts: rasterizer.py.
#pragma once
#include "footprint_adjoint.h"
#include "rasterizer.h"

namespace radgs {

constexpr int PADDING = 16; // runs of pixels may end so far beyond the border
static_assert(PADDING >= LANES, "");

RADGS Camera camera_of(const double* cameras, int view)
{
    const double* c = cameras + 7 * view;
    return Camera {c[0], c[1], c[2], c[3], c[4], int(c[5]), int(c[6])};
}

RADGS Gaussians in_view(Gaussians g, int view, int groups)
{
    g.T_frame_group += 12 * groups * view;
    return g;
}

RADGS int padded(int width) { return width + PADDING; }

// One task projects a block of Gaussians into one view; a block is a multiple of LANES.
RADGS void project_task(const float* means, const float* scales, const float* quaternions, const float* densities,
    const int* group_of, const double* T_camera_group, int count, int block, int groups, const double* cameras, float cutoff,
    float* footprints, int task)
{
    const Gaussians gaussians {means, scales, quaternions, densities, group_of, T_camera_group, count};
    const int blocks = (count + block - 1) / block;
    const int view = task / blocks, begin = (task % blocks) * block;
    const Gaussians g = in_view(gaussians, view, groups);
    const Camera camera = camera_of(cameras, view);
    Footprint* out = reinterpret_cast<Footprint*>(footprints) + Offset(view) * g.count;
    for (int first = begin; first < begin + block && first < g.count; first += LANES)
        project_block(g, camera, cutoff, first, out);
}

// One task draws a share of the Gaussians into a band of one view: on the CPU all of them into one of a few bands, so
// that tasks do not meet and sums have an order; on CUDA one of them into the whole image.
RADGS void splat_task(const float* footprints, int count, int shares, int bands, const double* cameras, const Offset* offsets,
    float cutoff, float* image, int task)
{
    const int view = task / (shares * bands), share = task / bands % shares, band = task % bands;
    const Camera camera = camera_of(cameras, view);
    splat(reinterpret_cast<const Footprint*>(footprints) + Offset(view) * count, begin_of(share, shares, count),
        begin_of(share + 1, shares, count), begin_of(band, bands, camera.height), begin_of(band + 1, bands, camera.height), cutoff,
        image + offsets[2 * view], padded(camera.width));
}

// One task gathers the moments of a share of the Gaussians in one view.
RADGS void splat_adjoint_task(const float* footprints, int count, int shares, const double* cameras, const Offset* offsets,
    float cutoff, const float* gradient, float* moments, int task)
{
    const int view = task / shares, share = task % shares;
    const Camera camera = camera_of(cameras, view);
    splat_adjoint(reinterpret_cast<const Footprint*>(footprints) + Offset(view) * count,
        begin_of(share, shares, count), begin_of(share + 1, shares, count), cutoff,
        gradient + offsets[2 * view], padded(camera.width), camera.height, moments + Offset(view) * MOMENTS * count, count);
}

// What one of bands * parts tasks a view works on: a band of rows, and a part of each row.
struct Patch {
    int view, row, end_row, column, end_column;
    Camera camera;
    RADGS Patch(const double* cameras, int bands, int parts, int task)
        : view(task / (bands * parts))
        , camera(camera_of(cameras, view))
    {
        const int band = task / parts % bands, part = task % parts;
        row = begin_of(band, bands, camera.height);
        end_row = begin_of(band + 1, bands, camera.height);
        column = begin_of(part, parts, camera.width);
        end_column = begin_of(part + 1, parts, camera.width);
    }
};

// One task takes a patch of a padded image to a plain one, times |d|.
RADGS void unpad_task(const double* cameras, const Offset* offsets, int bands, int parts, const float* from, float* to, int task)
{
    const Patch p(cameras, bands, parts, task);
    const float* padded_image = from + offsets[2 * p.view];
    float* image = to + offsets[2 * p.view + 1];
    for (int row = p.row; row < p.end_row; row++)
        scale_row(p.camera, row, p.column, padded_image + Offset(row) * padded(p.camera.width) + p.column,
            image + Offset(row) * p.camera.width + p.column, p.end_column - p.column);
}

// The other way round, with zeros beyond the border.
RADGS void pad_task(const double* cameras, const Offset* offsets, int bands, int parts, const float* from, float* to, int task)
{
    const Patch p(cameras, bands, parts, task);
    const float* image = from + offsets[2 * p.view + 1];
    float* padded_image = to + offsets[2 * p.view];
    for (int row = p.row; row < p.end_row; row++) {
        float* line = padded_image + Offset(row) * padded(p.camera.width);
        scale_row(p.camera, row, p.column, image + Offset(row) * p.camera.width + p.column, line + p.column,
            p.end_column - p.column);
        if (p.end_column == p.camera.width)
            for (int i = p.camera.width; i < padded(p.camera.width); i++)
                line[i] = 0.0f;
    }
}

// One task takes the moments of a block of Gaussians in all views to gradients. by_transform (blocks, V, G, 12) holds
// zeros before; it is summed over blocks afterwards, so that the sum has an order.
RADGS void gradient_task(const float* means, const float* scales, const float* quaternions, const float* densities,
    const int* group_of, const double* T_camera_group, int count, int block, int groups, int views, const double* cameras,
    const float* moments, float* by_mean, float* by_scale, float* by_quaternion, float* by_density, double* by_transform,
    int task)
{
    const Gaussians gaussians {means, scales, quaternions, densities, group_of, T_camera_group, count};
    const int begin = task * block;
    for (int first = begin; first < begin + block && first < count; first += LANES) {
        GaussianGradients sum = no_gradients();
        for (int view = 0; view < views; view++) {
            DoubleLanes transform[12];
            add_gradients(in_view(gaussians, view, groups), camera_of(cameras, view),
                moments + Offset(view) * MOMENTS * count, first, sum, transform);
            add_to_groups(gaussians, first, transform, by_transform + 12 * (Offset(task) * views + view) * groups);
        }
        store_gradients(sum, first, count, by_mean, by_scale, by_quaternion, by_density);
    }
}

} // namespace radgs
