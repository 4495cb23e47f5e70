// Parity of the geometry primitives, the image operations and the data transforms.
#include <cmath>
#include <fstream>
#include <functional>
#include <map>

#include "data/image.h"
#include "data/transforms/bottomup.h"
#include "data/transforms/color.h"
#include "data/transforms/flip.h"
#include "data/transforms/mix.h"
#include "data/transforms/target.h"
#include "data/transforms/topdown.h"
#include "data/warp.h"
#include "pose/core/bbox.h"
#include "pose/core/keypoint.h"
#include "pose/estimators/preprocessor.h"
#include "tests/oracle/oracle.h"
#include "tests/oracle/post.h"

namespace limber::oracle {
namespace {

const char* const kImages[] = {"000000000785.jpg", "000000040083.jpg", "000000196141.jpg",
                               "000000197388.jpg"};
// Grey levels agree exactly.
constexpr Tolerance kPixels{0, 1e-3};

Tensor tensor_of(const Json& record) { return to_tensor(inline_array(record)); }
std::string text(const Json& j, const char* key, const char* fallback) {
  return j.contains(key) && j.at(key).is_string() ? j.at(key).get<std::string>() : fallback;
}
Point point_of(const Json& record) {
  const Array a = inline_array(record);
  return {a.values.at(0), a.values.at(1)};
}
Config config_of(const Json& j) { return Config::parse(j.dump(), "oracle"); }

void compare_list(Case& c, const Json& expected, const std::vector<Tensor>& got) {
  const Json list = expected.is_array() ? expected : Json::array({expected});
  c.expect(list.size() == got.size(), "number of outputs");
  for (size_t i = 0; i < std::min(list.size(), got.size()); ++i)
    c.compare(list[i], to_array(got[i]), {2e-5, 1e-4});
}

std::vector<Tensor> run_bbox(const std::string& name, const Json& in) {
  const auto box = [&] { return tensor_of(in.at("bbox")); };
  const double padding = in.contains("padding") ? number(in.at("padding")) : 1;
  const auto starts = [&](const char* what) {
    return name.rfind(std::string("bbox/") + what, 0) == 0;
  };
  const auto size = [&](const char* key) { return in.at(key).get<std::array<int, 2>>(); };
  if (starts("xyxy2cs") || starts("xywh2cs")) {
    const auto cs = bbox_to_center_scale(starts("xywh") ? xywh_to_xyxy(box()) : box(), padding);
    return {cs.center, cs.scale};
  }
  if (starts("cs2")) {
    const Tensor boxes =
        center_scale_to_bbox(tensor_of(in.at("center")), tensor_of(in.at("scale")), padding);
    return {starts("cs2xywh") ? xyxy_to_xywh(boxes) : boxes};
  }
  if (starts("xyxy2xywh")) return {xyxy_to_xywh(tensor_of(in.at("bbox_xyxy")))};
  if (starts("xywh2xyxy")) return {xywh_to_xyxy(tensor_of(in.at("bbox_xywh")))};
  if (starts("xyxy2corner")) return {bbox_corners(box())};
  if (starts("corner2xyxy")) return {corners_bbox(box())};
  if (starts("clip_border")) return {clip_bbox(box(), size("shape"))};
  if (starts("flip")) {
    const std::string layout = in.at("bbox_format"), direction = in.at("direction");
    return {flip_bbox(box(), size("image_size"),
                      layout == "xyxy"   ? BoxLayout::xyxy
                      : layout == "xywh" ? BoxLayout::xywh
                                         : BoxLayout::center,
                      direction != "vertical", direction != "horizontal")};
  }
  if (starts("overlaps")) {
    const std::string mode = in.at("mode");
    return {bbox_overlaps(tensor_of(in.at("bboxes1")), tensor_of(in.at("bboxes2")),
                          mode == "iou"   ? Overlap::iou
                          : mode == "iof" ? Overlap::iof
                                          : Overlap::giou,
                          in.at("is_aligned"))};
  }
  fail("no such box function here");
}

std::vector<Tensor> run_keypoint(const std::string& name, const Json& in) {
  const Keypoints keypoints{tensor_of(in.at("keypoints")), tensor_of(in.at("keypoints_visible"))};
  if (name == "keypoint/clip_border")
    return {keypoints.points, visible_inside(keypoints, in.at("shape").get<std::array<int, 2>>())};
  const auto indices = in.at("flip_indices").get<std::vector<int>>();
  Keypoints out;
  if (in.contains("center_mode")) {
    out = in.at("center_mode") == "static"
              ? flip_keypoints_around(keypoints, indices, number(in.at("center_x")))
              : flip_keypoints_around_root(keypoints, indices, in.at("center_index"));
  } else {
    const std::string direction = in.at("direction");
    out = flip_keypoints(keypoints, indices, in.at("image_size").get<std::array<int, 2>>(),
                         direction != "vertical", direction != "horizontal");
  }
  return {out.points, out.visible};
}

template <size_t N>
Array matrix_array(const std::array<double, N>& m) {
  return {Shape{int64_t(N / 3), 3}, {m.begin(), m.end()}};
}

void run_matrix(Case& c, const Json& in, const Json& expected) {
  const Point center = point_of(in.at("center"));
  const double rotation = number(in.at("rot"));
  if (in.contains("shear")) {
    c.compare(expected, matrix_array(perspective_matrix(center, point_of(in.at("translate")),
                                                        number(in.at("scale")), rotation,
                                                        point_of(in.at("shear")))));
    return;
  }
  const auto size = in.at("output_size").get<std::array<int, 2>>();
  const Point scale = point_of(in.at("scale"));
  if (!in.contains("shift")) {
    c.compare(expected, matrix_array(udp_warp_matrix(center, scale, rotation,
                                                     {double(size[0]), double(size[1])})));
    return;
  }
  WarpOptions options;
  options.shift = {number(in.at("shift")[0]), number(in.at("shift")[1])};
  options.inverse = in.value("inv", false);
  options.fix_aspect_ratio = in.value("fix_aspect_ratio", true);
  c.compare(expected, matrix_array(warp_matrix(center, scale, rotation, size, options)),
            {2e-6, 1e-5});
}

Tensor source_image(const File& file, const Json& c) {
  const std::string name = c.at("image");
  if (name.find("hashfill") == std::string::npos)
    return read_image(file.samples / "samples/coco" / name);
  return to_tensor(hashu("wa.f", {40, 30, 1}, 0, 1));
}

void run_image(Case& c, const File& file, const Json& j) {
  const Tensor image = source_image(file, j);
  const auto size = j.at("size").get<std::array<int, 2>>();
  const std::map<std::string, Sampling> samplings{{"bilinear", Sampling::bilinear},
                                                  {"nearest", Sampling::nearest},
                                                  {"bicubic", Sampling::bicubic},
                                                  {"area", Sampling::area}};
  Tensor out;
  if (j.contains("matrix")) {
    const Array values = inline_array(j.at("matrix"));
    Matrix23 m;
    std::copy_n(values.values.begin(), 6, m.begin());
    const bool nearest = c.name().find("nearest") != std::string::npos;
    out = warp_affine(image, m, size, kBlack, nearest ? Sampling::nearest : Sampling::bilinear);
  } else {
    out = resize_image(image, size, samplings.at(j.at("interpolation")));
  }
  if (out.size(2) == 1) out = out.alias({out.size(0), out.size(1)});
  c.compare(j.at("outputs")[0], to_array(out),
            image.dtype() == DType::u8 ? kPixels : Tolerance{1e-6, 1e-6});
}

// The results dict that the transforms start from: one person of the first sample image.
Sample base_sample(const File& file) {
  std::ifstream in(file.root / "transforms/inputs.json");
  const Json inputs = Json::parse(in);
  Sample s;
  s.meta.img_path = file.samples / "samples/coco" / kImages[0];
  s.img = read_image(s.meta.img_path);
  s.meta.img_shape = s.meta.ori_shape = {int(s.img.size(0)), int(s.img.size(1))};
  for (const Json& field : inputs.at("cases")[0].at("fields")) {
    const std::string name = field.at("name");
    const Tensor value = tensor_of(field);
    if (name == "bbox") s.bbox = value;
    if (name == "bbox_score") s.bbox_score = value;
    if (name == "keypoints") s.keypoints = value;
    if (name == "keypoints_visible") s.keypoints_visible = value;
    if (name == "area") s.area = value;
    if (name == "dataset_keypoint_weights")
      s.keypoint_weights.assign(value.data<float>(), value.data<float>() + value.numel());
  }
  auto meta = std::make_shared<DatasetMeta>();
  for (int k = 0; k < 17; ++k) {
    (k < 11 ? meta->upper_body_ids : meta->lower_body_ids).push_back(k);
    meta->flip_indices.push_back(k == 0 ? 0 : k % 2 == 1 ? k + 1 : k - 1);
  }
  s.dataset = meta;
  s.meta.flip_indices = meta->flip_indices;
  return s;
}

// A sample of the COCO file's instances on one of its images.
Sample mixed_sample(const File& file, size_t which) {
  Sample s;
  s.meta.img_path = file.samples / "samples/coco" / kImages[which];
  s.img = read_image(s.meta.img_path);
  s.meta.img_shape = s.meta.ori_shape = {int(s.img.size(0)), int(s.img.size(1))};
  std::ifstream in(file.samples / "samples/coco/test_coco.json");
  const Json coco = Json::parse(in);
  std::vector<float> boxes, points, visible, areas, ones;
  for (const Json& a : coco.at("annotations")) {
    if (std::to_string(int64_t(a.at("image_id"))) !=
        std::to_string(std::stoll(std::string(kImages[which]))))
      continue;
    const auto b = a.at("bbox").get<std::vector<double>>();
    for (double v : {b[0], b[1], b[0] + b[2], b[1] + b[3]}) boxes.push_back(float(v));
    const auto k = a.at("keypoints").get<std::vector<double>>();
    for (size_t i = 0; i < k.size(); i += 3) {
      points.push_back(float(k[i])), points.push_back(float(k[i + 1]));
      visible.push_back(float(std::min(1.0, k[i + 2])));
    }
    areas.push_back(float(double(a.at("area"))));
    ones.push_back(1);
  }
  const int64_t N = int64_t(ones.size());
  s.bbox = Tensor::from(boxes, {N, 4});
  s.keypoints = Tensor::from(points, {N, 17, 2});
  s.keypoints_visible = Tensor::from(visible, {N, 17});
  s.area = Tensor::from(areas, {N});
  s.bbox_score = Tensor::from(ones, {N});
  s.category_id = Tensor::from(ones, {N});
  for (int k = 0; k < 17; ++k)
    s.meta.flip_indices.push_back(k == 0 ? 0 : k % 2 == 1 ? k + 1 : k - 1);
  return s;
}

std::vector<double> flat(const Json& draws) {
  std::vector<double> out;
  for (const Json& d : draws) {
    const Array a = d.is_object() ? inline_array(d) : Array{{1}, {number(d)}};
    out.insert(out.end(), a.values.begin(), a.values.end());
  }
  return out;
}

using Runner = std::function<void(const Json& j, const Config& config, Sample& s, Random& random)>;

const std::map<std::string, Runner>& runners() {
  static const std::map<std::string, Runner> table{
      {"GetBBoxCenterScale", [](const Json&, const Config& t, Sample& s,
                                Random& r) { GetBBoxCenterScale(t).apply(s, r); }},
      {"KeypointConverter", [](const Json&, const Config& t, Sample& s,
                               Random& r) { KeypointConverter(t).apply(s, r); }},
      {"BottomupResize",
       [](const Json&, const Config& t, Sample& s, Random& r) { BottomupResize(t).apply(s, r); }},
      {"FilterAnnotations", [](const Json&, const Config& t, Sample& s,
                               Random& r) { FilterAnnotations(t).apply(s, r); }},
      {"TopdownAffine",
       [](const Json& j, const Config& t, Sample& s, Random& r) {
         const std::string note = text(j, "note", "");
         const size_t at = note.find("bbox_rotation ");
         if (at != std::string::npos)
           s.bbox_rotation = Tensor::full({1}, std::stod(note.substr(at + 14)));
         TopdownAffine(t).apply(s, r);
       }},
      {"RandomFlip",
       [](const Json& j, const Config& t, Sample& s, Random&) {
         const std::string d = j.at("random_draws").at("_choose_direction");
         RandomFlip(t).carry_out(s, d == "horizontal" ? FlipDirection::horizontal
                                    : d == "vertical" ? FlipDirection::vertical
                                                      : FlipDirection::diagonal);
       }},
      {"RandomHalfBody",
       [](const Json& j, const Config& t, Sample& s, Random&) {
         RandomHalfBody::Choice choice;
         for (const Json& ids : j.at("random_draws").at("_random_select_half_body")) {
           choice.emplace_back();
           if (!ids.is_null()) choice.back() = ids.get<std::vector<int>>();
         }
         RandomHalfBody(t).carry_out(s, choice);
       }},
      {"RandomBBoxTransform",
       [](const Json& j, const Config& t, Sample& s, Random& r) {
         const RandomBBoxTransform transform(t);
         const Json& draws = j.at("random_draws");
         if (draws.contains("_truncnorm")) {
           const auto normals = inline_array(draws.at("_truncnorm")).values;
           transform.carry_out(s, std::array{transform.from_normals(normals, r)});
         } else {
           const auto v = flat(draws.at("_get_transform_params"));
           transform.carry_out(s, std::array{RandomBBoxTransform::Draw{{v[0], v[1]}, v[2], v[3]}});
         }
       }},
      {"PhotometricDistortion",
       [](const Json& j, const Config& t, Sample& s, Random&) {
         const auto v = flat(j.at("random_draws").at("_random_flags"));
         PhotometricDistortion::Draw d;
         d.change_brightness = v[1] == 1, d.change_contrast = v[2] == 1 && v[0] == 1;
         d.change_saturation = v[3] == 1 || v[3] == 3, d.change_hue = v[3] == 2 || v[3] == 3;
         d.swap_channels = v[4] == 1, d.brightness = v[5], d.contrast = v[6], d.saturation = v[7];
         d.hue = int(v[8]), d.channels = {int(v[9]), int(v[10]), int(v[11])};
         PhotometricDistortion(t).carry_out(s, d);
       }},
      {"YOLOXHSVRandomAug",
       [](const Json& j, const Config& t, Sample& s, Random&) {
         const auto v = inline_array(j.at("random_draws").at("_get_hsv_gains")).values;
         YOLOXHSVRandomAug(t).carry_out(s, {int(v[0]), int(v[1]), int(v[2])});
       }},
      {"BottomupRandomAffine",
       [](const Json& j, const Config& t, Sample& s, Random&) {
         const auto v = flat(j.at("random_draws").at("_get_transform_params"));
         BottomupRandomAffine(t).carry_out(s, {{v[0], v[1]}, v[2], v[3], {v[4], v[5]}});
       }},
      {"BottomupRandomCrop",
       [](const Json& j, const Config& t, Sample& s, Random&) {
         const Json& d = j.at("random_draws");
         const auto size = d.at("_get_crop_size").get<std::array<int, 2>>();
         const auto offset = d.at("_rand_offset").get<std::array<int, 2>>();
         BottomupRandomCrop(t).carry_out(s, {{size[1], size[0]}, {offset[1], offset[0]}});
       }},
      {"BottomupRandomChoiceResize",
       [](const Json& j, const Config& t, Sample& s, Random&) {
         BottomupRandomChoiceResize(t).carry_out(s, j.at("random_draws").at("_random_select")[1]);
       }},
      {"BottomupGetHeatmapMask",
       [](const Json& j, const Config& t, Sample& s, Random& r) {
         const std::string note = j.at("note");
         const Json segs = Json::parse(note.substr(note.find('[')));
         for (const Json& seg : segs)
           s.invalid_segs.push_back({seg.get<std::vector<std::vector<float>>>(), {}, {}});
         const auto shape = j.at("outputs")[0].at("shape").get<std::vector<int64_t>>();
         s.fields["heatmaps"] = {Tensor::zeros({17, shape[0], shape[1]})};
         BottomupGetHeatmapMask(t).apply(s, r);
       }},
      {"RandomFlipAroundRoot", [](const Json&, const Config& t, Sample& s,
                                  Random&) { RandomFlipAroundRoot(t).carry_out(s); }},
  };
  return table;
}

// A field by the name that the reference's dict gives it.
Tensor field_of(const Sample& s, const std::string& name) {
  const auto numbers = [](auto list) {
    std::vector<float> v(list.begin(), list.end());
    return Tensor::from(v, {int64_t(v.size())});
  };
  if (name == "img" || name == "img/0") return s.img;
  if (name.rfind("img/", 0) == 0) return s.scaled_imgs.at(std::stoul(name.substr(4)) - 1);
  if (name == "bbox") return s.bbox;
  if (name == "bbox_score") return s.bbox_score;
  if (name == "bbox_center") return s.bbox_center;
  if (name == "bbox_scale") return s.bbox_scale;
  if (name == "bbox_rotation") return s.bbox_rotation;
  if (name == "keypoints") return s.keypoints;
  if (name == "keypoints_visible") return s.keypoints_visible;
  if (name == "transformed_keypoints") return s.transformed_keypoints;
  if (name == "area") return s.area;
  if (name == "category_id") return s.category_id;
  if (name == "heatmap_mask") return s.fields.at("heatmap_mask").at(0);
  if (name == "input_center") return numbers(s.meta.input_center);
  if (name == "input_scale") return numbers(s.meta.input_scale);
  if (name == "input_size") return numbers(s.meta.input_size);
  if (name == "img_shape") return numbers(s.meta.img_shape);
  if (name == "flip_indices") return numbers(s.meta.flip_indices);
  const auto found = s.more.find(name);
  return found == s.more.end() ? Tensor() : found->second.at(0);
}

void compare_sample(Case& c, const Json& outputs, const Sample& s) {
  for (const Json& record : outputs) {
    const std::string name = record.at("name");
    if (name == "flip" || name == "flip_direction") {
      c.expect(name == "flip" ? s.meta.flip == record.at("value").get<bool>()
                              : s.meta.flip_direction == record.at("value").get<std::string>(),
               name);
      continue;
    }
    // Bookkeeping that no later step reads.
    if (name == "scale_factor" || name == "scale_idx" || name == "aug_scales") continue;
    if (name == "warp_mat") {
      const bool full = record.at("shape")[0] == 3;
      const Matrix33& m = s.warp_mat;
      c.compare(record,
                full ? matrix_array(m) : matrix_array(Matrix23{m[0], m[1], m[2], m[3], m[4], m[5]}),
                {1e-5, 1e-5});
      continue;
    }
    const Tensor got = field_of(s, name);
    if (!got.defined()) {
      c.expect(false, name + " is missing");
      continue;
    }
    if (record.contains("value")) {
      const Array expected = inline_array(record.at("value"));
      for (int64_t i = 0; i < got.numel(); ++i)  // a third number of img_shape is its channels
        c.expect(std::abs(expected.values.at(size_t(i)) - to_array(got).values[size_t(i)]) < 1e-3,
                 name);
      continue;
    }
    c.compare(record, to_array(got), got.dtype() == DType::u8 ? kPixels : Tolerance{1e-5, 1e-4});
  }
}

Sample lifting_sample(const Json& fields) {
  Sample s;
  s.keypoints = tensor_of(fields.at("keypoints"));
  s.keypoints_visible = tensor_of(fields.at("keypoints_visible"));
  s.meta.flip_indices = fields.at("flip_indices").get<std::vector<int>>();
  for (const char* name : {"lifting_target", "lifting_target_visible"})
    s.more[name] = {tensor_of(fields.at(name))};
  return s;
}

void run_preprocessor(Case& c, const File& file, const Json& j) {
  const Tensor image = read_image(file.samples / "samples/coco" / kImages[0]);
  std::vector<DataSample> batch(2);
  batch[0].inputs = image;
  batch[1].inputs = crop_image(image, 0, 0, {400, 300});
  const Preprocessor preprocessor(Config::parse(
      R"({"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "bgr_to_rgb": true,
          "pad_size_divisor": 32})"));
  c.compare(j.at("outputs")[0], channels_first(preprocessor(batch, false)));
}

void run_mixing(Case& c, const File& file, const Json& j) {
  std::vector<Sample> samples;
  for (size_t i = 0; i < 4; ++i) samples.push_back(mixed_sample(file, i));
  const Config config = config_of(j.at("transform"));
  const Json& draws = j.at("random_draws");
  Sample sample = samples[0];
  if (file.stem == "Mosaic") {
    samples.erase(samples.begin());
    Mosaic(config).carry_out(sample, samples,
                             {number(draws.at("uniform")[0]), number(draws.at("uniform")[1])});
  } else {
    // Both records, flip0 and flip1, hold the same numbers: those of a mirrored image.
    YOLOXMixUp(config).carry_out(sample, samples[1], {number(draws.at("jit_factor")), true, 5, 5});
  }
  compare_sample(c, j.at("outputs"), sample);
}

void run_case(Case& c, const File& file, const Json& j, const Json& lifting) {
  if (file.stem == "bbox")
    return compare_list(c, j.at("outputs"), run_bbox(c.name(), j.at("inputs")));
  if (file.stem == "keypoint")
    return compare_list(c, j.at("outputs"), run_keypoint(c.name(), j.at("inputs")));
  if (file.stem == "warp_matrix") return run_matrix(c, j.at("inputs"), j.at("outputs"));
  if (file.stem == "resize" || file.stem == "warpAffine") return run_image(c, file, j);
  if (file.stem == "PoseDataPreprocessor") return run_preprocessor(c, file, j);
  if (file.stem == "Mosaic" || file.stem == "YOLOXMixUp") return run_mixing(c, file, j);
  Sample sample = lifting.is_null() ? base_sample(file) : lifting_sample(lifting);
  if (file.stem == "inputs") return;
  Random random(1);
  for (const Json& pre : j.at("pre_transforms"))
    runners().at(pre.at("type"))(Json(), config_of(pre), sample, random);
  runners().at(j.at("transform").at("type"))(j, config_of(j.at("transform")), sample, random);
  compare_sample(c, j.at("outputs"), sample);
}

}  // namespace

void check_transforms(const File& file, Report& report) {
  if (file.stem == "post") return check_post(file, report);
  Json lifting;
  for (const Json& j : file.json.at("cases")) {
    const std::string name = j.at("name");
    if (name == "RandomFlipAroundRoot/inputs") {
      lifting = j.at("fields");
      continue;
    }
    Case c(name);
    try {
      if (file.stem == "inputs") {
        c.compare(j.at("image"), to_array(base_sample(file).img), {0, 0});
      } else if (j.contains("transform") || file.stem == "bbox" || file.stem == "keypoint" ||
                 file.stem == "warp_matrix" || file.stem == "resize" || file.stem == "warpAffine" ||
                 file.stem == "PoseDataPreprocessor") {
        run_case(c, file, j, lifting);
      } else {
        report.skip(name, "not a data transform");
        continue;
      }
      report.add(c);
    } catch (const std::exception& error) {
      report.fail(name, error.what());
    }
  }
}

}  // namespace limber::oracle
