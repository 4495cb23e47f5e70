#include "pose/core/metainfo.h"

#include <filesystem>
#include <map>
#include <mutex>

namespace limber {

// Written by the build from configs/_base_/datasets.
struct EmbeddedText {
  const char *stem, *text;
};
extern const EmbeddedText kMetainfoFiles[];
extern const size_t kMetainfoCount;

namespace {

std::shared_ptr<const DatasetMeta> parse(const Config& file) {
  const Config info = file.find("dataset_info");
  return std::make_shared<DatasetMeta>(parse_dataset_info(info.is_null() ? file : info));
}

}  // namespace

std::vector<std::string> known_metainfo_names() {
  std::vector<std::string> names;
  for (size_t i = 0; i < kMetainfoCount; ++i) names.emplace_back(kMetainfoFiles[i].stem);
  return names;
}

std::shared_ptr<const DatasetMeta> known_metainfo(const std::string& stem) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const DatasetMeta>> parsed;
  const std::lock_guard lock(mutex);
  if (const auto found = parsed.find(stem); found != parsed.end()) return found->second;
  for (size_t i = 0; i < kMetainfoCount; ++i)
    if (kMetainfoFiles[i].stem == stem)
      return parsed[stem] = parse(Config::parse(kMetainfoFiles[i].text, stem + ".json"));
  fail_input("no data set description \"", stem, "\"", did_you_mean(stem, known_metainfo_names()));
}

namespace {

std::shared_ptr<const DatasetMeta> metainfo_from_file(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? parse(load_config(path)) : known_metainfo(path.stem());
}

}  // namespace

std::vector<float> sigmas_of(const Config& file_name) {
  if (file_name.is_null()) return {};
  const auto meta = metainfo_from_file(file_name.as<std::string>());
  if (meta->sigmas.empty())
    file_name.fail("the description \"", file_name.as<std::string>(), "\" has no sigmas");
  return meta->sigmas;
}

std::shared_ptr<const DatasetMeta> resolve_metainfo(const Config& metainfo,
                                                    const std::string& fallback) {
  if (metainfo.is_null()) return known_metainfo(fallback);
  std::shared_ptr<const DatasetMeta> base;
  if (metainfo.has("from_file")) {
    base = metainfo_from_file(metainfo.get<std::string>("from_file"));
  } else if (metainfo.has("keypoint_info")) {
    metainfo.ignore();
    return std::make_shared<DatasetMeta>(parse_dataset_info(metainfo));
  } else {
    base = known_metainfo(fallback);
  }
  auto meta = std::make_shared<DatasetMeta>(*base);
  using Ids = std::vector<int>;
  if (metainfo.has("dataset_name")) meta->dataset_name = metainfo.get<std::string>("dataset_name");
  if (metainfo.has("upper_body_ids")) meta->upper_body_ids = metainfo.get<Ids>("upper_body_ids");
  if (metainfo.has("lower_body_ids")) meta->lower_body_ids = metainfo.get<Ids>("lower_body_ids");
  if (metainfo.has("flip_indices")) meta->flip_indices = metainfo.get<Ids>("flip_indices");
  if (metainfo.has("flip_pairs")) {
    meta->flip_pairs.clear();
    for (const auto& [a, b] : metainfo.get<std::vector<std::array<int, 2>>>("flip_pairs"))
      meta->flip_pairs.emplace_back(a, b);
  }
  if (metainfo.has("dataset_keypoint_weights"))
    meta->keypoint_weights = metainfo.get<std::vector<float>>("dataset_keypoint_weights");
  if (metainfo.has("sigmas")) meta->sigmas = metainfo.get<std::vector<float>>("sigmas");
  if (metainfo.has("num_keypoints")) meta->num_keypoints = metainfo.get<int>("num_keypoints");
  metainfo.find("classes");
  metainfo.expect_all_read();
  return meta;
}

}  // namespace limber
