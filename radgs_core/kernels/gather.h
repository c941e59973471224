// Loads from a place of its own for each lane.
#pragma once
#include "lanes.h"

namespace radgs {

RADGS IntLanes choose(Mask mask, IntLanes yes, IntLanes no) { return mask ? yes : no; }

// first = from[index], second = from[index + 1].
RADGS void load_pairs(const float* from, IntLanes index, Lanes& first, Lanes& second)
{
#ifdef __CUDACC__
    first = from[index];
    second = from[index + 1];
#elif defined(__AVX512F__)
    // one load of 8 bytes for both
    static_assert(LANES == 16, "");
    typedef double Pairs __attribute__((ext_vector_type(8)));
    typedef int Indices __attribute__((ext_vector_type(8)));
    const Indices low = index.lo, high = index.hi;
    const unsigned char all = 0xff;
    const Pairs none = 0.0;
    const Pairs a = __builtin_ia32_gathersiv8df(none, from, low, all, sizeof(float));
    const Pairs b = __builtin_ia32_gathersiv8df(none, from, high, all, sizeof(float));
    const Lanes c = __builtin_bit_cast(Lanes, a), d = __builtin_bit_cast(Lanes, b);
    first = __builtin_shufflevector(c, d, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    second = __builtin_shufflevector(c, d, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
#else
    for (int i = 0; i < LANES; i++) {
        first[i] = from[index[i]];
        second[i] = from[index[i] + 1];
    }
#endif
}

} // namespace radgs
