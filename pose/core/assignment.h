// The assignment problem: pairing rows with columns at the least total cost.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace limber {

// cost (rows, columns), finite. Returns the column of each row, or -1 for the rows left over when
// there are more rows than columns; the sum of the paired costs is minimal. O(n^2 m) by shortest
// augmenting paths (Kuhn 1955; Munkres 1957; Jonker and Volgenant 1987).
std::vector<int64_t> assign_minimum(std::span<const double> cost, int64_t rows, int64_t columns);

// The same for columns >= rows by Munkres' covered lines: of several cheapest assignments, the one
// that starring and priming zeros in this order finds, as the Python package "munkres" does. The
// grouping of associative embedding, whose costs are often equal, depends on it.
std::vector<int64_t> assign_by_covering(std::span<const double> cost, int64_t rows,
                                        int64_t columns);

}  // namespace limber
