// Explicit tables of what a config's "type" may name. The linker finds what is missing and nothing
// registers itself.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pose/config/config.h"
#include "tensor/error.h"

namespace limber {

template <class Function>
struct FactoryRow {
  const char* type;
  Function make;
};

// "mmdet.CSPNeXt" -> "CSPNeXt": the packages that MMPose's configs name are one here.
std::string_view without_scope(std::string_view type);

// The row of config["type"]; throws InputError naming the nearest known types.
template <class Row, size_t count>
const Row& find_row(const Row (&rows)[count], const Config& config, std::string_view what) {
  const std::string type = config.type();
  for (const Row& row : rows)
    if (row.type == without_scope(type)) return row;
  std::vector<std::string> known;
  for (const Row& row : rows) known.push_back(row.type);
  fail_input(config.path(), ".type: unknown ", what, " \"", type, "\"", did_you_mean(type, known));
}

// Makes it and checks that every key was read. The keys below do not concern construction.
template <class Row, size_t count, class... Args>
auto make_by_type(const Row (&rows)[count], const Config& config, std::string_view what,
                  Args&&... args) {
  const Row& row = find_row(rows, config, what);
  config.find("_scope_");
  config.find("init_cfg").ignore();
  auto made = row.make(config, std::forward<Args>(args)...);
  config.expect_all_read();
  return made;
}

}  // namespace limber
