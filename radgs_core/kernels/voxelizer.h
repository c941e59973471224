// Drawing of ellipsoids into a volume, and its adjoint.
#pragma once
#include "rows.h"

namespace radgs {

RADGS bool crosses(const Ellipsoid& e, int begin, int end) { return e.first_plane < end && e.last_plane >= begin; }

RADGS Offset offset_of(const Grid& grid, const Window& w, const Row& r)
{
    return (Offset(w.plane) * grid.rows + r.row) * grid.columns + w.column;
}

// Adds ellipsoids first..last - 1 to planes begin..end - 1 of a volume.
RADGS void draw(const Ellipsoid* ellipsoids, int first, int last, const Grid& grid, int begin, int end, float cutoff, float* volume)
{
    for (int i = first; i < last; i++) {
        if (!crosses(ellipsoids[i], begin, end))
            continue;
        const Profile p(ellipsoids[i], cutoff);
        const Lanes density = lanes(p.e.density);
        for_windows(p.e, cutoff, grid, begin, end, [&](const Window& w) {
            for_runs(p, w, [&](const Run& run) {
                for_rows(p, run, [&](int, const Row& above, const Row& below) {
                    accumulate(volume + offset_of(grid, w, above), density, above.value);
                    accumulate(volume + offset_of(grid, w, below), density, below.value);
                });
            });
        });
    }
}

// Adds, for what planes begin..end - 1 see of ellipsoids first..last - 1, the sums of g 2^-q times 1, x, y, z, xx, xy, xz,
// yy, yz, zz, where g is the gradient by a voxel; (VOXEL_MOMENTS, count) in memory.
RADGS void draw_adjoint(const Ellipsoid* ellipsoids, int first, int last, const Grid& grid, int begin, int end, float cutoff,
    const float* gradient, float* moments, int count)
{
    for (int i = first; i < last; i++) {
        if (!crosses(ellipsoids[i], begin, end))
            continue;
        const Profile p(ellipsoids[i], cutoff);
        Lanes sums[VOXEL_MOMENTS];
        for (int k = 0; k < VOXEL_MOMENTS; k++)
            sums[k] = lanes(0.0f);
        for_windows(p.e, cutoff, grid, begin, end, [&](const Window& w) {
            Lanes s = lanes(0.0f), s_y = lanes(0.0f), s_yy = lanes(0.0f);
            for_runs(p, w, [&](const Run& run) {
                Lanes t = lanes(0.0f), t_y = lanes(0.0f), t_yy = lanes(0.0f); // about run.y
                for_rows(p, run, [&](int n, const Row& above, const Row& below) {
                    const Lanes a = load(gradient + offset_of(grid, w, above)) * above.value;
                    const Lanes b = load(gradient + offset_of(grid, w, below)) * below.value, both = a + b;
                    t += both;
                    t_y += (a - b) * p.half[n];
                    t_yy += both * p.half2[n];
                });
                s += t;
                s_y += run.y * t + t_y;
                s_yy += (run.y * t + 2.0f * t_y) * run.y + t_yy;
            });
            const Lanes x = columns_of(p.e, w), s_x = s * x;
            sums[0] += s;
            sums[1] += s_x;
            sums[2] += s_y;
            sums[3] += s * w.z;
            sums[4] += s_x * x;
            sums[5] += s_y * x;
            sums[6] += s_x * w.z;
            sums[7] += s_yy;
            sums[8] += s_y * w.z;
            sums[9] += s * (w.z * w.z);
        });
        for (int k = 0; k < VOXEL_MOMENTS; k++)
            moments[k * count + i] += total(sums[k]);
    }
}

} // namespace radgs
