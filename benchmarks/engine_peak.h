// Loops that do nothing but what limits drawing. Follows lanes.h in the same source.
namespace radgs {

constexpr int CHAINS = 12; // of dependent multiply-adds: more than are under way at a time

RADGS void multiply_and_add_task(float* values, int repetitions, int)
{
    Lanes sums[CHAINS];
    for (int k = 0; k < CHAINS; k++)
        sums[k] = load(values + LANES * k);
    const Lanes factor = load(values), more = factor * 0.5f;
    for (int i = 0; i < repetitions; i++)
        for (int k = 0; k < CHAINS; k++)
            sums[k] = sums[k] * factor + more;
    for (int k = 0; k < CHAINS; k++)
        store(values + LANES * k, sums[k]);
}

RADGS void update_task(float* image, int count, int repetitions, int)
{
    const Lanes gain = lanes(0.5f), value = numbered();
    for (int k = 0; k < repetitions; k++)
        for (int i = 0; i < count; i += LANES)
            accumulate(image + i, gain, value);
}

} // namespace radgs
