// Parity of data set descriptions and of the lists that data set readers make.
#include <set>

#include "data/datasets/coco_style.h"
#include "data/datasets/mocap.h"
#include "pose/core/metainfo.h"
#include "tests/oracle/oracle.h"

namespace limber::oracle {
namespace {

using Pairs = std::vector<std::pair<int, int>>;

std::vector<double> flat(const std::vector<Rgb>& colors) {
  std::vector<double> out;
  for (const Rgb& c : colors) out.insert(out.end(), c.begin(), c.end());
  return out;
}

std::vector<double> numbers(const Json& value) {
  return value.is_object() ? inline_array(value).values
         : value.empty()   ? std::vector<double>()
                           : inline_array(value).values;
}

void compare_numbers(Case& c, const std::string& what, const Json& expected,
                     const std::vector<double>& got, double tolerance = 0) {
  const std::vector<double> want = numbers(expected);
  c.expect(want.size() == got.size(),
           str(what, ": ", got.size(), " numbers, expected ", want.size()));
  for (size_t i = 0; i < std::min(want.size(), got.size()); ++i)
    if (!(std::abs(want[i] - got[i]) <= tolerance * std::max(1.0, std::abs(want[i])))) {
      c.expect(false, str(what, "[", i, "]: ", got[i], ", expected ", want[i]));
      return;
    }
}

template <class T>
std::vector<double> doubles(const T& list) {
  return {list.begin(), list.end()};
}

}  // namespace

void check_metainfo(const File& file, Report& report) {
  Case c(file.name);
  const Json& j = file.json;
  const DatasetMeta& m = *known_metainfo(file.stem);
  c.expect(j.at("dataset_name") == m.dataset_name, "dataset_name " + m.dataset_name);
  c.expect(j.at("num_keypoints") == m.num_keypoints, "num_keypoints");
  for (const auto& [name, id] : j.at("keypoint_name2id").items())
    c.expect(m.keypoint_id(name) == id.get<int>(), "key point " + name);
  c.expect(j.at("upper_body_ids") == Json(m.upper_body_ids), "upper_body_ids");
  c.expect(j.at("lower_body_ids") == Json(m.lower_body_ids), "lower_body_ids");
  c.expect(j.at("flip_indices") == Json(m.flip_indices), "flip_indices");
  c.expect(j.at("flip_pairs").get<Pairs>() == m.flip_pairs, "flip_pairs");
  c.expect(j.at("skeleton_links").get<Pairs>() == m.skeleton_links, "skeleton_links");
  compare_numbers(c, "keypoint_colors", j.at("keypoint_colors"), flat(m.keypoint_colors));
  compare_numbers(c, "skeleton_link_colors", j.at("skeleton_link_colors"),
                  flat(m.skeleton_link_colors));
  // The reference's coco_aic and humanart_aic lack the last of their weights; ours have it.
  std::vector<double> weights = doubles(m.keypoint_weights);
  weights.resize(std::min(weights.size(), numbers(j.at("dataset_keypoint_weights")).size()));
  compare_numbers(c, "dataset_keypoint_weights", j.at("dataset_keypoint_weights"), weights, 1e-6);
  compare_numbers(c, "sigmas", j.at("sigmas"), doubles(m.sigmas), 1e-6);
  report.add(c);
}

namespace {

std::vector<double> values_of(const Tensor& t) { return to_array(t).values; }

// A field of a record under the reference's name; nothing where it is not kept.
std::optional<std::vector<double>> field_of(const Sample& s, const CocoStyleDataset& data,
                                            int64_t index, const std::string& name) {
  const auto records = data.instances(index);
  const auto each = [&](auto get) {
    std::vector<double> out;
    for (const InstanceRecord* r : records) out.push_back(double(get(*r)));
    return out;
  };
  const auto tensor = [](const Tensor& t) -> std::optional<std::vector<double>> {
    if (!t.defined()) return std::nullopt;
    return values_of(t);
  };
  if (name == "bbox") return tensor(s.bbox);
  if (name == "bbox_score") return tensor(s.bbox_score);
  if (name == "bbox_center") return tensor(s.bbox_center);
  if (name == "bbox_scale") return tensor(s.bbox_scale);
  if (name == "keypoints") return tensor(s.keypoints);
  if (name == "keypoints_visible") return tensor(s.keypoints_visible);
  if (name == "area") return tensor(s.area);
  if (name == "category_id") return tensor(s.category_id);
  if (name == "id") return each([](const auto& r) { return r.id; });
  if (name == "iscrowd") return each([](const auto& r) { return r.iscrowd; });
  if (name == "num_keypoints") return each([](const auto& r) { return r.num_keypoints; });
  if (name == "crowd_index") return std::vector<double>(records.size(), s.meta.crowd_index);
  if (name == "img_id") return std::vector<double>{double(s.meta.img_id)};
  if (name == "segmentation") {
    std::vector<double> out;
    for (const InstanceRecord* r : records)
      for (const auto& polygon : r->segmentation.polygons)
        out.insert(out.end(), polygon.begin(), polygon.end());
    return out;
  }
  if (const auto more = s.more.find(name); more != s.more.end()) return tensor(more->second.at(0));
  return std::nullopt;
}

// All numbers of a value, nulls and texts left out.
void collect(const Json& value, std::vector<double>& out) {
  if (value.is_object() && value.contains("values")) {
    const auto all = inline_array(value).values;
    out.insert(out.end(), all.begin(), all.end());
  } else if (value.is_object() && value.contains("counts")) {
    // run lengths of a crowd's mask: kept decoded
  } else if (value.is_array() || value.is_object()) {
    for (const Json& item : value) collect(item, out);
  } else if (value.is_boolean()) {
    out.push_back(value.get<bool>());
  } else if (!value.is_null()) {
    out.push_back(number(value));
  }
}

void compare_record(Case& c, const Json& expected, const CocoStyleDataset& data, int64_t index,
                    const std::filesystem::path& samples) {
  Random random(0);
  const Sample s = data.raw_sample(index, random);
  const std::set<std::string> passed_over{"sample_idx", "keypoints_3d", "dataset", "raw_ann_info"};
  for (const auto& [name, value] : expected.items()) {
    if (passed_over.count(name) > 0) continue;
    if (name == "img_path") {
      // A video's neighbouring frames are drawn at random; its own comes first.
      std::string path = value.is_array() ? value[0] : value;
      if (path.starts_with("tests/data/")) path = "samples/" + path.substr(11);
      c.expect((samples / path).string() == s.meta.img_path, "img_path " + s.meta.img_path);
      continue;
    }
    const auto got = field_of(s, data, index, name);
    if (!got) {
      c.expect(false, name + " is missing");
      continue;
    }
    std::vector<double> want;
    collect(value, want);
    // Depths are differences of f32 numbers around 1100 mm, which are 1.2e-4 apart.
    const bool depths = s.more.count("keypoints_cam") > 0;
    compare_numbers(c, str("sample ", index, " ", name), Json(want), *got, depths ? 1.3e-4 : 1e-6);
  }
}

// Rows of (F, ...) as doubles, zeros of this many where the array is not there.
std::vector<double> rows_or_zeros(const Tensor& t, const std::vector<int64_t>& rows, size_t width) {
  return t.defined() ? values_of(take_rows(t, rows)) : std::vector<double>(rows.size() * width);
}

// A field of a sequence under the reference's name; nothing where it is not kept.
std::optional<std::vector<double>> field_of(const Sample& s, const MocapDataset& data,
                                            int64_t index, const std::string& name) {
  const MocapFrames& f = data.frames();
  const std::vector<int64_t> frames = data.frames_of(index), last{frames.back()};
  if (name == "keypoints") return values_of(s.keypoints);
  if (name == "keypoints_visible") return values_of(s.keypoints_visible);
  if (name == "keypoints_3d") return values_of(take_rows(f.keypoints_3d, frames));
  if (name == "keypoints_3d_visible") return values_of(take_rows(f.visible_3d, frames));
  if (name == "lifting_target" || name == "lifting_target_visible")
    return values_of(s.more.at(name).at(0));
  if (name == "center") return rows_or_zeros(f.centers, last, 2);
  if (name == "scale") return rows_or_zeros(f.scales, last, 1);
  if (name == "factor") return rows_or_zeros(f.factors, last, 1);
  if (name == "bbox") return values_of(s.bbox);
  if (name == "bbox_score" || name == "bbox_scores") return std::vector<double>(frames.size(), 1);
  if (name == "bbox_scales") return std::vector<double>(2 * frames.size(), 1);
  if (name == "num_keypoints") return std::vector<double>{double(data.metainfo().num_keypoints)};
  if (name == "id") return std::vector<double>{double(index)};
  if (name == "category_id") return std::vector<double>{1};
  if (name == "iscrowd") return std::vector<double>{0};
  return std::nullopt;
}

void compare_camera(Case& c, const Json& expected, const Sample& s) {
  for (const auto& [name, value] : expected.items()) {
    const auto found = s.more.find("camera_param/" + name);
    std::vector<double> want;
    collect(value, want);
    if (value.is_string()) continue;
    c.expect(found != s.more.end(), "camera_param " + name + " is missing");
    if (found != s.more.end())
      compare_numbers(c, "camera_param " + name, Json(want), values_of(found->second[0]), 1e-6);
  }
}

void compare_sequence(Case& c, const Json& expected, const MocapDataset& data, int64_t index) {
  Random random(0);
  const Sample s = data.raw_sample(index, random);
  // Numbers of images and rows that follow from the file's layout.
  const std::set<std::string> passed_over{"sample_idx", "img_ids", "target_idx"};
  // The reference's folder is another, so names are compared from the end.
  const auto compare_path = [&](const Json& paths, const std::string& file) {
    const std::string want = paths.is_array() ? paths.back() : paths;
    c.expect(want.ends_with(file), "path " + file + ", expected " + want);
  };
  const std::vector<int64_t> frames = data.frames_of(index);
  const std::string& last_file = data.frames().names[size_t(frames.back())];
  for (const auto& [name, value] : expected.items()) {
    if (passed_over.contains(name)) continue;
    if (name == "img_path" || name == "img_paths") {
      compare_path(value, last_file);
    } else if (name == "target_img_path" || name == "target_img_paths") {
      compare_path(value, s.meta.target_img_path);
    } else if (name == "camera_param") {
      compare_camera(c, value.is_array() ? value[0] : value, s);
    } else if (const auto got = field_of(s, data, index, name)) {
      std::vector<double> want;
      collect(value, want);
      compare_numbers(c, str("sample ", index, " ", name), Json(want), *got, 1e-6);
    } else {
      c.expect(false, name + " is missing");
    }
  }
}

}  // namespace

void check_dataset_lists(const File& file, Report& report) {
  const auto& styles = coco_styles();
  const bool known = std::any_of(styles.begin(), styles.end(),
                                 [&](const CocoStyle& style) { return style.name == file.stem; });
  const auto& mocap = mocap_names();
  const bool sequences = std::ranges::find(mocap, file.stem) != mocap.end();
  for (const Json& j : file.json.at("cases")) {
    const std::string name = "datasets/lists/" + j.at("name").get<std::string>();
    if (!known && !sequences) {
      report.skip(name, "no reader of this kind of data set (3-D, video or multi-file)");
      continue;
    }
    Case c(name);
    try {
      Json args = j.at("args");
      args["type"] = file.stem;
      args["data_root"] = (file.samples / args.at("data_root").get<std::string>()).string();
      const auto data = make_dataset(Config::parse(args.dump(), name));
      c.expect(data->size() == j.at("num_samples").get<int64_t>(),
               str("samples: ", data->size(), ", expected ", j.at("num_samples").dump()));
      for (size_t i = 0; i < j.at("samples").size() && int64_t(i) < data->size(); ++i)
        if (sequences)
          compare_sequence(c, j.at("samples")[i], dynamic_cast<const MocapDataset&>(*data),
                           int64_t(i));
        else
          compare_record(c, j.at("samples")[i], dynamic_cast<const CocoStyleDataset&>(*data),
                         int64_t(i), file.samples);
      report.add(c);
    } catch (const std::exception& error) {
      report.fail(name, error.what());
    }
  }
}

}  // namespace limber::oracle
