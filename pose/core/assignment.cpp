#include "pose/core/assignment.h"

#include <limits>

#include "tensor/error.h"

namespace limber {
namespace {

// Pairs each of n rows with one of m >= n columns. Rows and columns count from 1 in the arrays;
// 0 stands for "none". The potentials keep all reduced costs from falling below 0.
std::vector<int64_t> assign_rows(const auto& cost, int64_t n, int64_t m) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::vector<double> row_potential(size_t(n + 1)), column_potential(size_t(m + 1));
  std::vector<int64_t> row_of(size_t(m + 1));
  for (int64_t row = 1; row <= n; ++row) {
    // Dijkstra from the new row to the nearest free column.
    std::vector<double> distance(size_t(m + 1), kInfinity);
    std::vector<int64_t> previous(size_t(m + 1));
    std::vector<bool> done(size_t(m + 1));
    row_of[0] = row;
    int64_t column = 0;
    while (row_of[size_t(column)] != 0) {
      done[size_t(column)] = true;
      const int64_t from = row_of[size_t(column)];
      double nearest = kInfinity;
      int64_t next = 0;
      for (int64_t j = 1; j <= m; ++j) {
        if (done[size_t(j)]) continue;
        const double reduced =
            cost(from - 1, j - 1) - row_potential[size_t(from)] - column_potential[size_t(j)];
        if (reduced < distance[size_t(j)]) {
          distance[size_t(j)] = reduced;
          previous[size_t(j)] = column;
        }
        if (distance[size_t(j)] < nearest) {
          nearest = distance[size_t(j)];
          next = j;
        }
      }
      for (int64_t j = 0; j <= m; ++j) {
        if (done[size_t(j)]) {
          row_potential[size_t(row_of[size_t(j)])] += nearest;
          column_potential[size_t(j)] -= nearest;
        } else {
          distance[size_t(j)] -= nearest;
        }
      }
      column = next;
    }
    // Shift the pairs along the path.
    while (column != 0) {
      const int64_t before = previous[size_t(column)];
      row_of[size_t(column)] = row_of[size_t(before)];
      column = before;
    }
  }
  std::vector<int64_t> columns(static_cast<size_t>(n));
  for (int64_t j = 1; j <= m; ++j)
    if (row_of[size_t(j)] != 0) columns[size_t(row_of[size_t(j)] - 1)] = j - 1;
  return columns;
}

}  // namespace

std::vector<int64_t> assign_minimum(std::span<const double> cost, int64_t rows, int64_t columns) {
  check(int64_t(cost.size()) == rows * columns, "assign_minimum: ", cost.size(), " costs for ",
        rows, " rows and ", columns, " columns");
  for (double c : cost) check(c - c == 0, "assign_minimum: costs must be finite");
  if (rows <= columns)
    return assign_rows([&](int64_t i, int64_t j) { return cost[size_t(i * columns + j)]; }, rows,
                       columns);
  const std::vector<int64_t> row_of = assign_rows(
      [&](int64_t i, int64_t j) { return cost[size_t(j * columns + i)]; }, columns, rows);
  std::vector<int64_t> column_of(size_t(rows), -1);
  for (int64_t j = 0; j < columns; ++j) column_of[size_t(row_of[size_t(j)])] = j;
  return column_of;
}

}  // namespace limber
