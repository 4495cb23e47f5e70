#include "pose/core/assignment.h"

#include <algorithm>
#include <limits>
#include <utility>

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

// Munkres 1957, on a square matrix. A starred zero is a pair so far, a primed one a candidate.
class Covering {
 public:
  Covering(std::span<const double> cost, int64_t rows, int64_t n)
      : n_(n),
        rows_(rows),
        cost_(size_t(n * n)),
        of_column_(size_t(n)),
        star_in_row_(size_t(n), -1),
        star_in_column_(size_t(n), -1),
        prime_in_row_(size_t(n), -1),
        row_covered_(size_t(n)),
        column_covered_(size_t(n)) {
    std::copy(cost.begin(), cost.end(), cost_.begin());
  }

  std::vector<int64_t> solve() {
    subtract_row_minima();
    star_zeros();
    while (cover_starred_columns() < n_) {
      std::pair<int64_t, int64_t> zero{0, 0};
      while (!prime_until_free(zero)) {
        shift_costs(smallest_uncovered());
        zero = {0, 0};
      }
      augment(zero.first, zero.second);
    }
    return {star_in_row_.begin(), star_in_row_.begin() + rows_};
  }

 private:
  double& at(int64_t i, int64_t j) { return cost_[size_t(i * n_ + j)]; }

  void subtract_row_minima() {
    for (int64_t i = 0; i < n_; ++i) {
      const double least = *std::min_element(&at(i, 0), &at(i, 0) + n_);
      for (int64_t j = 0; j < n_; ++j) at(i, j) -= least;
    }
  }

  void star_zeros() {
    for (int64_t i = 0; i < n_; ++i)
      for (int64_t j = 0; j < n_; ++j) {
        if (at(i, j) != 0 || star_in_column_[size_t(j)] >= 0) continue;
        star(i, j);
        break;
      }
  }

  void star(int64_t i, int64_t j) {
    star_in_row_[size_t(i)] = j;
    star_in_column_[size_t(j)] = i;
  }

  int64_t cover_starred_columns() {
    int64_t count = 0;
    for (int64_t j = 0; j < n_; ++j) {
      column_covered_[size_t(j)] = star_in_column_[size_t(j)] >= 0;
      count += column_covered_[size_t(j)];
    }
    return count;
  }

  // The next uncovered zero: rows from the last one's on, all around; of a row's zeros the last
  // one, columns counted from the last zero's on. False where there is none.
  bool find_zero(std::pair<int64_t, int64_t>& zero) {
    const auto [i0, j0] = zero;
    for (int64_t step = 0; step < n_; ++step) {
      const int64_t i = (i0 + step) % n_;
      if (row_covered_[size_t(i)]) continue;
      for (int64_t back = n_ - 1; back >= 0; --back) {
        const int64_t j = (j0 + back) % n_;
        if (at(i, j) != 0 || column_covered_[size_t(j)]) continue;
        zero = {i, j};
        return true;
      }
    }
    return false;
  }

  // Primes zeros, covering their rows in place of their stars' columns, until one is in a row
  // without a star (true, and `zero` is that one) or none is left.
  bool prime_until_free(std::pair<int64_t, int64_t>& zero) {
    while (find_zero(zero)) {
      auto& [i, j] = zero;
      prime_in_row_[size_t(i)] = j;
      const int64_t starred = star_in_row_[size_t(i)];
      if (starred < 0) return true;
      row_covered_[size_t(i)] = 1;
      column_covered_[size_t(starred)] = 0;
      j = starred;
    }
    return false;
  }

  double smallest_uncovered() {
    // Covered columns are infinitely dear: no branch, and costs are finite.
    for (int64_t j = 0; j < n_; ++j)
      of_column_[size_t(j)] =
          column_covered_[size_t(j)] ? std::numeric_limits<double>::infinity() : 0;
    double least = std::numeric_limits<double>::infinity();
    for (int64_t i = 0; i < n_; ++i) {
      if (row_covered_[size_t(i)]) continue;
      const double* row = cost_.data() + i * n_;
      for (int64_t j = 0; j < n_; ++j) least = std::min(least, row[j] + of_column_[size_t(j)]);
    }
    return least;
  }

  // Adds to covered rows, then takes from uncovered columns: where both are, the rounding counts.
  void shift_costs(double by) {
    for (int64_t j = 0; j < n_; ++j) of_column_[size_t(j)] = column_covered_[size_t(j)] ? 0 : by;
    for (int64_t i = 0; i < n_; ++i) {
      const double of_row = row_covered_[size_t(i)] ? by : 0;
      double* row = cost_.data() + i * n_;
      for (int64_t j = 0; j < n_; ++j) row[j] = (row[j] + of_row) - of_column_[size_t(j)];
    }
  }

  // Stars the primes and drops the stars along the alternating path from this prime.
  void augment(int64_t i, int64_t j) {
    while (true) {
      const int64_t next = star_in_column_[size_t(j)];
      star(i, j);
      if (next < 0) break;
      i = next;
      j = prime_in_row_[size_t(i)];
    }
    std::fill(row_covered_.begin(), row_covered_.end(), 0);
    std::fill(prime_in_row_.begin(), prime_in_row_.end(), -1);
  }

  int64_t n_, rows_;
  std::vector<double> cost_, of_column_;
  std::vector<int64_t> star_in_row_, star_in_column_, prime_in_row_;
  std::vector<char> row_covered_, column_covered_;
};

}  // namespace

std::vector<int64_t> assign_by_covering(std::span<const double> cost, int64_t rows,
                                        int64_t columns) {
  check(int64_t(cost.size()) == rows * columns && rows <= columns,
        "assign_by_covering: ", cost.size(), " costs for ", rows, " rows and ", columns,
        " columns");
  for (double c : cost) check(c - c == 0, "assign_by_covering: costs must be finite");
  return rows == 0 ? std::vector<int64_t>() : Covering(cost, rows, columns).solve();
}

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
