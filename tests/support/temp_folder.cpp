#include "tests/support/temp_folder.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "tensor/error.h"

namespace limber {

namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string pattern = (fs::temp_directory_path() / "limber_test_XXXXXX").string();
  check(mkdtemp(pattern.data()) != nullptr, "cannot make a temporary folder");
  folder_ = pattern;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

std::string TempFolder::path(std::string_view name) const {
  return name.empty() ? folder_ : (fs::path(folder_) / name).string();
}

std::string TempFolder::write(std::string_view name, std::string_view content) const {
  const fs::path file = path(name);
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << content;
  out.close();
  check(bool(out), "cannot write ", file.string());
  return file.string();
}

}  // namespace limber
