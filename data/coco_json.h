// COCO annotation files and detection results, read in one pass.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "data/sample.h"

namespace limber {

struct CocoImage {
  int64_t id = -1;
  std::string file_name;
  int width = 0, height = 0;  // 0: not given
  double crowd_index = 0;
  // Asked for by extra_image_keys, in that order; strings are kept too.
  std::vector<std::string> extra;
};

struct CocoAnnotation {
  int64_t id = -1, image_id = -1;
  int category_id = 1;
  bool iscrowd = false;
  bool has_bbox = false, has_keypoints = false, has_area = false;
  int num_keypoints = -1;  // -1: not given
  double area = 0;
  std::array<double, 4> bbox{};   // x, y, width, height
  std::vector<double> keypoints;  // x, y, v per point, of all keys asked for one after the other
  Segmentation segmentation;
  // Asked for by extra_keys, in that order; numbers of lists nested at will, empty: not given.
  // "a/b" is entry b of object a.
  std::vector<std::vector<double>> extra;
};

struct CocoFile {
  std::vector<std::pair<int, std::string>> categories;  // id, name
  std::vector<CocoImage> images;
  std::vector<CocoAnnotation> annotations;
};

struct CocoOptions {
  std::vector<std::string> keypoint_keys{"keypoints"};
  std::vector<std::string> extra_keys;
  std::vector<std::string> extra_image_keys;
  bool unlisted_categories = false;  // whether annotations may be of categories not in the list
};

// Throws InputError naming the file, and the place or the annotation, where the text is not JSON
// or not an annotation file: no images or annotations, a category the file does not list, a box
// that is not four finite numbers, key points that are not triples.
CocoFile read_coco(const std::string& path, const CocoOptions& options = {});

// One detection of a COCO results file.
struct Detection {
  int64_t image_id = -1;
  int category_id = 1;
  std::array<double, 4> bbox{};  // x, y, width, height
  double score = 0;
};
std::vector<Detection> read_detections(const std::string& path);

}  // namespace limber
