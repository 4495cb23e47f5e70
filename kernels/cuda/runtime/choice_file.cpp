#include "kernels/cuda/runtime/choice_file.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

namespace limber::kernels::gpu {
namespace {

constexpr const char* kFormat = "limber choices 1";

}  // namespace

ChoiceFile::ChoiceFile(std::string path) : path_(std::move(path)) {
  if (!path_.empty() && !read()) give_up("is damaged or no file of choices, and is left as it is");
}

const std::string* ChoiceFile::find(const std::string& key) const {
  const auto found = choices_.find(key);
  return found == choices_.end() ? nullptr : &found->second;
}

bool ChoiceFile::read() {
  std::ifstream in(path_, std::ios::binary);
  if (!in) return !std::filesystem::exists(path_);
  std::map<std::string, std::string> found;
  std::string line;
  if (!std::getline(in, line) || line != kFormat) return false;
  while (std::getline(in, line)) {
    const size_t tab = line.find('\t');
    if (tab == 0 || tab == std::string::npos || tab + 1 == line.size() ||
        line.find('\t', tab + 1) != std::string::npos || in.eof())
      return false;  // the last line ends, too
    found.emplace(line.substr(0, tab), line.substr(tab + 1));
  }
  choices_.merge(found);
  return true;
}

void ChoiceFile::add(const std::string& key, const std::string& choice) {
  choices_[key] = choice;
  if (path_.empty()) return;
  if (!read()) return give_up("was damaged meanwhile, and is left as it is");
  const std::string fresh = path_ + "." + std::to_string(getpid());
  std::ofstream out(fresh, std::ios::binary);
  out << kFormat << '\n';
  for (const auto& [name, value] : choices_) out << name << '\t' << value << '\n';
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(fresh, path_, error);
  if (out && !error) return;
  std::filesystem::remove(fresh, error);
  give_up("cannot be written");
}

void ChoiceFile::give_up(const char* why) {
  std::fprintf(stderr, "%s: %s; choices are measured anew\n", path_.c_str(), why);
  path_.clear();
}

}  // namespace limber::kernels::gpu
