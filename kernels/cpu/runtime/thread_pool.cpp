#include "kernels/cpu/runtime/thread_pool.h"

#include "kernels/shared_scratch.h"

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

// One turn of a waiting loop: tells the processor to leave the core's resources to others.
void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("isb");  // `yield` takes no time on most cores
#endif
}

// Loops follow each other closely: between two of a network there are a few microseconds of
// serial work, while going to sleep and being woken costs 5 to 50 on each side. So threads first
// wait awake, about 50 microseconds, and only then sleep.
constexpr int kTurns = 1000;

template <class Condition>
bool spin_until(const Condition& condition) {
  for (int turn = 0; turn < kTurns; ++turn) {
    if (condition()) return true;
    relax();
  }
  return condition();
}

}  // namespace

// A loop is published in `ticket`: its number and, in the low bits, how many parts it has. A worker
// without a part in it reads nothing else, so the other fields need no lock: they change only after
// every worker with a part has counted `pending` down.
struct ThreadPool::State {
  static constexpr uint64_t kPartBits = 16, kPartMask = (uint64_t{1} << kPartBits) - 1;

  std::vector<std::thread> threads;
  std::mutex callers;  // one parallel loop at a time; a second caller waits
  std::atomic<uint64_t> ticket{0};
  std::atomic<int> pending{0};
  std::atomic<bool> stop{false};
  int64_t n = 0, parts = 0;
  RangeBody body = nullptr;
  void* context = nullptr;

  // For those who sleep. A sleeper counts itself before it looks at what it waits for, whoever
  // changes that looks for sleepers afterwards: one of the two sees the other.
  std::mutex mutex;
  std::condition_variable wake, done;
  std::atomic<int> sleeping{0};
  std::atomic<bool> caller_sleeps{false};

  void rouse() {
    if (sleeping.load() == 0) return;
    { std::lock_guard lock(mutex); }
    wake.notify_all();
  }

  void wait_for_loop(uint64_t seen) {
    const auto changed = [&] { return ticket.load() != seen || stop.load(); };
    if (spin_until(changed)) return;
    std::unique_lock lock(mutex);
    sleeping.fetch_add(1);
    wake.wait(lock, changed);
    sleeping.fetch_sub(1);
  }

  void work(int index) {
    uint64_t seen = 0;
    while (true) {
      wait_for_loop(seen);
      if (stop.load()) return;
      seen = ticket.load();
      if (index >= int64_t(seen & kPartMask)) continue;
      const Part part = part_of(n, parts, index);
      inside_part = true;
      body(context, part.begin, part.end);
      inside_part = false;
      if (pending.fetch_sub(1) == 1 && caller_sleeps.load()) {
        { std::lock_guard lock(mutex); }
        done.notify_one();
      }
    }
  }

  void wait_for_workers() {
    const auto finished = [&] { return pending.load() == 0; };
    if (spin_until(finished)) return;
    std::unique_lock lock(mutex);
    caller_sleeps.store(true);
    done.wait(lock, finished);
    caller_sleeps.store(false);
  }
};

ThreadPool::ThreadPool(int threads) : state_(new State) {
  for (int i = 1; i < threads; ++i) state_->threads.emplace_back([this, i] { state_->work(i); });
}

ThreadPool::~ThreadPool() {
  state_->stop.store(true);
  state_->rouse();
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
  s.n = n;
  s.parts = parts;
  s.body = body;
  s.context = context;
  s.pending.store(static_cast<int>(parts) - 1);
  s.ticket.store((((s.ticket.load() >> State::kPartBits) + 1) << State::kPartBits) |
                 static_cast<uint64_t>(parts));
  s.rouse();
  const Part mine = part_of(n, parts, 0);
  inside_part = true;
  body(context, mine.begin, mine.end);
  inside_part = false;
  s.wait_for_workers();
}
void run_parallel(const Exec& ex, int64_t n, int64_t grain, RangeBody body, void* context) {
  if (ex.pool != nullptr) {
    ex.pool->run(n, grain, body, context);
  } else if (n > 0) {
    body(context, 0, n);
  }
}

int thread_count(const Exec& ex) { return ex.pool != nullptr ? ex.pool->size() : 1; }

namespace {

struct Buffer {
  void* data = nullptr;
  size_t size = 0;
  ~Buffer() { std::free(data); }

  void* hold(size_t bytes) {
    if (bytes > size) {
      std::free(data);
      size = (bytes + 4095) & ~size_t{4095};
      data = std::aligned_alloc(64, size);
      if (data == nullptr) std::abort();
    }
    return data;
  }
};

}  // namespace

void* thread_scratch(size_t bytes) {
  thread_local Buffer buffer;
  return buffer.hold(bytes);
}

void* shared_scratch(size_t bytes) {
  thread_local Buffer buffer;
  return buffer.hold(bytes);
}

}  // namespace limber::kernels
