// Placement and in-place decisions, on random lives and on random graphs.
#include "graph/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "graph/plan.h"
#include "graph/tracer.h"
#include "tensor/ops.h"
#include "tests/support/tensors.h"

namespace limber::test {
namespace {

TEST(Placement, LivesThatMeetDoNotOverlap) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    const int steps = 1 + int(random() % 40);
    std::vector<Lifetime> lives(1 + random() % 60);
    int64_t total = 0;
    for (Lifetime& life : lives) {
      life.bytes = int64_t(random() % 5000);
      life.first = int(random() % unsigned(steps));
      life.last = life.first + int(random() % unsigned(steps));
      total += life.bytes + kArenaAlignment;
    }
    const Placement placed = place(lives);
    std::vector<int64_t> live_at(size_t(2 * steps), 0);
    for (size_t i = 0; i < lives.size(); ++i) {
      const Lifetime& a = lives[i];
      EXPECT_EQ(placed.offsets[i] % kArenaAlignment, 0);
      EXPECT_LE(placed.offsets[i] + a.bytes, placed.bytes);
      for (int s = a.first; s <= a.last; ++s) live_at[size_t(s)] += a.bytes;
      for (size_t j = 0; j < i; ++j) {
        const Lifetime& b = lives[j];
        if (a.last < b.first || b.last < a.first || a.bytes == 0 || b.bytes == 0) continue;
        EXPECT_TRUE(placed.offsets[i] + a.bytes <= placed.offsets[j] ||
                    placed.offsets[j] + b.bytes <= placed.offsets[i])
            << "lives " << i << " and " << j;
      }
    }
    EXPECT_LE(placed.bytes, total);
    EXPECT_GE(placed.bytes, *std::ranges::max_element(live_at));
  }
}

// A chain needs two buffers, not one per step.
TEST(Placement, ReusesWhatDied) {
  std::vector<Lifetime> chain;
  for (int i = 0; i < 20; ++i) chain.push_back({640, i, i + 1});
  EXPECT_EQ(place(chain).bytes, 2 * 640);
}

// Random networks of views, element-wise ops, sums and concatenations: whatever shares memory
// wrongly computes wrong numbers.
NamedTensors random_network(uint32_t seed, const Tensor& input) {
  std::mt19937 random(seed);
  std::vector<Tensor> pool{input};
  const auto pick = [&] { return pool[random() % pool.size()]; };
  const int ops = 5 + int(random() % 30);
  for (int i = 0; i < ops; ++i) {
    const Tensor a = pick(), b = pick();
    switch (random() % 8) {
      case 0:
        pool.push_back(relu(a));
        break;
      case 1:
        pool.push_back(scale(a, 0.5, 0.25));
        break;
      case 2:
        if (a.shape() == b.shape()) pool.push_back(a + b);
        break;
      case 3:
        if (a.shape() == b.shape()) pool.push_back(a * b - a);
        break;
      case 4:
        pool.push_back(reshape(a, {a.numel()}));
        break;
      case 5:
        if (a.size(0) > 1) pool.push_back(slice(a, 0, a.size(0) / 2, a.size(0)));
        break;
      case 6:
        if (a.rank() == 1 && b.rank() == 1 && a.numel() + b.numel() < 3000)
          pool.push_back(concat({a, b}, 0));
        break;
      default:
        pool.push_back(sigmoid(a) + mean(a));
    }
  }
  NamedTensors outputs{{"last", pool.back()}};
  for (int i = 0; i < 2; ++i) outputs.emplace_back("more", pick());
  return outputs;
}

TEST(MemoryPlan, RandomGraphsComputeWhatTheirNetworksDo) {
  int in_place = 0;
  for (uint32_t seed = 0; seed < 150; ++seed) {
    const Network network = [&](std::span<const Tensor> in) { return random_network(seed, in[0]); };
    const Tensor input = uniform({6, 10}, -1, 1, seed);
    Graph graph = trace(network, {&input, 1});
    in_place += plan_memory(graph).in_place;
    const Plan plan(std::move(graph), default_exec());
    for (int run = 0; run < 2; ++run) {
      const Tensor numbers = uniform({6, 10}, -1, 1, 1000 + seed + uint32_t(run));
      Tensor(plan.inputs()[0]).copy_from(numbers);
      plan.run(default_exec());
      EXPECT_EQ(0, std::memcmp(plan.inputs()[0].raw(), numbers.raw(), numbers.bytes()));
      const NamedTensors expected = network({&numbers, 1});
      for (size_t i = 0; i < expected.size(); ++i) {
        const Tensor& got = plan.outputs()[i];
        ASSERT_EQ(got.shape(), expected[i].second.shape());
        EXPECT_EQ(0, std::memcmp(got.raw(), expected[i].second.raw(), got.bytes()))
            << "seed " << seed << ", output " << i;
      }
    }
  }
  EXPECT_GT(in_place, 100);
}

}  // namespace
}  // namespace limber::test
