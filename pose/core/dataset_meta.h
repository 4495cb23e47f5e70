// What a family of data sets says about its key points: names, mirror partners, skeleton, weights,
// OKS sigmas. Parsed from a config's `dataset_info`; shared by data sets, metrics and drawing.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pose/config/config.h"

namespace limber {

using Rgb = std::array<int, 3>;

// K key points, L links. Ids are positions in the file's order.
struct DatasetMeta {
  std::string dataset_name;
  std::string ann_file;  // of the data set in use, set by its reader; COCO metrics fall back to it
  int num_keypoints = 0;
  std::vector<std::string> keypoint_names;          // K
  std::vector<int> upper_body_ids, lower_body_ids;  // ascending
  std::vector<int> flip_indices;                    // K: the partner, or the point itself
  std::vector<std::pair<int, int>> flip_pairs;      // (partner, point), each pair both ways round
  std::vector<Rgb> keypoint_colors;                 // K
  std::vector<std::pair<int, int>> skeleton_links;  // L
  std::vector<Rgb> skeleton_link_colors;            // L
  std::vector<float> keypoint_weights;              // K (dataset_keypoint_weights)
  std::vector<float> sigmas;                        // K, or empty where the family has none
  // Whole-frame boxes of motion-capture sets without boxes (stats_info).
  std::optional<std::array<float, 2>> stats_bbox_center;
  std::optional<float> stats_bbox_scale;
  // Detection classes by COCO category id, in the file's order; empty means "person" alone.
  std::vector<std::pair<int, std::string>> categories;

  // The id of a key point, or -1.
  int keypoint_id(std::string_view name) const;
};

// Reads dataset_info: {dataset_name, keypoint_info {id: {name, color, type, swap}}, skeleton_info
// {id: {link, color}}, joint_weights, sigmas, [stats_info], [paper_info]}. Throws InputError naming
// the path where a part is missing, a name is unknown or a list has the wrong length.
DatasetMeta parse_dataset_info(const Config& dataset_info);

}  // namespace limber
