// Rays of neighbouring pixels in the frame of a volume made of layers.
#pragma once
#include "lanes.h"

namespace radgs {

// A volume as `count` layers of `height` rows of `width` voxels, in memory (height, count, width). The first and last
// two rows and columns are zeros.
struct Layers {
    const float* values;
    int width, height, count;
};

// Voxel frame: (column, row, layer). Pixels are (u, v, 1).
struct RayGeometry {
    double voxel_of_pixel[9]; // a ray's direction in voxels from its pixel
    double source[3]; // voxel frame
    double mm_of_pixel[9]; // the same direction in the reference frame
    double voxel_of_mm[9]; // rotation and scale from the reference frame to the voxel frame
    double source_from_centre_mm[3]; // reference frame
};

// Neighbouring rays. Layers are counted from the middle one, where the rays are at (x, y).
struct Rays {
    Lanes x, y, slope_x, slope_y;
    Lanes first, last; // layers within the volume and before the source; last < first where there is none
};

RADGS DoubleLanes of_pixel(const double* row, DoubleLanes u, double v) { return row[0] * u + (row[1] * v + row[2]); }

// Cuts layers first..last to those where low <= x + slope m <= high.
RADGS void keep_between(float low, float high, Lanes x, Lanes slope, Lanes& first, Lanes& last)
{
    const Lanes divisor = choose(absolute(slope) < 1e-12f, lanes(1e-12f), slope);
    const Lanes a = (low - x) / divisor, b = (high - x) / divisor;
    first = larger(first, smaller(a, b));
    last = smaller(last, larger(a, b));
}

// `per_layer` is the ray's depth from layer to layer. Rays beyond the image's border may be anything, and miss.
RADGS Rays rays_of(const Layers& layers, const RayGeometry& g, Lanes column, int row, int image_width, DoubleLanes& per_layer)
{
    const DoubleLanes u = to_double(column);
    per_layer = 1.0 / of_pixel(g.voxel_of_pixel + 6, u, row);
    const DoubleLanes slope_x = of_pixel(g.voxel_of_pixel, u, row) * per_layer;
    const DoubleLanes slope_y = of_pixel(g.voxel_of_pixel + 3, u, row) * per_layer;
    const int middle = layers.count / 2;
    const double source = g.source[2] - middle;
    Rays rays;
    rays.slope_x = to_float(slope_x);
    rays.slope_y = to_float(slope_y);
    rays.x = to_float(g.source[0] - source * slope_x);
    rays.y = to_float(g.source[1] - source * slope_y);
    const Mask forward = to_float(per_layer) > 0.0f;
    const Lanes begin = lanes(float(-middle)), end = lanes(float(layers.count - 1 - middle));
    rays.first = choose(forward, larger(begin, lanes(float(source))), begin);
    rays.last = choose(forward, end, smaller(end, lanes(float(source))));
    // one voxel beyond the outermost ones: there the interpolation has fallen to zero
    keep_between(1.0f, float(layers.width - 2), rays.x, rays.slope_x, rays.first, rays.last);
    keep_between(1.0f, float(layers.height - 2), rays.y, rays.slope_y, rays.first, rays.last);
    rays.first = round_up(rays.first);
    rays.last = round_down(rays.last);
    const Mask hit = (rays.first <= rays.last) & (column < float(image_width));
    const Lanes zero = lanes(0.0f);
    rays.first = choose(hit, rays.first, end);
    rays.last = choose(hit, rays.last, begin - 1.0f);
    rays.x = choose(hit, rays.x, zero);
    rays.y = choose(hit, rays.y, zero);
    rays.slope_x = choose(hit, rays.slope_x, zero);
    rays.slope_y = choose(hit, rays.slope_y, zero);
    return rays;
}

} // namespace radgs
