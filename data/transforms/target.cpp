#include "data/transforms/target.h"

#include <algorithm>
#include <map>
#include <optional>

namespace limber {
namespace {

// A field of the sample by MMPose's name, undefined where it has none.
Tensor field_named(const Sample& s, std::string_view name) {
  if (name == "bbox") return s.bbox;
  if (name == "area") return s.area;
  if (name == "category_id" || name == "category_ids") return s.category_id;
  if (name == "keypoints") return s.keypoints;
  if (name == "keypoints_visible") return s.keypoints_visible;
  if (name == "bbox_score") return s.bbox_score;
  if (name == "img_shape" && s.img.defined()) {  // width, height
    const std::array<int, 2> size = s.image_size();
    return Tensor::from(std::vector<float>{float(size[0]), float(size[1])}, {2});
  }
  const auto found = s.more.find(name);
  return found == s.more.end() || found->second.empty() ? Tensor() : found->second[0];
}

// Column `which` of (N, K, 2).
Tensor channel(const Tensor& visible, int64_t which) {
  Tensor out = Tensor::empty({visible.size(0), visible.size(1)});
  for (int64_t i = 0; i < out.numel(); ++i)
    out.data<float>()[i] = visible.data<float>()[2 * i + which];
  return out;
}

// i64 (L, 2).
Tensor links_of(const DatasetMeta& meta) {
  std::vector<int64_t> ends;
  for (const auto& [a, b] : meta.skeleton_links) ends.insert(ends.end(), {a, b});
  return Tensor::from(ends, {int64_t(meta.skeleton_links.size()), 2});
}

void multiply_weights(Tensor& weights, const std::vector<float>& by) {
  if (by.empty() || weights.size(-1) != int64_t(by.size())) return;
  weights = weights.clone();
  float* w = weights.data<float>();
  for (int64_t i = 0; i < weights.numel(); ++i) w[i] *= by[size_t(i) % by.size()];
}

}  // namespace

GenerateTarget::GenerateTarget(const Config& config)
    : multilevel_(config.get<bool>("multilevel", false)),
      use_dataset_weights_(config.get<bool>("use_dataset_keypoint_weights", false)) {
  const Config encoder = config.at("encoder");
  for (size_t i = 0; i < (encoder.is_list() ? encoder.size() : 1); ++i)
    codecs_.push_back(make_codec(encoder.is_list() ? encoder.at(i) : encoder));
  check_input(!codecs_.empty(), config.where(), ": no encoder");
  config.find("target_type");
}

GenerateTarget::~GenerateTarget() = default;

// What the codec makes; of a sample with a recipe what it can describe goes there.
TensorLists GenerateTarget::encode(const Codec& codec, const EncodeInput& input,
                                   const Sample& sample) const {
  std::optional<TargetSketch> sketch;
  if (sample.recipe != nullptr && codecs_.size() == 1) sketch = codec.sketch(input);
  if (!sketch) return codec.encode(input);
  const auto packed_name = [](const std::map<std::string, std::string>& mapping,
                              const std::string& name) -> const std::string* {
    const auto found =
        std::ranges::find(mapping, name, [](const auto& entry) { return entry.second; });
    return found == mapping.end() ? nullptr : &found->first;
  };
  const auto labels = codec.label_mapping(), fields = codec.field_mapping();
  for (Drawing& drawing : sketch->drawings) {
    const std::string* label = packed_name(labels, drawing.name);
    const std::string* field = packed_name(fields, drawing.name);
    if (label != nullptr) {
      sample.recipe->labels.push_back(drawing);
      sample.recipe->labels.back().name = *label;
    }
    if (field != nullptr) {
      drawing.name = *field;
      sample.recipe->fields.push_back(std::move(drawing));
    }
  }
  return sketch->arrays;
}

TensorLists GenerateTarget::encode_all(const Sample& sample, Random& random) const {
  EncodeInput input;
  input.keypoints =
      sample.transformed_keypoints.defined() ? sample.transformed_keypoints : sample.keypoints;
  check(input.keypoints.defined(), "GenerateTarget: the sample has no key points");
  input.visible = sample.keypoints_visible;
  if (input.visible.defined() && input.visible.rank() == 3)
    input.visible = channel(input.visible, 0);
  input.bboxes = sample.bbox;
  input.areas = sample.area;
  input.random = &random;
  TensorLists joined;
  for (const auto& codec : codecs_) {
    input.more.clear();
    for (const std::string& key : codec->auxiliary_keys()) {
      if (const Tensor field = field_named(sample, key); field.defined()) input.more[key] = {field};
      for (const auto& [name, list] : sample.more)  // nested: camera_param/f, ...
        if (name.starts_with(key + "/")) input.more[name] = list;
    }
    for (auto& [name, list] : encode(*codec, input, sample)) {
      std::vector<Tensor>& all = joined[name];
      check(multilevel_ || all.empty() || name == "keypoint_weights",
            "GenerateTarget: two encoders make \"", name, "\"");
      all.insert(all.end(), list.begin(), list.end());
    }
  }
  if (const auto weights = joined.find("keypoint_weights");
      use_dataset_weights_ && weights != joined.end())
    for (Tensor& w : weights->second) multiply_weights(w, sample.keypoint_weights);
  return joined;
}

bool GenerateTarget::apply(Sample& sample, Random& random) const {
  const TensorLists encoded = encode_all(sample, random);
  std::map<std::string, std::string> labels, fields;
  for (const auto& codec : codecs_) {
    for (const auto& entry : codec->label_mapping()) labels.insert(entry);
    for (const auto& entry : codec->field_mapping()) fields.insert(entry);
  }
  for (const auto& [packed, name] : labels) {
    if (const auto found = encoded.find(name); found != encoded.end())
      sample.labels[packed] = found->second;
    else if (const Tensor field = field_named(sample, name); field.defined())
      sample.labels[packed] = {field};
  }
  for (const auto& [packed, name] : fields)
    if (const auto found = encoded.find(name); found != encoded.end())
      sample.fields[packed] = found->second;
  for (const auto& codec : codecs_)
    for (const std::string& key : codec->sample_keys())
      for (const auto& [name, list] : encoded)
        if (name == key || (key.ends_with("/") && name.starts_with(key))) sample.more[name] = list;
  if (const auto found = encoded.find("keypoint_weights"); found != encoded.end())
    sample.labels["keypoint_weights"] = found->second;
  if (sample.keypoints_visible.defined() && sample.keypoints_visible.rank() == 3) {
    sample.labels["keypoints_visible_weights"] = {channel(sample.keypoints_visible, 1)};
    sample.keypoints_visible = channel(sample.keypoints_visible, 0);
  }
  return true;
}

KeypointConverter::KeypointConverter(const Config& config)
    : num_keypoints_(config.get<int>("num_keypoints")) {
  const Config list = config.at("mapping");
  for (size_t i = 0; i < list.size(); ++i) {
    const Config from = list.at(i).at(0);
    Source source;
    if (from.is_list()) {
      const auto pair = from.as<std::array<int, 2>>();
      source.first = pair[0], source.second = pair[1];
    } else {
      source.first = source.second = from.as<int>();
    }
    source.target = list.at(i).at(1).as<int>();
    if (source.target < 0 || source.target >= num_keypoints_ || source.first < 0 ||
        source.second < 0)
      list.at(i).fail("no such key point among ", num_keypoints_);
    mapping_.push_back(source);
  }
}

bool KeypointConverter::apply(Sample& sample, Random&) const {
  const Tensor& points = sample.keypoints;
  const int64_t N = points.size(0), K = points.size(1), C = points.size(2);
  const Tensor visible = sample.keypoints_visible.rank() == 3 ? channel(sample.keypoints_visible, 0)
                                                              : sample.keypoints_visible;
  Tensor out = Tensor::zeros({N, num_keypoints_, C});
  Tensor out_visible = Tensor::zeros({N, num_keypoints_, 2});
  for (const Source& s : mapping_) {
    check_input(s.first < K && s.second < K, "KeypointConverter: maps key point ",
                std::max(s.first, s.second), " of a data set that has ", K);
    for (int64_t n = 0; n < N; ++n) {
      const float* a = points.data<float>() + (n * K + s.first) * C;
      const float* b = points.data<float>() + (n * K + s.second) * C;
      float* to = out.data<float>() + (n * num_keypoints_ + s.target) * C;
      for (int64_t c = 0; c < C; ++c) to[c] = (a[c] + b[c]) / 2;
      const float va = visible.data<float>()[n * K + s.first];
      const float vb = s.first == s.second ? 1 : visible.data<float>()[n * K + s.second];
      float* v = out_visible.data<float>() + (n * num_keypoints_ + s.target) * 2;
      v[0] = va * vb;
      v[1] = 1;
    }
  }
  sample.keypoints = out;
  sample.keypoints_visible = out_visible;
  sample.transformed_keypoints = Tensor();
  std::vector<int>& flips = sample.meta.flip_indices;
  flips.resize(size_t(num_keypoints_));
  for (int k = 0; k < num_keypoints_; ++k) flips[size_t(k)] = k;
  return true;
}

SingleHandConverter::Mapping SingleHandConverter::read_mapping(const Config& list,
                                                               int num_keypoints) {
  auto mapping = list.as<Mapping>();
  for (const auto& [from, to] : mapping)
    if (from < 0 || to < 0 || to >= num_keypoints)
      list.fail("no such key point among ", num_keypoints, ": [", from, ", ", to, "]");
  return mapping;
}

SingleHandConverter::SingleHandConverter(const Config& config)
    : num_keypoints_(config.get<int>("num_keypoints")),
      left_(read_mapping(config.at("left_hand_mapping"), num_keypoints_)),
      right_(read_mapping(config.at("right_hand_mapping"), num_keypoints_)) {}

bool SingleHandConverter::apply(Sample& sample, Random&) const {
  const Tensor& points = sample.keypoints;
  const int64_t N = points.size(0), K = points.size(1), C = points.size(2);
  const Tensor type = field_named(sample, "hand_type");
  check(type.defined() && type.numel() >= 2, "SingleHandConverter: the sample has no hand_type");
  // hand_type is one-hot: right, left.
  const Mapping& mapping = type.data<float>()[1] > 0 ? left_ : right_;
  Tensor out = Tensor::zeros({N, num_keypoints_, C});
  Tensor visible = Tensor::zeros({N, num_keypoints_, 2});
  for (const auto& [from, to] : mapping) {
    check_input(from < K, "SingleHandConverter: maps key point ", from, " of a data set that has ",
                K);
    for (int64_t n = 0; n < N; ++n) {
      std::copy_n(points.data<float>() + (n * K + from) * C, C,
                  out.data<float>() + (n * num_keypoints_ + to) * C);
      float* v = visible.data<float>() + (n * num_keypoints_ + to) * 2;
      v[0] = sample.keypoints_visible.data<float>()[n * K + from];
      v[1] = 1;
    }
  }
  sample.keypoints = out;
  sample.keypoints_visible = visible;
  sample.transformed_keypoints = Tensor();
  std::vector<int>& flips = sample.meta.flip_indices;
  flips.resize(size_t(num_keypoints_));
  for (int k = 0; k < num_keypoints_; ++k) flips[size_t(k)] = k;
  return true;
}

PackPoseInputs::PackPoseInputs(const Config& config)
    : pack_transformed_(config.get<bool>("pack_transformed", false)) {
  if (config.has("meta_keys")) meta_keys_ = config.get<std::vector<std::string>>("meta_keys");
  if (const Config extra = config.find("extra_mapping_labels"); !extra.is_null())
    for (const std::string& key : extra.keys())
      extra_labels_.emplace_back(key, extra.get<std::string>(key));
}

bool PackPoseInputs::apply(Sample& sample, Random&) const {
  auto packed = std::make_shared<DataSample>();
  DataSample& out = *packed;
  out.inputs = sample.img;
  out.meta = sample.meta;
  if (!sample.scaled_imgs.empty()) {
    out.meta.more["inputs"] = {sample.img};
    auto& all = out.meta.more["inputs"];
    all.insert(all.end(), sample.scaled_imgs.begin(), sample.scaled_imgs.end());
  }
  if (!out.inputs.defined()) {  // lifting: the network reads the encoded 2-D key points
    const auto label = sample.labels.find("keypoint_labels");
    out.inputs =
        label != sample.labels.end() ? label->second[0] : field_named(sample, "keypoint_labels");
  }
  if (std::ranges::find(meta_keys_, "skeleton_links") != meta_keys_.end() && sample.dataset)
    out.meta.more["skeleton_links"] = {links_of(*sample.dataset)};
  for (const std::string& key : meta_keys_)
    for (const auto& [name, list] : sample.more)  // camera_param stands for camera_param/f, ...
      if (name == key || name.starts_with(key + "/")) out.meta.more[name] = list;
  Instances& gt = out.gt_instances;
  gt.bboxes = sample.bbox;
  gt.bbox_scores = sample.bbox_score;
  gt.keypoints = sample.keypoints;
  gt.keypoints_visible = sample.keypoints_visible;
  if (gt.keypoints_visible.defined() && gt.keypoints_visible.rank() == 3)
    gt.keypoints_visible = channel(gt.keypoints_visible, 0);
  gt.areas = sample.area;
  if (sample.bbox_scale.defined()) gt.more["bbox_scales"] = {sample.bbox_scale};
  for (const char* key : {"keypoints_cam", "head_size", "lifting_target", "lifting_target_visible",
                          "root_z", "camera_param/f", "camera_param/c"})
    if (const auto found = sample.more.find(key); found != sample.more.end())
      gt.more[key] = found->second;
  for (const char* key : {"target_2d", "intrinsics"})  // of sequences without 3-D labels
    if (const auto found = sample.more.find(key); found != sample.more.end())
      out.meta.more[key] = found->second;
  if (pack_transformed_ && sample.transformed_keypoints.defined())
    gt.more["transformed_keypoints"] = {sample.transformed_keypoints};
  out.labels = sample.labels;
  for (const auto& [name, label] : extra_labels_)
    if (const Tensor field = field_named(sample, name); field.defined())
      out.labels.try_emplace(label, std::vector<Tensor>{field});
  out.fields = sample.fields;
  out.recipe = sample.recipe;
  sample.packed = packed;
  return true;
}

}  // namespace limber
