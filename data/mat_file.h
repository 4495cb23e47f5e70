// Numeric arrays out of MATLAB files (level 5, plain or compressed): MPII's head boxes come in one.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace limber {

struct MatArray {
  std::vector<int64_t> dims;   // the first varies fastest
  std::vector<double> values;  // in the file's order
};

// Throws InputError naming the file where it is not such a file or holds no real array `name`.
MatArray read_mat_array(const std::string& path, const std::string& name);

}  // namespace limber
