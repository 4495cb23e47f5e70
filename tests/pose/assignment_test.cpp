#include "pose/core/assignment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tensor/error.h"
#include "tensor/random.h"

namespace limber {
namespace {

double total(const std::vector<double>& cost, int64_t columns,
             const std::vector<int64_t>& column_of) {
  double sum = 0;
  for (size_t i = 0; i < column_of.size(); ++i)
    if (column_of[i] >= 0) sum += cost[i * size_t(columns) + size_t(column_of[i])];
  return sum;
}

// The least total over all ways to pair min(rows, columns) of them.
double least_by_trying(const std::vector<double>& cost, int64_t rows, int64_t columns) {
  std::vector<int64_t> order(size_t(std::max(rows, columns)));
  std::iota(order.begin(), order.end(), 0);
  double least = 1e300;
  do {
    double sum = 0;
    for (int64_t i = 0; i < std::min(rows, columns); ++i)
      sum += rows <= columns ? cost[size_t(i * columns + order[size_t(i)])]
                             : cost[size_t(order[size_t(i)] * columns + i)];
    least = std::min(least, sum);
  } while (std::next_permutation(order.begin(), order.end()));
  return least;
}

TEST(Assignment, IsAsCheapAsTheBestOfAllPairings) {
  Random random(1);
  for (const auto& [rows, columns] : {std::pair<int64_t, int64_t>{5, 5}, {3, 6}, {6, 3}, {1, 4}}) {
    for (int round = 0; round < 20; ++round) {
      std::vector<double> cost(size_t(rows * columns));
      for (double& c : cost) c = std::floor(random.uniform(-20, 20));  // with ties
      const std::vector<int64_t> found = assign_minimum(cost, rows, columns);
      EXPECT_EQ(total(cost, columns, found), least_by_trying(cost, rows, columns));
      if (rows <= columns) {
        EXPECT_EQ(total(cost, columns, assign_by_covering(cost, rows, columns)),
                  total(cost, columns, found));
      }
      std::vector<int64_t> used;
      for (int64_t column : found)
        if (column >= 0) used.push_back(column);
      std::sort(used.begin(), used.end());
      EXPECT_EQ(std::unique(used.begin(), used.end()), used.end());
      EXPECT_EQ(int64_t(used.size()), std::min(rows, columns));
    }
  }
}

TEST(Assignment, CoveringStarsTheFirstOfEqualCosts) {
  EXPECT_EQ(assign_by_covering(std::vector<double>(9, 4), 3, 3), (std::vector<int64_t>{0, 1, 2}));
  const double cost[] = {1, 1, 5, 1, 7, 7};
  EXPECT_EQ(assign_by_covering(cost, 2, 3), (std::vector<int64_t>{1, 0}));
  EXPECT_THROW(assign_by_covering(cost, 3, 2), Error);
}

TEST(Assignment, NothingToPair) {
  EXPECT_TRUE(assign_minimum({}, 0, 3).empty());
  EXPECT_EQ(assign_minimum({}, 2, 0), (std::vector<int64_t>{-1, -1}));
}

TEST(Assignment, RefusesInfiniteCosts) {
  const double cost[] = {1, std::numeric_limits<double>::infinity()};
  EXPECT_THROW(assign_minimum(cost, 1, 2), Error);
}

}  // namespace
}  // namespace limber
