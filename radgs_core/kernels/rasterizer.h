// Drawing of footprints into line-integral images.
#pragma once
#include "footprint.h"

namespace radgs {

// The footprint in LANES rows of the image, from `row` on: columns first..last, counted from the footprint's first one,
// and the polynomials in dx that the exponent and s - 1 are in each row.
struct Rows {
    float dy[LANES], t1[LANES], t0[LANES], e1[LANES], e0[LANES], dx[LANES]; // dx: of the first column
    int first[LANES], last[LANES];

    RADGS Rows(const Footprint& f, int row, float least_exponent)
    {
        // whole numbers first: the sum must not depend on which row a band begins with
        const Lanes y = f.dy + (numbered() + (float(row) - f.first_row));
        store(dy, y);
        store(t1, 2.0f * f.falloff_xy * y);
        store(t0, f.falloff_yy * y * y);
        store(e1, 2.0f * (f.bend_xy * y + f.slope_x));
        store(e0, y * (2.0f * f.slope_y + f.bend_yy * y));
        // within the cut-off, Q <= cutoff^2 s: a quadratic inequality in the column
        const float a = least_exponent * f.bend_xx - f.falloff_xx;
        const Lanes b = (least_exponent * f.bend_xy - f.falloff_xy) * y + least_exponent * f.slope_x;
        const Lanes c = ((least_exponent * f.bend_yy - f.falloff_yy) * y + 2.0f * least_exponent * f.slope_y) * y + least_exponent;
        const Lanes root = square_root(larger(b * b - a * c, lanes(0.0f)));
        const float inverse_a = 1.0f / a;
        const Lanes width = lanes(f.last_column - f.first_column);
        // each pixel is tested as well: a range may be a little too wide, never too narrow
        const Lanes lowest = round_up((-b - root) * inverse_a - f.dx - 1e-3f);
        const Lanes highest = round_down((root - b) * inverse_a - f.dx + 1e-3f);
        const Lanes begin = smaller(larger(lowest, lanes(0.0f)), width + 1.0f);
        store(dx, begin + f.dx);
        store(first, to_int(begin));
        store(last, to_int(larger(smaller(highest, width), lanes(-1.0f))));
    }
};

// Some neighbouring pixels of a row.
struct Pixels {
    Lanes dx, inverse_s;
    Lanes exponent; // -log2(e) Q / (2 s)
    Lanes value; // exp(-Q / (2 s)) / sqrt(s), 0 beyond the cut-off
};

template <class Root> RADGS Pixels evaluate(const Footprint& f, const Rows& rows, int i, Lanes dx, float least_exponent, Root inverse_root)
{
    Pixels p;
    p.dx = dx;
    const Lanes y = inverse_root((f.bend_xx * dx + rows.e1[i]) * dx + rows.e0[i]);
    p.inverse_s = y * y;
    p.exponent = ((f.falloff_xx * dx + rows.t1[i]) * dx + rows.t0[i]) * p.inverse_s;
    p.value = choose(p.exponent >= least_exponent, y * power_of_two(p.exponent), lanes(0.0f));
    return p;
}

template <class Root, class Visitor>
RADGS void visit_pixels(const Footprint& f, int top, int bottom, float least_exponent, Root inverse_root, Visitor& visitor)
{
    const int first_row = int(f.first_row) > top ? int(f.first_row) : top;
    const int end_row = int(f.last_row) + 1 < bottom ? int(f.last_row) + 1 : bottom;
    for (int block = first_row; block < end_row; block += LANES) {
        const Rows rows(f, block, least_exponent);
        visitor.begin(rows);
        const int in_block = end_row - block < LANES ? end_row - block : LANES;
        for (int i = 0; i < in_block; i++) {
            Lanes dx = numbered() + rows.dx[i];
            for (int column = rows.first[i]; column <= rows.last[i]; column += LANES) {
                visitor.pixels(rows, i, block + i, int(f.first_column) + column, evaluate(f, rows, i, dx, least_exponent, inverse_root));
                dx += float(LANES);
            }
        }
    }
}

// Takes a visitor over all runs of pixels in rows top..bottom - 1: begin(rows) for every LANES rows, then
// pixels(rows, which of them, row of the image, column of the image, Pixels).
template <class Visitor> RADGS void visit_pixels(const Footprint& f, int top, int bottom, float cutoff, Visitor& visitor)
{
    const float least_exponent = -0.5f * LOG2_E * cutoff * cutoff;
    if (f.largest_bend < 0.02f)
        visit_pixels(f, top, bottom, least_exponent, InverseRootVeryNearOne(), visitor);
    else if (f.largest_bend < 0.06f)
        visit_pixels(f, top, bottom, least_exponent, InverseRootNearOne(), visitor);
    else
        visit_pixels(f, top, bottom, least_exponent, InverseRoot(), visitor);
}

struct Drawing {
    float gain;
    float* image;
    int stride;
    RADGS void begin(const Rows&) { }
    RADGS void pixels(const Rows&, int, int row, int column, const Pixels& p)
    {
        accumulate(image + row * stride + column, lanes(gain), p.value);
    }
};

// Adds footprints first..last - 1 to rows top..bottom - 1 of an image whose rows are `stride` floats long: at least
// LANES more than the image is wide, because runs of pixels may end beyond the border.
RADGS void splat(const Footprint* footprints, int first, int last, int top, int bottom, float cutoff, float* image, int stride)
{
    for (int i = first; i < last; i++) {
        const Footprint f = footprints[i];
        Drawing drawing {f.gain, image, stride};
        visit_pixels(f, top, bottom, cutoff, drawing);
    }
}

// What the gradients by a footprint's constants are made of: sums over pixels of the gradient times the derivative of
// value by Q (1..5, times x, y, xx, xy, yy) and by s (6..11, times 1, x, y, xx, xy, yy), and times the value itself (0).
struct Moments {
    const float* gradient;
    int stride;
    Lanes sums[MOMENTS];

    RADGS Moments(const float* gradient, int stride)
        : gradient(gradient)
        , stride(stride)
    {
        for (int k = 0; k < MOMENTS; k++)
            sums[k] = lanes(0.0f);
    }
    RADGS void begin(const Rows&) { }
    RADGS void pixels(const Rows& rows, int i, int row, int column, const Pixels& p)
    {
        const float dy = rows.dy[i];
        const Lanes u = load(gradient + row * stride + column) * p.value;
        const Lanes by_q = -0.5f * u * p.inverse_s;
        const Lanes by_s = by_q * (1.0f + (2.0f / LOG2_E) * p.exponent);
        const Lanes by_q_x = by_q * p.dx, by_s_x = by_s * p.dx;
        const Lanes by_q_y = by_q * dy, by_s_y = by_s * dy;
        sums[0] += u;
        sums[1] += by_q_x;
        sums[2] += by_q_y;
        sums[3] += by_q_x * p.dx;
        sums[4] += by_q_x * dy;
        sums[5] += by_q_y * dy;
        sums[6] += by_s;
        sums[7] += by_s_x;
        sums[8] += by_s_y;
        sums[9] += by_s_x * p.dx;
        sums[10] += by_s_x * dy;
        sums[11] += by_s_y * dy;
    }
};

// Moments of footprints first..last - 1, as (MOMENTS, count) in memory, for a gradient image with padded rows like
// `splat`'s, in which pixels beyond the border are 0.
RADGS void splat_adjoint(const Footprint* footprints, int first, int last, float cutoff, const float* gradient, int stride,
    int height, float* out, int count)
{
    for (int i = first; i < last; i++) {
        const Footprint f = footprints[i];
        Moments moments(gradient, stride);
        visit_pixels(f, 0, height, cutoff, moments);
        for (int k = 0; k < MOMENTS; k++)
            out[k * count + i] = total(moments.sums[k]);
    }
}

// |d|, the length of a pixel's ray per unit of depth.
RADGS Lanes ray_length(const Camera& camera, int row, int column)
{
    const float y = float((double(row) - camera.cy) / camera.fy);
    const float x0 = float((double(column) - camera.cx - camera.skew * y) / camera.fx), step = float(1.0 / camera.fx);
    const Lanes x = numbered() * step + x0;
    return square_root(1.0f + x * x + y * y);
}

// Row of `from`, times |d|, to `to`; `to` may be padded or not.
RADGS void scale_row(const Camera& camera, int row, int column, const float* from, float* to, int width)
{
    int i = 0;
    for (; i + LANES <= width; i += LANES)
        store(to + i, load(from + i) * ray_length(camera, row, column + i));
    for (; i < width; i++)
        to[i] = from[i] * lane(ray_length(camera, row, column + i), 0);
}

} // namespace radgs
