// Data sets of annotated instances on images: COCO's own and all that share its file format.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/coco_json.h"
#include "data/dataset.h"

namespace limber {

// One instance of a data set as it is kept: K points of `dims` numbers.
struct InstanceRecord {
  std::shared_ptr<const RawAnnotation> raw;
  int64_t id = -1;
  size_t image = 0;  // position in the list of images
  int category_id = 1;
  int num_keypoints = 0;
  bool iscrowd = false;
  std::array<float, 4> bbox{};  // x1, y1, x2, y2
  float bbox_score = 1;
  std::optional<float> area;
  std::optional<std::array<float, 2>> center, scale;
  std::vector<float> keypoints, visible;  // K * 2, K
  std::map<std::string, std::vector<float>> more;
  Segmentation segmentation;
};

struct ImageRecord {
  int64_t id = -1;
  std::string path;
  int width = 0, height = 0;
  double crowd_index = 0;
};

// What a reader needs to know of the data set it reads for.
struct ReadContext {
  std::string ann_file, image_folder, data_root;
  int num_keypoints = 0;
  int64_t sample_interval = 1;
  bool test_mode = false, bottom_up = false;
  const Config* config = nullptr;  // for options of single data sets
};

struct InstanceList {
  std::vector<ImageRecord> images;
  std::vector<InstanceRecord> instances;  // of one image after the other
  std::vector<std::pair<int, std::string>> categories;
};

// Turns one annotation into a record, or into nothing. `where` names it in errors.
using ParseInstance = std::optional<InstanceRecord> (*)(const CocoAnnotation&, const CocoImage&,
                                                        const ReadContext&);

// How a data set differs from COCO's.
struct CocoStyle {
  const char* name;
  const char* metainfo;  // stem of its description
  CocoOptions options{};
  ParseInstance parse = nullptr;                       // null: COCO's rules
  InstanceList (*read)(const ReadContext&) = nullptr;  // null: a COCO file
  bool id_order = false;  // instances in the order of their ids, not of their images
};

// The description that a data set of this style has, by its config alone.
std::shared_ptr<const DatasetMeta> metainfo_of_style(const Config& config, const CocoStyle& style);

// The base rules: box clipped to the image, visibility cut at 1, missing area .53 of the box.
std::optional<InstanceRecord> parse_coco_instance(const CocoAnnotation&, const CocoImage&,
                                                  const ReadContext&);
InstanceList read_coco_instances(const CocoStyle& style, const ReadContext& context);
// Neither a crowd nor without points, box or size.
bool is_valid_instance(const InstanceRecord& record);

class CocoStyleDataset : public Dataset {
 public:
  CocoStyleDataset(const Config& config, const CocoStyle& style);
  int64_t size() const override { return int64_t(items_.size()); }
  const DatasetMeta& metainfo() const override { return *meta_; }
  Sample raw_sample(int64_t index, Random& random) const override;
  bool transform(Sample& sample, Random& random) const override;

  // The kept instances of item `index`, for checks and statistics.
  std::vector<const InstanceRecord*> instances(int64_t index) const;
  const ImageRecord& image(int64_t index) const;

 private:
  struct Item {
    size_t image, first, count;  // instances [first, first + count)
  };
  void make_topdown_items();
  void make_bottomup_items();
  void load_detections(const std::string& file);
  void apply_filter(const Config& filter);

  std::shared_ptr<const DatasetMeta> meta_;
  bool bottom_up_ = false;
  InstanceList list_;
  std::vector<Item> items_;
  Pipeline pipeline_;
};

// The table of these data sets.
const std::vector<CocoStyle>& coco_styles();

}  // namespace limber
