#include "kernels/cpu/runtime/thread_pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace limber::kernels {
namespace {

// True while this thread runs a part: a kernel that calls parallel_for from inside one gets the
// plain loop.
thread_local bool inside_part = false;

struct Part {
  int64_t begin, end;
};

// Part `index` of `parts` nearly equal pieces of [0, n).
Part part_of(int64_t n, int64_t parts, int64_t index) {
  const int64_t size = n / parts, rest = n % parts;
  const int64_t begin = index * size + std::min(index, rest);
  return {begin, begin + size + (index < rest ? 1 : 0)};
}

}  // namespace

struct ThreadPool::State {
  std::vector<std::thread> threads;
  std::mutex callers;  // one parallel loop at a time; a second caller waits
  std::mutex mutex;
  std::condition_variable wake, done;
  uint64_t generation = 0;  // counts loops; a worker runs when it changes
  bool stop = false;
  int pending = 0;
  int64_t n = 0, parts = 0;
  RangeBody body = nullptr;
  void* context = nullptr;

  void work(int index) {
    uint64_t seen = 0;
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [&] { return stop || generation != seen; });
      if (stop) return;
      seen = generation;
      if (index >= parts) continue;
      const Part part = part_of(n, parts, index);
      const RangeBody run_body = body;
      void* run_context = context;
      lock.unlock();
      inside_part = true;
      run_body(run_context, part.begin, part.end);
      inside_part = false;
      lock.lock();
      if (--pending == 0) done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(int threads) : state_(new State) {
  for (int i = 1; i < threads; ++i) state_->threads.emplace_back([this, i] { state_->work(i); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  delete state_;
}

int ThreadPool::size() const { return static_cast<int>(state_->threads.size()) + 1; }

void ThreadPool::run(int64_t n, int64_t grain, RangeBody body, void* context) {
  if (n <= 0) return;
  const int64_t parts = std::clamp<int64_t>(n / std::max<int64_t>(grain, 1), 1, size());
  if (parts == 1 || inside_part) {
    body(context, 0, n);
    return;
  }
  State& s = *state_;
  std::lock_guard callers(s.callers);
  {
    std::lock_guard lock(s.mutex);
    s.n = n;
    s.parts = parts;
    s.body = body;
    s.context = context;
    s.pending = static_cast<int>(parts) - 1;
    ++s.generation;
  }
  s.wake.notify_all();
  const Part mine = part_of(n, parts, 0);
  inside_part = true;
  body(context, mine.begin, mine.end);
  inside_part = false;
  std::unique_lock lock(s.mutex);
  s.done.wait(lock, [&] { return s.pending == 0; });
}

void run_parallel(const Exec& ex, int64_t n, int64_t grain, RangeBody body, void* context) {
  if (ex.pool != nullptr) {
    ex.pool->run(n, grain, body, context);
  } else if (n > 0) {
    body(context, 0, n);
  }
}

int thread_count(const Exec& ex) { return ex.pool != nullptr ? ex.pool->size() : 1; }

void* thread_scratch(size_t bytes) {
  struct Buffer {
    void* data = nullptr;
    size_t size = 0;
    ~Buffer() { std::free(data); }
  };
  thread_local Buffer buffer;
  if (bytes > buffer.size) {
    std::free(buffer.data);
    buffer.size = (bytes + 4095) & ~size_t{4095};
    buffer.data = std::aligned_alloc(64, buffer.size);
    if (buffer.data == nullptr) std::abort();
  }
  return buffer.data;
}

}  // namespace limber::kernels
