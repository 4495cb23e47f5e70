// Parsing of dataset_info trees; see dataset_meta.h.
#include "pose/core/dataset_meta.h"

#include <algorithm>

#include "tensor/error.h"

namespace limber {
namespace {

constexpr Rgb kDefaultKeypointColor = {255, 128, 0};
constexpr Rgb kDefaultLinkColor = {96, 96, 255};

Rgb color_or(const Config& node, Rgb fallback) {
  if (!node.has("color")) return fallback;
  const Config color = node.at("color");
  check_input(color.is_list() && color.size() == 3, color.path(), ": a colour has three numbers");
  return {color.at(0).as<int>(), color.at(1).as<int>(), color.at(2).as<int>()};
}

int id_of(const DatasetMeta& meta, const std::string& name, const Config& where) {
  const int id = meta.keypoint_id(name);
  check_input(id >= 0, where.path(), ": no key point is called \"", name, "\"",
              did_you_mean(name, meta.keypoint_names));
  return id;
}

void read_keypoints(const Config& info, DatasetMeta& meta) {
  check_input(info.is_object(), info.path(), ": not an object of key points");
  const std::vector<std::string> keys = info.keys();
  meta.num_keypoints = static_cast<int>(keys.size());
  for (const std::string& key : keys) {
    const Config point = info.at(key);
    point.find("id");
    meta.keypoint_names.push_back(point.get<std::string>("name"));
    meta.keypoint_colors.push_back(color_or(point, kDefaultKeypointColor));
    const int id = static_cast<int>(meta.keypoint_names.size()) - 1;
    const std::string part = point.get<std::string>("type", "");
    if (part == "upper") meta.upper_body_ids.push_back(id);
    if (part == "lower") meta.lower_body_ids.push_back(id);
  }
  for (int id = 0; id < meta.num_keypoints; ++id) {
    const Config point = info.at(keys[static_cast<size_t>(id)]);
    const std::string swap = point.get<std::string>("swap", "");
    const int partner = swap.empty() ? id : id_of(meta, swap, point);
    meta.flip_indices.push_back(partner);
    if (partner != id) meta.flip_pairs.emplace_back(partner, id);
  }
}

void read_skeleton(const Config& info, DatasetMeta& meta) {
  if (info.is_null()) return;
  for (const std::string& key : info.keys()) {
    const Config link = info.at(key);
    link.find("id");
    const Config ends = link.at("link");
    check_input(ends.is_list() && ends.size() == 2, ends.path(), ": a link joins two key points");
    meta.skeleton_links.emplace_back(id_of(meta, ends.at(0).as<std::string>(), ends),
                                     id_of(meta, ends.at(1).as<std::string>(), ends));
    meta.skeleton_link_colors.push_back(color_or(link, kDefaultLinkColor));
  }
}

std::vector<float> per_keypoint(const Config& list, const DatasetMeta& meta) {
  std::vector<float> values = list.is_null() ? std::vector<float>() : list.as<std::vector<float>>();
  check_input(values.empty() || static_cast<int>(values.size()) == meta.num_keypoints, list.path(),
              ": ", values.size(), " values for ", meta.num_keypoints, " key points");
  return values;
}

void read_stats(const Config& stats, DatasetMeta& meta) {
  if (stats.is_null()) return;
  if (stats.has("bbox_center")) {
    const auto center = stats.at("bbox_center").as<std::vector<float>>();
    check_input(center.size() == 2, stats.path(), ".bbox_center: not two numbers");
    meta.stats_bbox_center = {center[0], center[1]};
  }
  if (stats.has("bbox_scale")) meta.stats_bbox_scale = stats.get<float>("bbox_scale");
}

}  // namespace

int DatasetMeta::keypoint_id(std::string_view name) const {
  const auto found = std::find(keypoint_names.begin(), keypoint_names.end(), name);
  return found == keypoint_names.end() ? -1 : static_cast<int>(found - keypoint_names.begin());
}

DatasetMeta parse_dataset_info(const Config& dataset_info) {
  DatasetMeta meta;
  meta.dataset_name = dataset_info.get<std::string>("dataset_name");
  read_keypoints(dataset_info.at("keypoint_info"), meta);
  read_skeleton(dataset_info.find("skeleton_info"), meta);
  meta.keypoint_weights = per_keypoint(dataset_info.find("joint_weights"), meta);
  if (meta.keypoint_weights.empty())
    meta.keypoint_weights.assign(static_cast<size_t>(meta.num_keypoints), 1.f);
  meta.sigmas = per_keypoint(dataset_info.find("sigmas"), meta);
  read_stats(dataset_info.find("stats_info"), meta);
  return meta;
}

}  // namespace limber
