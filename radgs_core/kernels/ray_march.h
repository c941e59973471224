// Line integrals through a volume, and their derivatives by a rigid motion of it, in one march along each ray.
//
// A ray is sampled where it crosses the volume's layers of voxels, by bilinear interpolation within the layer: P. M.
// Joseph, "An improved algorithm for reprojecting rays through pixel images", IEEE Transactions on Medical Imaging 1(3),
// 1982. With f_m the sample at layer m, p_m its position, and e the ray's step from one layer to the next,
//     integral = |e| sum f_m.
// A motion p -> p + v + omega x (p - c) of the volume, whose gradient is g, changes it by
//     -|e| sum g_m.(v + omega x (p_m - c)),  p_m = p_0 + m e:
// all six derivatives follow from G = sum g_m and H = sum m g_m. Interpolation gives the components of g within the
// layer. The third ones of G and H follow from the samples' differences along the ray, which are g.e:
//     sum g_m.e = 0,  sum m g_m.e = -sum f_m,
// summed by parts, for there is air at both ends. This makes them the exact derivatives of the sum of samples, because
// the samples stay on their layers when these move.
#pragma once
#include "gather.h"
#include "rays.h"

namespace radgs {

struct RaySums {
    Lanes value, gx, gy, hx, hy; // of f, g and m g
};

RADGS RaySums march(const Layers& layers, const Rays& rays)
{
    const int middle = layers.count / 2, stride = layers.count * layers.width;
    float begin = lane(rays.first, 0), end = lane(rays.last, 0);
    for (int i = 1; i < LANES; i++) {
        begin = lane(rays.first, i) < begin ? lane(rays.first, i) : begin;
        end = lane(rays.last, i) > end ? lane(rays.last, i) : end;
    }
    const Lanes zero = lanes(0.0f);
    RaySums sums {zero, zero, zero, zero, zero};
    const float* layer = layers.values + (int(begin) + middle) * layers.width;
    Lanes m = lanes(begin);
    for (int steps = int(end - begin); steps >= 0; steps--) {
        const Lanes x = rays.x + m * rays.slope_x, y = rays.y + m * rays.slope_y;
        const IntLanes column = to_int(x), row = to_int(y);
        const Lanes fx = x - to_float(column), fy = y - to_float(row);
        // the first voxels of a layer are zeros
        const Mask within = (m >= rays.first) & (m <= rays.last);
        const IntLanes index = choose(within, row * stride + column, to_int(zero));
        Lanes v00, v10, v01, v11;
        load_pairs(layer, index, v00, v10);
        load_pairs(layer + stride, index, v01, v11);
        const Lanes along = v10 - v00, cross = (v11 - v01) - along;
        const Lanes gx = along + fy * cross, gy = (v01 - v00) + fx * cross;
        sums.value += (v00 + fx * along) + fy * gy;
        sums.gx += gx;
        sums.gy += gy;
        sums.hx += m * gx;
        sums.hy += m * gy;
        m += 1.0f;
        layer += layers.width;
    }
    return sums;
}

RADGS void cross_product(const Lanes* a, const Lanes* b, Lanes* to)
{
    for (int i = 0; i < 3; i++)
        to[i] = a[(i + 1) % 3] * b[(i + 2) % 3] - a[(i + 2) % 3] * b[(i + 1) % 3];
}

// The image's pixels (row, column...) and their derivatives by v and omega, to images (7, height, width).
RADGS void march_run(const Layers& layers, const RayGeometry& geometry, int width, int height, int row, int column, float* images)
{
    const Lanes columns = numbered() + float(column);
    DoubleLanes per_layer;
    const Rays rays = rays_of(layers, geometry, columns, row, width, per_layer);
    const RaySums s = march(layers, rays);
    const Lanes G[3] = {s.gx, s.gy, -(s.gx * rays.slope_x + s.gy * rays.slope_y)};
    const Lanes H[3] = {s.hx, s.hy, -(s.hx * rays.slope_x + s.hy * rays.slope_y) - s.value};
    Lanes e[3], arm[3]; // arm: p_0 - c
    const double middle = layers.count / 2 - geometry.source[2];
    for (int i = 0; i < 3; i++) {
        const DoubleLanes step = of_pixel(geometry.mm_of_pixel + 3 * i, to_double(columns), row) * per_layer;
        e[i] = to_float(step);
        arm[i] = to_float(geometry.source_from_centre_mm[i] + middle * step);
    }
    const Lanes length = square_root(e[0] * e[0] + e[1] * e[1] + e[2] * e[2]);
    Lanes pull[3], moment[3]; // -|e| G and -|e| H in the reference frame
    for (int i = 0; i < 3; i++) {
        const double* to_voxel = geometry.voxel_of_mm + i;
        const float a = float(to_voxel[0]), b = float(to_voxel[3]), c = float(to_voxel[6]);
        pull[i] = -length * (a * G[0] + b * G[1] + c * G[2]);
        moment[i] = -length * (a * H[0] + b * H[1] + c * H[2]);
    }
    Lanes turn[3], twist[3];
    cross_product(arm, pull, turn);
    cross_product(e, moment, twist);
    const Lanes channels[7] = {
        length * s.value, pull[0], pull[1], pull[2], turn[0] + twist[0], turn[1] + twist[1], turn[2] + twist[2]};
    for (int k = 0; k < 7; k++) {
        float* to = images + (long long)(k * height + row) * width + column;
        if (column + LANES <= width)
            store(to, channels[k]);
        else
            for (int i = 0; column + i < width; i++)
                to[i] = lane(channels[k], i);
    }
}

// One of `tasks` tasks marches a share of the image's runs of LANES pixels.
RADGS void ray_march_task(const float* values, int layer_width, int layer_height, int count, const double* geometry, int width,
    int height, int tasks, float* images, int task)
{
    const Layers layers {values, layer_width, layer_height, count};
    const RayGeometry& rays = *reinterpret_cast<const RayGeometry*>(geometry);
    const int runs_a_row = (width + LANES - 1) / LANES;
    const long long runs = (long long)(runs_a_row)*height;
    for (long long run = runs * task / tasks; run < runs * (task + 1) / tasks; run++)
        march_run(layers, rays, width, height, int(run / runs_a_row), int(run % runs_a_row) * LANES, images);
}

} // namespace radgs
