// limber_oracle [DIR] [FILTER]: checks every file of a folder of recorded numbers against what the
// project computes. DIR defaults to $LIMBER_ORACLE_DIR, then ../shared/oracle. FILTER keeps the
// files whose "folder/stem" contains it. Ends with "N passed, N failed, N skipped".
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/oracle/oracle.h"

namespace fs = std::filesystem;
using namespace limber;

namespace {

struct Folder {
  const char* path;
  void (*check)(const oracle::File&, oracle::Report&);  // null: nothing of it is implemented
};

// clang-format off
constexpr Folder kFolders[] = {
    {"codecs", oracle::check_codecs},
    {"schedules", oracle::check_schedules},
    {"transforms", oracle::check_transforms},
    {"metrics/functional", oracle::check_metric_functions},
    {"metrics/metrics", oracle::check_metrics},
    {"losses", oracle::check_losses},
    {"heads", oracle::check_heads},
    {"models", oracle::check_models},
    {"train", oracle::check_training},
    {"datasets/metainfo", oracle::check_metainfo},
    {"datasets/lists", oracle::check_dataset_lists},
};
// clang-format on

void check_folder(const Folder& folder, const fs::path& root, const std::string& filter,
                  oracle::Report& report) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(root / folder.path))
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  for (const fs::path& path : files) {
    oracle::File file;
    file.stem = path.stem();
    file.name = std::string(folder.path) + "/" + file.stem;
    if (file.name.find(filter) == std::string::npos) continue;
    if (folder.check == nullptr) {
      report.skip(file.name, "not implemented");
      continue;
    }
    try {
      std::ifstream in(path);
      file.json = oracle::Json::parse(in);
      file.root = root;
      file.samples = fs::absolute(root).lexically_normal().parent_path();
      if (file.samples.filename().empty()) file.samples = file.samples.parent_path();
      folder.check(file, report);
    } catch (const std::exception& error) {
      report.fail(file.name, error.what());
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* from_environment = std::getenv("LIMBER_ORACLE_DIR");
  const bool named = from_environment != nullptr && *from_environment != '\0';
  const fs::path root = argc > 1 ? argv[1] : named ? from_environment : "../shared/oracle";
  if (!fs::is_directory(root)) {
    std::printf("skipped all: no folder %s\n0 passed, 0 failed, 1 skipped\n", root.c_str());
    return 77;
  }
  oracle::Report report;
  for (const Folder& folder : kFolders)
    if (fs::is_directory(root / folder.path))
      check_folder(folder, root, argc > 2 ? argv[2] : "", report);
  std::printf("%d passed, %d failed, %d skipped\n", report.passed(), report.failed(),
              report.skipped());
  return report.failed() == 0 ? 0 : 1;
}
