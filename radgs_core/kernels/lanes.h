// A number for each of several neighbouring pixels (or voxels, or Gaussians), and what the kernels do with it.
//
// On the CPU it is a vector of the processor; on CUDA, where neighbours are other threads, it is a plain number. Code
// written with these names is the same for both.
#pragma once

#ifdef __CUDACC__
#define RADGS __device__ inline
#else
#define RADGS inline __attribute__((always_inline))
#endif

namespace radgs {

using Offset = wp::int64; // into memory that may hold more than 2^31 numbers

// Where a share of a whole begins; it ends where the next one begins.
RADGS int begin_of(int share, int shares, int whole) { return int(Offset(whole) * share / shares); }

#ifdef __CUDACC__

constexpr int LANES = 1;
using Lanes = float;
using DoubleLanes = double;
using IntLanes = int;
using Mask = bool;
using DoubleMask = bool;

RADGS Lanes numbered() { return 0.0f; }
RADGS Lanes lanes(float x) { return x; }
RADGS DoubleLanes double_lanes(double x) { return x; }
RADGS float lane(Lanes x, int) { return x; }
RADGS double lane(DoubleLanes x, int) { return x; }
RADGS int lane(IntLanes x, int) { return x; }
RADGS Lanes to_float(IntLanes x) { return float(x); }
RADGS Lanes to_float(DoubleLanes x) { return float(x); }
RADGS DoubleLanes to_double(Lanes x) { return double(x); }
RADGS IntLanes to_int(Lanes x) { return int(x); }
RADGS Lanes bits_of(IntLanes x) { return __int_as_float(x); }
RADGS IntLanes bits_in(Lanes x) { return __float_as_int(x); }
RADGS Lanes square_root(Lanes x) { return sqrtf(x); }
RADGS Lanes absolute(Lanes x) { return fabsf(x); }
RADGS Lanes round_down(Lanes x) { return floorf(x); }
RADGS Lanes round_up(Lanes x) { return ceilf(x); }
RADGS Lanes smaller(Lanes a, Lanes b) { return fminf(a, b); }
RADGS Lanes larger(Lanes a, Lanes b) { return fmaxf(a, b); }
RADGS Lanes choose(Mask mask, Lanes yes, Lanes no) { return mask ? yes : no; }
RADGS DoubleLanes choose(DoubleMask mask, DoubleLanes yes, DoubleLanes no) { return mask ? yes : no; }
RADGS float total(Lanes x) { return x; }
RADGS double total(DoubleLanes x) { return x; }
RADGS Lanes load(const float* from) { return *from; }
RADGS void store(float* to, Lanes x) { *to = x; }
RADGS void store(int* to, IntLanes x) { *to = x; }
RADGS void set_lane(Lanes& x, int, float value) { x = value; }
RADGS void set_lane(DoubleLanes& x, int, double value) { x = value; }
// adds a * b; other threads add to the same numbers
RADGS void accumulate(float* to, Lanes a, Lanes b) { atomicAdd(to, a * b); }
RADGS Lanes load_first(const float* from, int) { return *from; }
RADGS void store_first(float* to, Lanes x, int) { *to = x; }

#else

constexpr int LANES = 16;
typedef float Lanes __attribute__((ext_vector_type(LANES)));
typedef double DoubleLanes __attribute__((ext_vector_type(LANES)));
typedef int IntLanes __attribute__((ext_vector_type(LANES)));
typedef IntLanes Mask;
typedef decltype(DoubleLanes() != DoubleLanes()) DoubleMask;
typedef bool LaneMask __attribute__((ext_vector_type(LANES)));
typedef float UnalignedLanes __attribute__((ext_vector_type(LANES), aligned(4)));
typedef int UnalignedIntLanes __attribute__((ext_vector_type(LANES), aligned(4)));

RADGS Lanes numbered() { return Lanes {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}; }
RADGS Lanes lanes(float x) { return Lanes(x); }
RADGS DoubleLanes double_lanes(double x) { return DoubleLanes(x); }
RADGS float lane(Lanes x, int i) { return x[i]; }
RADGS double lane(DoubleLanes x, int i) { return x[i]; }
RADGS int lane(IntLanes x, int i) { return x[i]; }
RADGS Lanes to_float(IntLanes x) { return __builtin_convertvector(x, Lanes); }
RADGS Lanes to_float(DoubleLanes x) { return __builtin_convertvector(x, Lanes); }
RADGS DoubleLanes to_double(Lanes x) { return __builtin_convertvector(x, DoubleLanes); }
RADGS IntLanes to_int(Lanes x) { return __builtin_convertvector(x, IntLanes); }
RADGS Lanes bits_of(IntLanes x) { return __builtin_bit_cast(Lanes, x); }
RADGS IntLanes bits_in(Lanes x) { return __builtin_bit_cast(IntLanes, x); }
RADGS Lanes square_root(Lanes x) { return __builtin_elementwise_sqrt(x); }
RADGS Lanes absolute(Lanes x) { return __builtin_elementwise_abs(x); }
RADGS Lanes round_down(Lanes x) { return __builtin_elementwise_floor(x); }
RADGS Lanes round_up(Lanes x) { return __builtin_elementwise_ceil(x); }
RADGS Lanes smaller(Lanes a, Lanes b) { return __builtin_elementwise_min(a, b); }
RADGS Lanes larger(Lanes a, Lanes b) { return __builtin_elementwise_max(a, b); }
RADGS Lanes choose(Mask mask, Lanes yes, Lanes no) { return mask ? yes : no; }
RADGS DoubleLanes choose(DoubleMask mask, DoubleLanes yes, DoubleLanes no) { return mask ? yes : no; }
RADGS float total(Lanes x)
{
    auto a = x.lo + x.hi;
    auto b = a.lo + a.hi;
    auto c = b.lo + b.hi;
    return c.x + c.y;
}
RADGS double total(DoubleLanes x)
{
    auto a = x.lo + x.hi;
    auto b = a.lo + a.hi;
    auto c = b.lo + b.hi;
    return c.x + c.y;
}
RADGS Lanes load(const float* from) { return *reinterpret_cast<const UnalignedLanes*>(from); }
RADGS void store(float* to, Lanes x) { *reinterpret_cast<UnalignedLanes*>(to) = x; }
RADGS void store(int* to, IntLanes x) { *reinterpret_cast<UnalignedIntLanes*>(to) = x; }
RADGS void set_lane(Lanes& x, int i, float value) { x[i] = value; }
RADGS void set_lane(DoubleLanes& x, int i, double value) { x[i] = value; }
RADGS void accumulate(float* to, Lanes a, Lanes b) { store(to, __builtin_elementwise_fma(a, b, load(to))); }
// the first lanes, at least one; the others are 0, and memory beyond is not touched
RADGS Lanes load_first(const float* from, int count)
{
    if (count >= LANES)
        return load(from);
    return __builtin_masked_load(__builtin_convertvector(numbered() < float(count), LaneMask), from, lanes(0.0f));
}
RADGS void store_first(float* to, Lanes x, int count)
{
    if (count >= LANES)
        return store(to, x);
    __builtin_masked_store(__builtin_convertvector(numbered() < float(count), LaneMask), x, to);
}

#endif

// 2^x for -126 < x <= 0, relative error below 2e-7; compilers do not vectorise expf. Adding 1.5 * 2^23 rounds to a whole
// number, which the sum's lowest bits hold: shifted, they are an exponent.
RADGS Lanes power_of_two(Lanes x)
{
    const Lanes sum = x + 12582912.0f;
    const Lanes f = x - (sum - 12582912.0f);
    Lanes p = lanes(1.327647203e-3f);
    p = p * f + 9.675541480e-3f;
    p = p * f + 5.550713275e-2f;
    p = p * f + 2.402211972e-1f;
    p = p * f + 6.931469671e-1f;
    p = p * f + 1.0f;
    return bits_of(bits_in(p) + (bits_in(sum) << 23));
}

// 1 / sqrt(1 + e) for |e| < 0.02, relative error below 7e-7: most footprints at a distance of 700 mm.
struct InverseRootVeryNearOne {
    RADGS Lanes operator()(Lanes e) const { return (0.3751055f * e - 0.50009376f) * e + 1.0f; }
};

// The same for |e| < 0.06, relative error below 5e-7.
struct InverseRootNearOne {
    RADGS Lanes operator()(Lanes e) const { return ((-0.31358624f * e + 0.3759871f) * e - 0.49999907f) * e + 0.99999958f; }
};

// The same for e > -1.
struct InverseRoot {
    RADGS Lanes operator()(Lanes e) const { return 1.0f / square_root(1.0f + e); }
};

} // namespace radgs
