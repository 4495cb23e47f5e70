#include "data/datasets/coco_style.h"
#include "data/datasets/mocap.h"
#include "data/datasets/wrappers.h"
#include "pose/core/metainfo.h"

namespace limber {

std::shared_ptr<Dataset> make_dataset(const Config& config) {
  const std::string type = config.type();
  std::vector<std::string> names{"CombinedDataset", "ConcatDataset", "RepeatDataset"};
  if (type == "CombinedDataset") return std::make_shared<CombinedDataset>(config);
  if (type == "RepeatDataset" || type == "ConcatDataset") {
    std::vector<std::shared_ptr<Dataset>> parts;
    int64_t times = 1;
    if (type == "RepeatDataset") {
      parts.push_back(make_dataset(config.at("dataset")));
      times = config.get<int64_t>("times");
      check_input(times > 0, config.where(), ": times must be positive");
    } else {
      const Config list = config.at("datasets");
      for (size_t i = 0; i < list.size(); ++i) parts.push_back(make_dataset(list.at(i)));
      config.find("ignore_keys");
    }
    config.find("lazy_init");
    check_input(!parts.empty(), config.where(), ": no datasets");
    config.expect_all_read();
    return std::make_shared<ConcatDataset>(std::move(parts), times);
  }
  if (auto mocap = make_mocap_dataset(config)) return mocap;
  names.insert(names.end(), mocap_names().begin(), mocap_names().end());
  for (const CocoStyle& style : coco_styles()) {
    if (style.name == type) return std::make_shared<CocoStyleDataset>(config, style);
    names.emplace_back(style.name);
  }
  config.fail("no data set \"", type, "\"", did_you_mean(type, names));
}

DatasetMeta described_metainfo(const Config& config) {
  const std::string type = config.type();
  if (type == "RepeatDataset") return described_metainfo(config.at("dataset"));
  if (type == "CombinedDataset") return *resolve_metainfo(config.find("metainfo"), "coco");
  if (const auto meta = mocap_metainfo(config)) return *meta;
  for (const CocoStyle& style : coco_styles())
    if (style.name == type) return *metainfo_of_style(config, style);
  return make_dataset(config)->metainfo();
}

}  // namespace limber
