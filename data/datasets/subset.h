// The `indices` of a data set's config: which of its samples are used.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "pose/config/config.h"

namespace limber {

// A number n keeps the first n items, or the last -n; a list keeps those; null keeps all.
template <class Item>
void take_subset(std::vector<Item>& items, const Config& indices) {
  if (indices.is_null()) return;
  const int64_t size = int64_t(items.size());
  if (!indices.is_list()) {
    const int64_t n = indices.as<int64_t>();
    if (n >= 0)
      items.resize(size_t(std::min(n, size)));
    else
      items.erase(items.begin(), items.end() - std::min(-n, size));
    return;
  }
  std::vector<Item> kept;
  for (const int64_t i : indices.as<std::vector<int64_t>>()) {
    if (i < 0 || i >= size) indices.fail("no sample ", i, " of ", size);
    kept.push_back(items[size_t(i)]);
  }
  items = std::move(kept);
}

}  // namespace limber
