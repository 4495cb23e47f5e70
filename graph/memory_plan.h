// Where the values of a graph lie: offsets in one arena, such that values that are alive at the
// same time do not overlap.
#pragma once

#include <span>

#include "graph/graph.h"

namespace limber {

// Bytes in use from one step to another, both included.
struct Lifetime {
  int64_t bytes;
  int first, last;
};

struct Placement {
  std::vector<int64_t> offsets;  // one per lifetime, multiples of kArenaAlignment
  int64_t bytes = 0;             // of the arena
};

constexpr int64_t kArenaAlignment = 64;

// Greedy by size: the largest first, each at the lowest offset that is free for all of its life.
// Pisarchyk and Lee 2020, arXiv 2001.03288.
Placement place(std::span<const Lifetime> lifetimes);

struct MemoryPlan {
  // Per value: bytes from the arena's begin; -1 for what does not lie there: constants, and values
  // of other types than f32, which are few and small (positions).
  std::vector<int64_t> offsets;
  int64_t bytes = 0;  // of the arena
  int in_place = 0;   // nodes that write over an input
};

// Views lie in their source, and element-wise nodes (and the sums in epilogues) write over an input
// that nobody reads afterwards. Inputs of the graph keep their numbers through a run, outputs until
// the next.
MemoryPlan plan_memory(const Graph& graph);

}  // namespace limber
