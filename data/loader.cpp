#include "data/loader.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace limber {

// Slots are a window over the epoch's samples: threads fill them in any order, next() empties them
// batch by batch. `generation` tells threads that what they work on has been given up.
struct Loader::Shared {
  struct Slot {
    std::optional<DataSample> sample;
    std::exception_ptr error;
    bool done = false;
  };
  std::mutex mutex;
  std::condition_variable work_or_stop, slot_done;
  std::deque<Slot> window;                 // of positions [begin, begin + window.size())
  size_t begin = 0, taken = 0, limit = 0;  // taken: first position no thread has begun
  int64_t generation = 0;
  bool stop = false;
  int busy = 0;
  std::vector<std::thread> threads;
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, std::unique_ptr<Sampler> sampler,
               const LoaderOptions& options)
    : dataset_(std::move(dataset)),
      sampler_(std::move(sampler)),
      options_(options),
      shared_(std::make_unique<Shared>()) {
  check_input(options_.batch_size > 0, "loader: batch_size must be positive");
  check_input(options_.threads >= 0 && options_.prefetch > 0,
              "loader: needs num_workers >= 0 and prefetch_factor > 0");
  for (int i = 0; i < options_.threads; ++i) shared_->threads.emplace_back([this] { work(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(shared_->mutex);
    shared_->stop = true;
  }
  shared_->work_or_stop.notify_all();
  for (std::thread& thread : shared_->threads) thread.join();
}

int64_t Loader::batches() const {
  const int64_t n = sampler_->size(), b = options_.batch_size;
  return options_.drop_last ? n / b : (n + b - 1) / b;
}

size_t Loader::batch_end(size_t batch) const {
  return std::min(order_.size(), (batch + 1) * size_t(options_.batch_size));
}

DataSample Loader::make(size_t position) const {
  const int64_t index = order_[position];
  // The position takes part, so that a sample met twice in an epoch is not the same twice.
  Random random(mix_seed(mix_seed(epoch_seed_, uint64_t(index)), uint64_t(position)));
  return dataset_->get(index, random);
}

void Loader::start(int64_t epoch, int64_t first) {
  check(first >= 0, "loader: cannot start at batch ", first);
  Shared& s = *shared_;
  std::unique_lock lock(s.mutex);
  ++s.generation;
  s.taken = s.limit = 0;  // nothing to begin while the order changes
  s.slot_done.wait(lock, [&] { return s.busy == 0; });
  order_ = sampler_->epoch(options_.seed, epoch);
  order_.resize(std::min(order_.size(), size_t(batches() * options_.batch_size)));
  epoch_seed_ = mix_seed(options_.seed, uint64_t(epoch));
  next_batch_ = size_t(first);
  s.begin = s.taken = std::min(order_.size(), next_batch_ * size_t(options_.batch_size));
  s.window.clear();
  const size_t ahead = size_t(options_.batch_size) * size_t(options_.prefetch) *
                       size_t(std::max(options_.threads, 1));
  s.window.resize(std::min(ahead, order_.size() - s.begin));
  s.limit = s.begin + s.window.size();
  lock.unlock();
  s.work_or_stop.notify_all();
}

void Loader::work() {
  Shared& s = *shared_;
  std::unique_lock lock(s.mutex);
  while (true) {
    s.work_or_stop.wait(lock, [&] { return s.stop || s.taken < s.limit; });
    if (s.stop) return;
    const size_t position = s.taken++;
    const int64_t generation = s.generation;
    ++s.busy;
    lock.unlock();
    Shared::Slot slot;
    try {
      slot.sample = make(position);
    } catch (...) {
      slot.error = std::current_exception();
    }
    slot.done = true;
    lock.lock();
    --s.busy;
    if (generation == s.generation) s.window[position - s.begin] = std::move(slot);
    s.slot_done.notify_all();
  }
}

std::optional<std::vector<DataSample>> Loader::next() {
  if (int64_t(next_batch_) >= batches() || order_.empty()) return std::nullopt;
  const size_t begin = next_batch_ * size_t(options_.batch_size), end = batch_end(next_batch_);
  ++next_batch_;
  std::vector<DataSample> batch;
  const auto started = std::chrono::steady_clock::now();
  const auto waited = [&] {
    wait_seconds_ +=
        std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  };
  if (options_.threads == 0) {
    for (size_t i = begin; i < end; ++i) batch.push_back(make(i));
    waited();
    return batch;
  }
  Shared& s = *shared_;
  std::unique_lock lock(s.mutex);
  for (size_t i = begin; i < end; ++i) {
    s.slot_done.wait(lock, [&] { return s.window.front().done; });
    Shared::Slot slot = std::move(s.window.front());
    s.window.pop_front();
    ++s.begin;
    if (s.begin + s.window.size() < order_.size()) s.window.emplace_back();
    s.limit = s.begin + s.window.size();
    s.work_or_stop.notify_one();
    if (slot.error != nullptr) {
      // The rest of the epoch is given up; start() begins anew.
      next_batch_ = size_t(batches());
      std::rethrow_exception(slot.error);
    }
    batch.push_back(std::move(*slot.sample));
  }
  lock.unlock();
  waited();
  return batch;
}

std::unique_ptr<Loader> make_loader(const Config& config, uint64_t seed) {
  LoaderOptions options;
  options.batch_size = config.get<int64_t>("batch_size", 1);
  options.threads = config.get<int>("num_workers", 2);
  options.prefetch = config.get<int>("prefetch_factor", 2);
  options.drop_last = config.get<bool>("drop_last", false);
  options.seed = seed;
  for (const char* key : {"persistent_workers", "pin_memory", "collate_fn", "batch_sampler"})
    if (const Config ignored = config.find(key); !ignored.is_null()) ignored.ignore();
  std::shared_ptr<const Dataset> dataset = make_dataset(config.at("dataset"));
  std::unique_ptr<Sampler> sampler =
      make_sampler(config.find("sampler"), *dataset, options.batch_size);
  config.expect_all_read();
  check_input(dataset->size() > 0, config.where(), ": the data set has no usable sample");
  return std::make_unique<Loader>(std::move(dataset), std::move(sampler), options);
}

}  // namespace limber
