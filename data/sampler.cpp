#include "data/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace limber {
namespace {

// Every sample once, in order or shuffled anew each epoch.
class DefaultSampler : public Sampler {
 public:
  DefaultSampler(const Config& config, int64_t n) : n_(n) {
    if (config.is_null()) return;
    shuffle_ = config.get<bool>("shuffle", true);
    config.find("round_up");  // matters with several processes only
    if (config.has("seed")) seed_ = config.get<int64_t>("seed");
  }
  std::vector<int64_t> epoch(uint64_t seed, int64_t epoch) const override {
    Random random(
        mix_seed(mix_seed(seed_ >= 0 ? uint64_t(seed_) : seed, "sampler"), uint64_t(epoch)));
    if (shuffle_) return permutation(n_, random);
    std::vector<int64_t> order(static_cast<size_t>(n_));
    std::iota(order.begin(), order.end(), 0);
    return order;
  }
  int64_t size() const override { return n_; }

 private:
  int64_t n_, seed_ = -1;
  bool shuffle_ = false;
};

// Each batch holds fixed numbers of samples of each source, taken from endless shuffled streams.
class MultiSourceSampler : public Sampler {
 public:
  MultiSourceSampler(const Config& config, const Dataset& dataset, int64_t batch_size)
      : sizes_(dataset.source_sizes()) {
    batch_ = config.get<int64_t>("batch_size", batch_size);
    auto ratio = config.get<std::vector<double>>("source_ratio");
    shuffle_ = config.get<bool>("shuffle", true);
    config.find("round_up");
    config.find("seed");
    if (ratio.size() != sizes_.size())
      config.fail("source_ratio has ", ratio.size(), " numbers, the data set ", sizes_.size(),
                  " sources");
    const double total = std::accumulate(ratio.begin(), ratio.end(), 0.0);
    check_input(total > 0 && batch_ > 0, config.where(),
                ": ratios and batch size must be positive");
    int64_t left = batch_;
    for (double r : ratio) {
      shares_.push_back(std::min(left, int64_t(std::nearbyint(double(batch_) * r / total))));
      left -= shares_.back();
    }
    shares_[0] += left;
    for (size_t i = 0; i < sizes_.size(); ++i)
      check_input(shares_[i] == 0 || sizes_[i] > 0, config.where(), ": source ", i, " is empty");
    size_ = std::max<int64_t>(1, (dataset.size() + batch_ - 1) / batch_) * batch_;
  }
  std::vector<int64_t> epoch(uint64_t seed, int64_t epoch) const override {
    Random random(mix_seed(mix_seed(seed, "sampler"), uint64_t(epoch)));
    std::vector<std::vector<int64_t>> streams(sizes_.size());
    std::vector<size_t> at(sizes_.size(), 0);
    std::vector<int64_t> order;
    while (int64_t(order.size()) < size_) {
      int64_t first = 0;
      for (size_t s = 0; s < sizes_.size(); first += sizes_[s++])
        for (int64_t i = 0; i < shares_[s]; ++i) {
          if (at[s] == streams[s].size()) {
            at[s] = 0;
            streams[s].resize(size_t(sizes_[s]));
            std::iota(streams[s].begin(), streams[s].end(), 0);
            if (shuffle_) streams[s] = permutation(sizes_[s], random);
          }
          order.push_back(first + streams[s][at[s]++]);
        }
    }
    return order;
  }
  int64_t size() const override { return size_; }

 private:
  std::vector<int64_t> sizes_, shares_;
  int64_t batch_, size_;
  bool shuffle_;
};

}  // namespace

std::vector<int64_t> permutation(int64_t n, Random& random) {
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (int64_t i = n - 1; i > 0; --i)
    std::swap(order[size_t(i)], order[size_t(random.integer(0, i + 1))]);
  return order;
}

std::unique_ptr<Sampler> make_sampler(const Config& config, const Dataset& dataset,
                                      int64_t batch_size) {
  if (config.is_null()) return std::make_unique<DefaultSampler>(config, dataset.size());
  const std::string type = config.type();
  std::unique_ptr<Sampler> sampler;
  // An infinite stream cut into epochs is a default sampler whose epochs follow each other.
  if (type == "DefaultSampler" || type == "InfiniteSampler")
    sampler = std::make_unique<DefaultSampler>(config, dataset.size());
  else if (type == "MultiSourceSampler")
    sampler = std::make_unique<MultiSourceSampler>(config, dataset, batch_size);
  else
    config.fail("no sampler \"", type, "\"",
                did_you_mean(type, {"DefaultSampler", "InfiniteSampler", "MultiSourceSampler"}));
  config.expect_all_read();
  return sampler;
}

}  // namespace limber
