#include "data/datasets/coco_style.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <unordered_map>

#include "data/datasets/subset.h"
#include "pose/core/bbox.h"
#include "pose/core/metainfo.h"

namespace limber {
namespace {

std::string joined(const std::string& root, const std::string& path) {
  return root.empty() || path.empty() ? (path.empty() ? root : path)
                                      : (std::filesystem::path(root) / path).string();
}

Tensor rows_of(const std::vector<const InstanceRecord*>& records, int64_t width,
               const std::function<const float*(const InstanceRecord&)>& get) {
  Tensor out = Tensor::empty({int64_t(records.size()), width});
  float* to = out.data<float>();
  for (const InstanceRecord* r : records) to = std::copy_n(get(*r), width, to);
  return out;
}

}  // namespace

std::optional<InstanceRecord> parse_coco_instance(const CocoAnnotation& a, const CocoImage& image,
                                                  const ReadContext& context) {
  if (!a.has_bbox || !a.has_keypoints) return std::nullopt;
  const size_t K = size_t(context.num_keypoints);
  check_input(a.keypoints.size() == 3 * K, context.ann_file, ": annotation ", a.id, " has ",
              a.keypoints.size() / 3, " key points, the data set's description ", K);
  check_input(is_sane_box(a.bbox), context.ann_file, ": annotation ", a.id, " has an absurd bbox (",
              a.bbox[0], ", ", a.bbox[1], ", ", a.bbox[2], ", ", a.bbox[3], ")");
  InstanceRecord r;
  r.id = a.id;
  r.category_id = a.category_id;
  r.iscrowd = a.iscrowd;
  const double last[2] = {double(image.width - 1), double(image.height - 1)};
  double corners[4];
  for (size_t d = 0; d < 2; ++d) {
    const double low = a.bbox[d], high = a.bbox[d] + a.bbox[d + 2];
    const bool sized = last[d] >= 0;
    corners[d] = sized ? std::clamp(low, 0.0, last[d]) : low;
    corners[d + 2] = sized ? std::clamp(high, 0.0, last[d]) : high;
  }
  std::copy(corners, corners + 4, r.bbox.begin());
  int present = 0;
  for (size_t k = 0; k < K; ++k) {
    const double x = a.keypoints[3 * k], y = a.keypoints[3 * k + 1], v = a.keypoints[3 * k + 2];
    check_input(std::isfinite(x) && std::isfinite(y) && std::isfinite(v), context.ann_file,
                ": annotation ", a.id, " has a key point that is not a number");
    r.keypoints.push_back(float(x));
    r.keypoints.push_back(float(y));
    r.visible.push_back(float(std::min(1.0, v)));
    present += std::max({x, y, v}) != 0;
  }
  r.num_keypoints = a.num_keypoints >= 0 ? a.num_keypoints : present;
  r.area = float(a.has_area
                     ? a.area
                     : std::max(1.0, (corners[2] - corners[0]) * (corners[3] - corners[1]) * 0.53));
  r.segmentation = a.segmentation;
  return r;
}

bool is_valid_instance(const InstanceRecord& r) {
  if (r.iscrowd || r.num_keypoints == 0) return false;
  if (!(r.bbox[2] - r.bbox[0] > 0) || !(r.bbox[3] - r.bbox[1] > 0)) return false;
  return std::any_of(r.keypoints.begin(), r.keypoints.end(), [](float v) { return v > 0; });
}

InstanceList read_coco_instances(const CocoStyle& style, const ReadContext& context) {
  CocoFile file = read_coco(context.ann_file, style.options);
  const ParseInstance parse = style.parse != nullptr ? style.parse : parse_coco_instance;
  InstanceList list;
  list.categories = file.categories;
  std::unordered_map<int64_t, size_t> place;
  std::vector<size_t> sources;
  for (size_t i = 0; i < file.images.size(); ++i) {
    const CocoImage& image = file.images[i];
    if (image.id % context.sample_interval != 0) continue;
    place[image.id] = list.images.size();
    sources.push_back(i);
    list.images.push_back({image.id, joined(context.image_folder, image.file_name), image.width,
                           image.height, image.crowd_index});
  }
  std::vector<std::pair<size_t, size_t>> order;  // image, annotation
  for (size_t i = 0; i < file.annotations.size(); ++i)
    if (const auto at = place.find(file.annotations[i].image_id); at != place.end())
      order.emplace_back(at->second, i);
  std::sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
    return style.id_order ? file.annotations[a.second].id < file.annotations[b.second].id : a < b;
  });
  list.instances.reserve(order.size());
  for (const auto& [image, which] : order) {
    CocoAnnotation& a = file.annotations[which];
    std::optional<InstanceRecord> record = parse(a, file.images[sources[image]], context);
    if (!record) continue;
    record->image = image;
    auto raw = std::make_shared<RawAnnotation>();
    raw->id = a.id, raw->image_id = a.image_id, raw->category_id = a.category_id;
    raw->iscrowd = a.iscrowd, raw->num_keypoints = record->num_keypoints;
    raw->area = a.has_area ? a.area : 0;
    raw->bbox = a.bbox;
    raw->keypoints = std::move(a.keypoints);
    raw->keypoints.shrink_to_fit();
    record->raw = std::move(raw);
    list.instances.push_back(std::move(*record));
  }
  return list;
}

std::shared_ptr<const DatasetMeta> metainfo_of_style(const Config& config, const CocoStyle& style) {
  std::string metainfo = style.metainfo;
  if (std::string_view(style.name) == "DeepFashionDataset")
    metainfo = "deepfashion_" + config.get<std::string>("subset", "full");
  return resolve_metainfo(config.find("metainfo"), metainfo);
}

CocoStyleDataset::CocoStyleDataset(const Config& config, const CocoStyle& style) {
  ReadContext context;
  auto meta = std::make_shared<DatasetMeta>(*metainfo_of_style(config, style));
  const auto root = config.get<std::string>("data_root", "");
  const auto mode = config.get<std::string>("data_mode", "topdown");
  if (mode != "topdown" && mode != "bottomup")
    config.fail("data_mode \"", mode, "\" is unknown", did_you_mean(mode, {"topdown", "bottomup"}));
  bottom_up_ = mode == "bottomup";
  test_mode = config.get<bool>("test_mode", false);
  max_refetch = config.get<int>("max_refetch", 1000);
  std::string folder;
  if (const Config prefix = config.find("data_prefix"); !prefix.is_null()) {
    folder = prefix.get<std::string>("img", "");
    prefix.ignore();
  }
  const auto ann_file = config.get<std::string>("ann_file", "");
  check_input(!ann_file.empty(), config.where(), ": no ann_file");
  context.ann_file = joined(root, ann_file);
  context.image_folder = joined(root, folder);
  context.data_root = root;
  context.num_keypoints = meta->num_keypoints;
  context.sample_interval = config.get<int64_t>("sample_interval", 1);
  check_input(context.sample_interval > 0, config.where(), ": sample_interval must be positive");
  context.test_mode = test_mode;
  context.bottom_up = bottom_up_;
  context.config = &config;
  meta->ann_file = context.ann_file;
  list_ = style.read != nullptr ? style.read(context) : read_coco_instances(style, context);
  if (!list_.categories.empty()) meta->categories = list_.categories;
  meta_ = meta;

  const auto bbox_file = config.get<std::string>("bbox_file", "");
  if (!bbox_file.empty() && test_mode && !bottom_up_)
    load_detections(bbox_file);
  else
    bottom_up_ ? make_bottomup_items() : make_topdown_items();
  apply_filter(config.find("filter_cfg"));
  take_subset(items_, config.find("indices"));
  pipeline_ = Pipeline(config.find("pipeline"));
  for (const char* key : {"serialize_data", "lazy_init", "headbox_file", "subset"})
    config.find(key);
  config.expect_all_read();
}

void CocoStyleDataset::make_topdown_items() {
  size_t empty_boxes = 0;
  for (size_t i = 0; i < list_.instances.size(); ++i) {
    const InstanceRecord& r = list_.instances[i];
    if (is_valid_instance(r))
      items_.push_back({r.image, i, 1});
    else if (!r.iscrowd && r.num_keypoints > 0 &&
             (r.bbox[2] <= r.bbox[0] || r.bbox[3] <= r.bbox[1]))
      ++empty_boxes;
  }
  if (empty_boxes > 0)
    std::fprintf(stderr, "%s: left out %zu instances whose box is empty or outside of its image\n",
                 meta_->ann_file.c_str(), empty_boxes);
}

void CocoStyleDataset::make_bottomup_items() {
  std::vector<char> used(list_.images.size(), 0);
  for (size_t i = 0; i < list_.instances.size();) {
    size_t end = i + 1;
    while (end < list_.instances.size() && list_.instances[end].image == list_.instances[i].image)
      ++end;
    items_.push_back({list_.instances[i].image, i, end - i});
    used[list_.instances[i].image] = 1;
    i = end;
  }
  for (size_t i = 0; test_mode && i < list_.images.size(); ++i)
    if (!used[i]) items_.push_back({i, 0, 0});
}

void CocoStyleDataset::load_detections(const std::string& file) {
  const std::vector<Detection> detections = read_detections(file);
  std::unordered_map<int64_t, size_t> place;
  for (size_t i = 0; i < list_.images.size(); ++i) place[list_.images[i].id] = i;
  list_.instances.clear();
  const size_t K = size_t(meta_->num_keypoints);
  int64_t id = 0;
  for (const Detection& d : detections) {
    if (d.category_id != 1) continue;
    const auto at = place.find(d.image_id);
    check_input(at != place.end(), file, ": a detection on image ", d.image_id, ", which ",
                meta_->ann_file, " does not list");
    check_input(is_sane_box(d.bbox), file, ": a detection on image ", d.image_id,
                " has an absurd bbox (", d.bbox[0], ", ", d.bbox[1], ", ", d.bbox[2], ", ",
                d.bbox[3], ")");
    InstanceRecord r;
    r.image = at->second;
    r.id = id++;
    r.num_keypoints = int(K);
    for (size_t c = 0; c < 2; ++c) {
      r.bbox[c] = float(d.bbox[c]);
      r.bbox[c + 2] = float(d.bbox[c] + d.bbox[c + 2]);
    }
    r.bbox_score = float(d.score);
    r.keypoints.assign(2 * K, 0);
    r.visible.assign(K, 1);
    items_.push_back({r.image, list_.instances.size(), 1});
    list_.instances.push_back(std::move(r));
  }
}

void CocoStyleDataset::apply_filter(const Config& filter) {
  if (filter.is_null()) return;
  if (filter.has("bbox_score_thr")) {
    if (bottom_up_) filter.fail("bbox_score_thr works on data_mode \"topdown\" only");
    const auto threshold = filter.get<float>("bbox_score_thr");
    std::erase_if(items_, [&](const Item& item) {
      return list_.instances[item.first].bbox_score < threshold;
    });
  }
  filter.expect_all_read();
}

std::vector<const InstanceRecord*> CocoStyleDataset::instances(int64_t index) const {
  const Item& item = items_.at(size_t(index));
  std::vector<const InstanceRecord*> out;
  for (size_t i = 0; i < item.count; ++i) out.push_back(&list_.instances[item.first + i]);
  return out;
}

const ImageRecord& CocoStyleDataset::image(int64_t index) const {
  return list_.images[items_.at(size_t(index)).image];
}

Sample CocoStyleDataset::raw_sample(int64_t index, Random&) const {
  const ImageRecord& image = this->image(index);
  const auto records = instances(index);
  Sample s;
  s.source = this;
  s.dataset = meta_;
  s.keypoint_weights = meta_->keypoint_weights;
  s.meta.img_id = image.id;
  s.meta.img_path = image.path;
  s.meta.crowd_index = image.crowd_index;
  s.meta.dataset_name = meta_->dataset_name;
  s.meta.flip_indices = meta_->flip_indices;
  s.meta.img_shape = s.meta.ori_shape = {image.height, image.width};
  if (records.empty()) return s;
  const int64_t N = int64_t(records.size()), K = meta_->num_keypoints;
  s.meta.id = records[0]->id;
  s.meta.category_id = records[0]->category_id;
  const InstanceRecord& first = *records[0];
  const int64_t dims = K > 0 ? int64_t(first.keypoints.size()) / K : 2;
  s.bbox = rows_of(records, 4, [](const auto& r) { return r.bbox.data(); });
  s.bbox_score = rows_of(records, 1, [](const auto& r) { return &r.bbox_score; }).alias({N});
  s.keypoints = rows_of(records, K * dims, [](const auto& r) {
                  return r.keypoints.data();
                }).alias({N, K, dims});
  s.keypoints_visible = rows_of(records, K, [](const auto& r) { return r.visible.data(); });
  if (first.area) s.area = rows_of(records, 1, [](const auto& r) { return &*r.area; }).alias({N});
  if (first.center) {
    s.bbox_center = rows_of(records, 2, [](const auto& r) { return r.center->data(); });
    s.bbox_scale = rows_of(records, 2, [](const auto& r) { return r.scale->data(); });
  }
  s.category_id = Tensor::empty({N});
  for (int64_t n = 0; n < N; ++n) {
    const InstanceRecord& r = *records[size_t(n)];
    s.category_id.data<float>()[n] = float(r.category_id);
    s.ids.push_back(r.id);
    if (r.raw != nullptr) s.meta.raw_annotations.push_back(r.raw);
    if (bottom_up_ && !is_valid_instance(r)) s.invalid_segs.push_back(r.segmentation);
  }
  for (const auto& [name, values] : first.more)
    s.more[name] = {rows_of(records, int64_t(values.size()),
                            [&name = name](const auto& r) { return r.more.at(name).data(); })};
  if (const auto camera = s.more.find("keypoints_cam"); camera != s.more.end())
    camera->second[0] = camera->second[0].alias({N, K, 3});
  return s;
}

bool CocoStyleDataset::transform(Sample& sample, Random& random) const {
  return pipeline_.apply(sample, random);
}

}  // namespace limber
