#include "pose/core/dataset_meta.h"

#include <gtest/gtest.h>

#include "tensor/error.h"

namespace limber {
namespace {

constexpr const char* kHand = R"({
  "dataset_name": "hand", "paper_info": {"title": "x"},
  "keypoint_info": {
    "0": {"name": "wrist", "id": 0, "color": [1, 2, 3], "type": "upper", "swap": ""},
    "1": {"name": "left_tip", "id": 1, "type": "", "swap": "right_tip"},
    "2": {"name": "right_tip", "id": 2, "type": "lower", "swap": "left_tip"}},
  "skeleton_info": {"0": {"link": ["wrist", "right_tip"], "id": 0, "color": [9, 8, 7]}},
  "joint_weights": [1.0, 1.5, 1.5], "sigmas": []})";

TEST(DatasetMeta, ReadsNamesPartnersLinksAndColours) {
  const DatasetMeta meta = parse_dataset_info(Config::parse(kHand));
  EXPECT_EQ(meta.dataset_name, "hand");
  EXPECT_EQ(meta.num_keypoints, 3);
  EXPECT_EQ(meta.flip_indices, (std::vector<int>{0, 2, 1}));
  EXPECT_EQ(meta.flip_pairs, (std::vector<std::pair<int, int>>{{2, 1}, {1, 2}}));
  EXPECT_EQ(meta.skeleton_links, (std::vector<std::pair<int, int>>{{0, 2}}));
  EXPECT_EQ(meta.keypoint_colors[0], (Rgb{1, 2, 3}));
  EXPECT_EQ(meta.keypoint_colors[1], (Rgb{255, 128, 0}));
  EXPECT_EQ(meta.skeleton_link_colors[0], (Rgb{9, 8, 7}));
  EXPECT_EQ(meta.upper_body_ids, std::vector<int>{0});
  EXPECT_EQ(meta.lower_body_ids, std::vector<int>{2});
  EXPECT_FLOAT_EQ(meta.keypoint_weights[2], 1.5f);
  EXPECT_TRUE(meta.sigmas.empty());
  EXPECT_EQ(meta.keypoint_id("left_tip"), 1);
  EXPECT_EQ(meta.keypoint_id("nobody"), -1);
}

TEST(DatasetMeta, RefusesUnknownNamesAndWrongLengths) {
  Config info = Config::parse(kHand).clone();
  info.set_path("skeleton_info.0.link.1", Config::value("right_tap"));
  EXPECT_THROW(parse_dataset_info(info), InputError);
  info = Config::parse(kHand).clone();
  info.set("sigmas", Config::parse("[0.1]"));
  EXPECT_THROW(parse_dataset_info(info), InputError);
}

}  // namespace
}  // namespace limber
