// Pose derivatives cut into tasks, each a group of Gaussians in one view. Layouts: pose_derivatives.py.
#pragma once
#include "pose_derivatives.h"
#include "rasterizer_tasks.h"

namespace radgs {

// Projects a group, and finds the box of pixels that it covers: first and last row, first and last column; empty where
// last < first.
RADGS void project_group_task(const float* means, const float* scales, const float* quaternions, const float* densities,
    const int* group_of, const double* T_camera_group, const int* ends, const double* cameras, const double* twist_axes,
    const double* twist_origins, float cutoff, float* footprints, float* polynomials, int* boxes, int task)
{
    const Camera camera = camera_of(cameras, 0);
    const int begin = task ? ends[task - 1] : 0, end = ends[task];
    const Gaussians g {means, scales, quaternions, densities, group_of, T_camera_group, end};
    const TwistFrame frame {twist_axes, twist_origins + 3 * task};
    Footprint* const out = reinterpret_cast<Footprint*>(footprints);
    float box[4] = {float(camera.height), -1.0f, float(camera.width), -1.0f};
    for (int first = begin; first < end; first += LANES) {
        project_block(g, camera, cutoff, first, out);
        project_derivatives(g, camera, frame, first, end, reinterpret_cast<Polynomials*>(polynomials));
        for (int i = first; i < first + LANES && i < end; i++) {
            const Footprint& f = out[i];
            if (f.last_row < f.first_row)
                continue;
            box[0] = f.first_row < box[0] ? f.first_row : box[0];
            box[1] = f.last_row > box[1] ? f.last_row : box[1];
            box[2] = f.first_column < box[2] ? f.first_column : box[2];
            box[3] = f.last_column > box[3] ? f.last_column : box[3];
        }
    }
    for (int k = 0; k < 4; k++)
        boxes[4 * task + k] = int(box[k]);
}

// Draws a group into its planes: (CHANNELS, height, width) at `offset`, whose first pixel is (top, left) of the image.
// The planes must be wide enough for runs of pixels that end beyond the box.
RADGS void draw_group_task(const float* footprints, const float* polynomials, const int* ends, const double* cameras,
    float cutoff, const int* placements, const Offset* offsets, float* images, int task)
{
    const Camera camera = camera_of(cameras, 0);
    const int top = placements[4 * task], left = placements[4 * task + 1];
    const int height = placements[4 * task + 2], width = placements[4 * task + 3];
    float* const image = images + offsets[task];
    const int begin = task ? ends[task - 1] : 0, plane = height * width;
    for (int i = begin; i < ends[task]; i++) {
        const Footprint f = reinterpret_cast<const Footprint*>(footprints)[i];
        const Polynomials p = reinterpret_cast<const Polynomials*>(polynomials)[i];
        DerivativeDrawing drawing {f, p, image - (top * width + left), width, plane, {}, {}};
        visit_pixels(f, 0, camera.height, cutoff, drawing);
    }
    for (int channel = 0; channel < CHANNELS; channel++)
        for (int row = 0; row < height; row++) {
            float* line = image + channel * plane + row * width;
            scale_row(camera, top + row, left, line, line, width);
            for (int column = camera.width - left; column < width; column++)
                line[column] = 0.0f; // a run of pixels ended beyond the border
        }
}

} // namespace radgs
