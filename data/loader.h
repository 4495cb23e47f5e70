// Batches of packed samples, prepared ahead by threads. What a batch holds depends on the seed and
// the epoch alone, never on the number of threads or on timing: every sample draws from a
// generator of its own.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "data/dataset.h"
#include "data/sampler.h"

namespace limber {

struct LoaderOptions {
  int64_t batch_size = 1;
  int threads = 2;   // 0: samples are made by whoever asks
  int prefetch = 2;  // batches made ahead per thread
  bool drop_last = false;
  uint64_t seed = 0;
};

class Loader {
 public:
  Loader(std::shared_ptr<const Dataset> dataset, std::unique_ptr<Sampler> sampler,
         const LoaderOptions& options);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  int64_t batches() const;  // per epoch
  const Dataset& dataset() const { return *dataset_; }
  // Begins epoch `epoch` at batch `first`; unread batches of the epoch before are given up.
  void start(int64_t epoch, int64_t first = 0);
  // The next batch in order, nothing at the epoch's end. Throws what a sample's making threw.
  std::optional<std::vector<DataSample>> next();
  // Seconds that next() has spent waiting since the loader was made.
  double wait_seconds() const { return wait_seconds_; }

 private:
  struct Shared;
  void work();
  DataSample make(size_t position) const;
  size_t batch_end(size_t batch) const;

  std::shared_ptr<const Dataset> dataset_;
  std::unique_ptr<Sampler> sampler_;
  LoaderOptions options_;
  std::vector<int64_t> order_;  // of the running epoch
  uint64_t epoch_seed_ = 0;
  size_t next_batch_ = 0;
  double wait_seconds_ = 0;
  std::unique_ptr<Shared> shared_;
};

// A `*_dataloader` node: dataset, sampler, batch_size, num_workers, drop_last, prefetch_factor.
// `seed` is the run's.
std::unique_ptr<Loader> make_loader(const Config& config, uint64_t seed);

}  // namespace limber
