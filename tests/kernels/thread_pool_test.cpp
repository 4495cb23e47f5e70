#include "kernels/cpu/runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace limber::kernels {
namespace {

TEST(ThreadPool, VisitsEveryIndexOnce) {
  for (int threads : {1, 2, 5}) {
    ThreadPool pool(threads);
    const Exec ex{.pool = &pool};
    for (int64_t n : {0, 1, 4, 5, 1000}) {
      std::vector<int> visits(size_t(n), 0);
      parallel_for(ex, n, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) ++visits[size_t(i)];
      });
      EXPECT_EQ(visits, std::vector<int>(size_t(n), 1)) << threads << " threads, " << n;
    }
  }
}

TEST(ThreadPool, PartsAreNoSmallerThanTheGrain) {
  ThreadPool pool(4);
  std::vector<int64_t> sizes(100, 0);
  parallel_for(Exec{.pool = &pool}, 100, 40,
               [&](int64_t begin, int64_t end) { sizes[size_t(begin)] = end - begin; });
  int64_t total = 0;
  for (int64_t size : sizes) {
    EXPECT_TRUE(size == 0 || size >= 40) << size;
    total += size;
  }
  EXPECT_EQ(total, 100);
}

TEST(ThreadPool, NestedLoopsRunInPlace) {
  ThreadPool pool(3);
  const Exec ex{.pool = &pool};
  std::vector<int> visits(30, 0);
  parallel_for(ex, 3, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      parallel_for(ex, 10, 1, [&](int64_t from, int64_t to) {
        for (int64_t j = from; j < to; ++j) ++visits[size_t(i * 10 + j)];
      });
  });
  EXPECT_EQ(visits, std::vector<int>(30, 1));
}

TEST(ThreadPool, CallersTakeTurns) {
  ThreadPool pool(3);
  const Exec ex{.pool = &pool};
  std::vector<int64_t> sums(4, 0);
  std::vector<std::thread> callers;
  for (size_t c = 0; c < sums.size(); ++c)
    callers.emplace_back([&, c] {
      std::vector<int64_t> values(300);
      for (int round = 0; round < 50; ++round)
        parallel_for(ex, 300, 1, [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) values[size_t(i)] += i;
        });
      for (int64_t v : values) sums[c] += v;
    });
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(sums, std::vector<int64_t>(4, 50 * 299 * 300 / 2));
}

}  // namespace
}  // namespace limber::kernels
