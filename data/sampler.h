// The order in which a loader visits a data set. Orders depend on the seed and the epoch alone.
#pragma once

#include <memory>
#include <vector>

#include "data/dataset.h"

namespace limber {

struct Sampler {
  virtual ~Sampler() = default;
  // Indices of one epoch; of an infinite sampler, as many as make `size()`.
  virtual std::vector<int64_t> epoch(uint64_t seed, int64_t epoch) const = 0;
  virtual int64_t size() const = 0;
};

// By config["type"]; null config: DefaultSampler without shuffling. `batch_size` is the loader's.
std::unique_ptr<Sampler> make_sampler(const Config& config, const Dataset& dataset,
                                      int64_t batch_size);

// 0 .. n-1 in random order (Fisher and Yates).
std::vector<int64_t> permutation(int64_t n, Random& random);

}  // namespace limber
