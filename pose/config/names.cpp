// Suggestions for misspelt names.
#include <algorithm>
#include <cctype>
#include <numeric>

#include "pose/config/config.h"

namespace limber {
namespace {

// Edit distance with transpositions of neighbours (optimal string alignment), letter case ignored.
size_t edit_distance(std::string_view a, std::string_view b) {
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  };
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t(0));
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + !same(a[i - 1], b[j - 1])});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

bool extends(std::string_view longer, std::string_view shorter) {
  return longer.starts_with(shorter);
}

}  // namespace

std::string nearest_name(std::string_view name, const std::vector<std::string>& candidates) {
  std::string best;
  size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    const size_t length = std::max(name.size(), candidate.size());
    const size_t distance = edit_distance(name, candidate);
    if (distance > (length + 1) / 3) continue;
    const bool nearer = best.empty() || distance < best_distance;
    // Of two at one distance the one that the name merely extends or cuts short: ResNett is ResNet,
    // not ResNeSt.
    const bool tie = !nearer && distance == best_distance && !extends(name, best) &&
                     !extends(best, name) && (extends(name, candidate) || extends(candidate, name));
    if (!nearer && !tie) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  if (candidates.empty()) return "";
  const std::string near = nearest_name(name, candidates);
  std::string text = near.empty() ? "" : ", did you mean \"" + near + "\"?";
  text += " (known: ";
  for (size_t i = 0; i < candidates.size(); ++i) text += (i ? ", " : "") + candidates[i];
  return text + ")";
}

}  // namespace limber
