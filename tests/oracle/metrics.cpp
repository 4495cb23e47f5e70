// Metrics against recorded numbers: single functions, and whole metrics fed with samples.
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>

#include "pose/core/accuracy.h"
#include "pose/core/nms.h"
#include "pose/metrics/keypoint_mapping.h"
#include "pose/metrics/metric.h"
#include "tests/oracle/oracle.h"

namespace limber::oracle {
namespace {

constexpr double kRelative = 2e-6;  // of numbers printed with nine digits from f32 sums

Points points_of(const Json& record) {
  const Array a = inline_array(record);
  const int rank = a.shape.rank();
  check(rank == 2 || rank == 3, "oracle: points of shape ", a.shape);
  return {rank == 3 ? a.shape[0] : 1, a.shape[-2], a.shape[-1], a.values};
}

PointMask mask_of(const Json& record) {
  PointMask mask;
  for (double v : inline_array(record).values) mask.push_back(v != 0);
  return mask;
}

std::vector<double> numbers(const Json& record) {
  return record.is_number() ? std::vector<double>{number(record)} : inline_array(record).values;
}

void expect_near(Case& test, const std::string& what, double got, double expected) {
  test.expect(std::abs(got - expected) <= kRelative * std::max(1.0, std::abs(expected)),
              str(what, ": ", got, ", expected ", expected));
}

void expect_all(Case& test, const std::string& what, const std::vector<double>& got,
                const std::vector<double>& expected) {
  if (got.size() != expected.size()) {
    test.expect(false, str(what, ": ", got.size(), " numbers, expected ", expected.size()));
    return;
  }
  for (size_t i = 0; i < got.size(); ++i)
    expect_near(test, str(what, "[", i, "]"), got[i], expected[i]);
}

template <class T>
std::vector<double> wide(const std::vector<T>& values) {
  return {values.begin(), values.end()};
}

void expect_accuracy(Case& test, const Json& outputs, const PointAccuracy& got) {
  expect_all(test, "per key point", got.per_keypoint, numbers(outputs.at(0)));
  expect_near(test, "average", got.average, number(outputs.at(1)));
  expect_near(test, "count", got.counted, number(outputs.at(2)));
}

// Key points (K, 3) or (K, 2) in any layout; `area` and `score` where the record has them.
std::vector<PoseCandidate> candidates_of(const Json& records, bool score_per_joint) {
  std::vector<PoseCandidate> out;
  for (const Json& record : records) {
    PoseCandidate pose;
    pose.keypoints = inline_array(record.at("keypoints")).values;
    const std::vector<double> scores = numbers(record.at("score"));
    double sum = 0;
    for (double score : scores) sum += score;
    pose.score = score_per_joint ? sum / double(scores.size()) : scores.at(0);
    pose.area = record.contains("area") ? number(record.at("area")) : 0;
    out.push_back(std::move(pose));
  }
  return out;
}

OksOptions oks_options(const Json& in) {
  OksOptions options;
  if (in.contains("sigmas") && !in.at("sigmas").is_null())
    options.sigmas = numbers(in.at("sigmas"));
  if (in.contains("vis_thr") && !in.at("vis_thr").is_null())
    options.visible_above = number(in.at("vis_thr"));
  return options;
}

KeypointMapping mapping_of(const Json& in) {
  const Json config = {{"num_keypoints", in.at("num_keypoints")}, {"mapping", in.at("mapping")}};
  return read_keypoint_mapping(Config::parse(config.dump()));
}

using Check = std::function<void(Case&, const Json& in, const Json& out)>;

void check_distances(Case& test, const Json& in, const Json& out) {
  expect_all(test, "distances",
             wide(point_distances(points_of(in.at("preds")), points_of(in.at("gts")),
                                  mask_of(in.at("mask")), numbers(in.at("norm_factor")))),
             numbers(out));
}

void check_pck(Case& test, const Json& in, const Json& out) {
  expect_accuracy(test, out,
                  keypoint_pck_accuracy(points_of(in.at("pred")), points_of(in.at("gt")),
                                        mask_of(in.at("mask")), number(in.at("thr")),
                                        numbers(in.at("norm_factor"))));
}

void check_auc(Case& test, const Json& in, const Json& out) {
  expect_near(test, "auc",
              keypoint_auc(points_of(in.at("pred")), points_of(in.at("gt")), mask_of(in.at("mask")),
                           number(in.at("norm_factor")), in.value("num_thrs", 20)),
              number(out));
}

void check_epe(Case& test, const Json& in, const Json& out) {
  expect_near(
      test, "epe",
      keypoint_epe(points_of(in.at("pred")), points_of(in.at("gt")), mask_of(in.at("mask"))),
      number(out));
}

void check_nme(Case& test, const Json& in, const Json& out) {
  expect_near(test, "nme",
              keypoint_nme(points_of(in.at("pred")), points_of(in.at("gt")), mask_of(in.at("mask")),
                           numbers(in.at("normalize_factor"))),
              number(out));
}

void check_mpjpe(Case& test, const Json& in, const Json& out) {
  const std::string name = in.value("alignment", "none");
  const Alignment alignment = name == "procrustes" ? Alignment::procrustes
                              : name == "scale"    ? Alignment::scale
                                                   : Alignment::none;
  expect_near(test, "mpjpe",
              keypoint_mpjpe(points_of(in.at("pred")), points_of(in.at("gt")),
                             mask_of(in.at("mask")), alignment),
              number(out));
}

void check_similarity(Case& test, const Json& in, const Json& out) {
  expect_all(test, "points",
             similarity_aligned(numbers(in.at("source_points")), numbers(in.at("target_points"))),
             numbers(out));
}

void check_multilabel(Case& test, const Json& in, const Json& out) {
  const Array pred = inline_array(in.at("pred"));
  PointMask mask = mask_of(in.at("mask"));
  const size_t labels = size_t(pred.shape[-1]);
  if (mask.size() != pred.values.size()) {  // one flag per row
    PointMask all;
    for (uint8_t flag : mask) all.insert(all.end(), labels, flag);
    mask = all;
  }
  expect_near(test, "accuracy",
              multilabel_accuracy(pred.values, numbers(in.at("gt")), mask, int64_t(labels)),
              number(out));
}

void check_oks(Case& test, const Json& in, const Json& out) {
  const Array d = inline_array(in.at("d"));
  const std::vector<double> areas = numbers(in.at("a_d"));
  const PoseCandidate g{numbers(in.at("g")), 0, number(in.at("a_g"))};
  const size_t width = g.keypoints.size();
  std::vector<double> got;
  for (size_t i = 0; i * width < d.values.size(); ++i) {
    const auto begin = d.values.begin() + int64_t(i * width);
    const PoseCandidate one{{begin, begin + int64_t(width)}, 0, areas[i]};
    got.push_back(pose_oks(g, one, oks_options(in)));
  }
  expect_all(test, "oks", got, numbers(out));
}

void check_oks_nms(Case& test, const Json& in, const Json& out) {
  const auto poses = candidates_of(in.at("kpts_db"), in.value("score_per_joint", false));
  expect_all(test, "kept", wide(oks_nms(poses, number(in.at("thr")), oks_options(in))),
             numbers(out));
}

void check_soft_oks_nms(Case& test, const Json& in, const Json& out) {
  const auto poses = candidates_of(in.at("kpts_db"), in.value("score_per_joint", false));
  expect_all(
      test, "kept",
      wide(soft_oks_nms(poses, number(in.at("thr")), in.value("max_dets", 20), oks_options(in))),
      numbers(out));
}

void check_nearby(Case& test, const Json& in, const Json& out) {
  std::vector<double> keypoints, scores;
  int64_t K = 0;
  for (const PoseCandidate& pose :
       candidates_of(in.at("kpts_db"), in.value("score_per_joint", false))) {
    keypoints.insert(keypoints.end(), pose.keypoints.begin(), pose.keypoints.end());
    scores.push_back(pose.score);
    K = int64_t(pose.keypoints.size() / 2);
  }
  NearbyJointsOptions options;
  options.distance_share = in.value("dist_thr", options.distance_share);
  if (in.contains("num_nearby_joints_thr") && !in.at("num_nearby_joints_thr").is_null())
    options.min_near = in.at("num_nearby_joints_thr").get<int>();
  options.max_dets = in.value("max_dets", -1);
  expect_all(test, "kept", wide(nearby_joints_nms(keypoints, scores, K, options)), numbers(out));
}

void check_box_nms(Case& test, const Json& in, const Json& out) {
  const std::vector<double> dets = numbers(in.at("dets"));
  std::vector<double> boxes, scores;
  for (size_t i = 0; i < dets.size(); i += 5) {
    boxes.insert(boxes.end(), dets.begin() + int64_t(i), dets.begin() + int64_t(i) + 4);
    scores.push_back(dets[i + 4]);
  }
  expect_all(test, "kept", wide(box_nms(boxes, scores, number(in.at("thr")))), numbers(out));
}

void check_nms_torch(Case& test, const Json& in, const Json& out) {
  const std::vector<double> boxes = numbers(in.at("bboxes")), scores = numbers(in.at("scores"));
  const std::vector<float> b(boxes.begin(), boxes.end()), s(scores.begin(), scores.end());
  expect_all(test, "kept", wide(continuous_box_nms(b, s, in.value("threshold", 0.65))),
             numbers(out));
}

Tensor filled(const Json& record) {
  const auto dims = record.at("shape").get<std::vector<int64_t>>();
  return to_tensor(hashu(record.at("hashfill").get<std::string>(),
                         Shape(std::span<const int64_t>(dims)), number(record.at("lo")),
                         number(record.at("hi"))));
}

// Copies of the outputs' rows from..K-1 of (N, K, W), replaced by a fill of their own.
Tensor with_rows(const Tensor& base, int64_t from, const std::string& fill) {
  Tensor out = base.clone();
  const int64_t N = base.size(0), K = base.size(1), W = base.size(2);
  const Array rows = hashu(fill, Shape{N, K - from, W}, 0, 1);
  for (int64_t n = 0; n < N; ++n)
    for (int64_t i = 0; i < (K - from) * W; ++i)
      out.data<float>()[(n * K + from) * W + i] =
          float(rows.values[size_t(n * (K - from) * W + i)]);
  return out;
}

// The target's recipe is given in words: half the output for the first three maps, a fill of its
// own for the others, nothing in map (0, 1).
void check_pose_pck(Case& test, const Json& in, const Json& out) {
  const Tensor output = filled(in.at("output"));
  Json own = in.at("output");
  own["hashfill"] = "f.hg";
  const Tensor target = filled(own);
  const int64_t K = output.size(1), map = output.size(2) * output.size(3);
  for (int64_t i = 0; i < output.numel(); ++i) {
    const int64_t n = i / (K * map), k = i / map % K;
    if (k < 3) target.data<float>()[i] = 0.5f * output.data<float>()[i];
    if (n == 0 && k == 1) target.data<float>()[i] = 0;
  }
  const Tensor factors =
      in.contains("normalize") ? to_tensor(inline_array(in.at("normalize"))) : Tensor();
  expect_accuracy(test, out,
                  heatmap_pck(output, target, to_tensor(inline_array(in.at("mask"))),
                              in.value("thr", 0.05), factors));
}

void check_simcc_pck(Case& test, const Json& in, const Json& out) {
  const SimccVectors output{filled(in.at("output_x")), filled(in.at("output_y"))};
  const SimccVectors target{with_rows(output.x, 2, "f.tx"), with_rows(output.y, 2, "f.ty")};
  expect_accuracy(test, out,
                  simcc_pck(output, target, number(in.at("simcc_split_ratio")),
                            to_tensor(inline_array(in.at("mask"))), in.value("thr", 0.05)));
}

void check_transform_ann(Case& test, const Json& in, const Json& out) {
  RawAnnotation ann;
  ann.keypoints = numbers(in.at("ann_info").at("keypoints"));
  expect_all(test, "keypoints", mapping_of(in).annotation(ann).keypoints,
             numbers(out.at("keypoints")));
}

void check_transform_pred(Case& test, const Json& in, const Json& out) {
  const Points points = points_of(in.at("pred_info").at("keypoints"));
  const std::vector<double> scores = numbers(in.at("pred_info").at("keypoint_scores"));
  std::vector<double> both, moved, moved_scores;
  for (size_t i = 0; i < scores.size(); ++i)
    both.insert(both.end(), {points.values[2 * i], points.values[2 * i + 1], scores[i]});
  const std::vector<double> result = mapping_of(in).points(both, points.K, 3);
  for (size_t i = 0; i < result.size(); i += 3) {
    moved.insert(moved.end(), {result[i], result[i + 1]});
    moved_scores.push_back(result[i + 2]);
  }
  expect_all(test, "keypoints", moved, numbers(out.at("keypoints")));
  expect_all(test, "scores", moved_scores, numbers(out.at("keypoint_scores")));
}

void check_transform_sigmas(Case& test, const Json& in, const Json& out) {
  const std::vector<double> sigmas = numbers(in.at("sigmas"));
  const std::vector<float> narrow(sigmas.begin(), sigmas.end());
  expect_all(test, "sigmas", wide(mapping_of(in).sigmas(narrow)), numbers(out));
}

const std::map<std::string, Check>& checks() {
  static const std::map<std::string, Check> table = {
      {"calc_distances", check_distances},
      {"keypoint_pck_accuracy", check_pck},
      {"keypoint_auc", check_auc},
      {"keypoint_epe", check_epe},
      {"keypoint_nme", check_nme},
      {"keypoint_mpjpe", check_mpjpe},
      {"compute_similarity_transform", check_similarity},
      {"multilabel_classification_accuracy", check_multilabel},
      {"oks_iou", check_oks},
      {"oks_nms", check_oks_nms},
      {"soft_oks_nms", check_soft_oks_nms},
      {"nearby_joints_nms", check_nearby},
      {"nms", check_box_nms},
      {"nms_torch", check_nms_torch},
      {"pose_pck_accuracy", check_pose_pck},
      {"simcc_pck_accuracy", check_simcc_pck},
      {"transform_ann", check_transform_ann},
      {"transform_pred", check_transform_pred},
      {"transform_sigmas", check_transform_sigmas},
  };
  return table;
}

// Whole metrics.

// Double precision: the reference's arrays are.
Tensor tensor_of(const Json& record) {
  if (record.is_number()) return Tensor::full(Shape{1}, number(record), DType::f64);
  const Array a = inline_array(record);
  return Tensor::from(a.values, a.shape);
}

Tensor as_batch(const Json& list, int64_t K, int64_t channels) {
  return to_tensor(
      {channels == 1 ? Shape{1, K} : Shape{1, K, channels}, inline_array(list).values});
}

// The facts of a data set as their own record in the oracle has them.
DatasetMeta meta_of(const File& file, const std::string& dataset) {
  DatasetMeta meta;
  meta.dataset_name = dataset;
  std::ifstream in(file.root / "datasets" / "metainfo" / (dataset + ".json"));
  if (!in.good()) return meta;
  const Json json = Json::parse(in);
  meta.num_keypoints = json.at("num_keypoints").get<int>();
  for (double sigma : numbers(json.at("sigmas"))) meta.sigmas.push_back(float(sigma));
  return meta;
}

// One COCO-style prediction, of one person (top-down) or of a whole image (bottom-up).
DataSample prediction_sample(const Json& record) {
  DataSample sample;
  sample.meta.img_id = record.at("img_id").get<int64_t>();
  Instances& pred = sample.pred_instances;
  if (record.contains("ids")) {
    pred.keypoints = tensor_of(record.at("keypoints"));
    pred.keypoint_scores = tensor_of(record.at("keypoint_scores"));
    return sample;
  }
  sample.meta.id = record.at("id").get<int64_t>();
  sample.meta.category_id = record.value("category_id", 1);
  if (record.contains("crowd_index") && record.at("crowd_index").is_number())
    sample.meta.crowd_index = number(record.at("crowd_index"));
  const auto K = int64_t(record.at("keypoint_scores").size());
  pred.keypoints = as_batch(record.at("keypoints"), K, 2);
  pred.keypoint_scores = as_batch(record.at("keypoint_scores"), K, 1);
  sample.gt_instances.bbox_scores = tensor_of(record.at("bbox_score"));
  sample.gt_instances.more["bbox_scales"] = {as_batch(record.at("bbox_scale"), 2, 1)};
  return sample;
}

// 2-D samples of PCK, AUC, EPE and NME.
void fill_points(const Json& record, DataSample& sample) {
  Instances &gt = sample.gt_instances, &pred = sample.pred_instances;
  gt.keypoints = tensor_of(record.at("gt_keypoints"));
  gt.keypoints_visible = tensor_of(record.at("visible"));
  gt.bboxes = tensor_of(record.at("bboxes"));
  gt.more["head_size"] = {tensor_of(record.at("head_size"))};
  gt.more["box_size"] = {Tensor::full(Shape{1}, 80)};
  pred.keypoints = tensor_of(record.at("pred_keypoints"));
  pred.keypoint_scores = Tensor::full(Shape{1, pred.keypoints.size(1)}, 1);
}

void fill_lists(const Json& record, TensorLists& lists) {
  for (const auto& [key, value] : record.items())
    if (value.is_object() ? value.contains("values") : value.is_array() || value.is_number())
      lists[key] = {tensor_of(value)};
}

DataSample metric_sample(const Json& record) {
  DataSample sample;
  if (record.contains("gt_keypoints")) {
    fill_points(record, sample);
  } else if (record.contains("lifting_target")) {
    sample.gt_instances.more["lifting_target"] = {tensor_of(record.at("lifting_target"))};
    sample.gt_instances.more["lifting_target_visible"] = {tensor_of(record.at("visible"))};
    sample.pred_instances.keypoints = tensor_of(record.at("keypoints"));
    sample.meta.target_img_path = record.at("target_img_path").get<std::string>();
  } else {
    fill_lists(record, sample.meta.more);
    fill_lists(record.at("gt_instances"), sample.gt_instances.more);
    fill_lists(record.at("pred_instances"), sample.pred_instances.more);
    sample.gt_instances.keypoints_visible =
        tensor_of(record.at("gt_instances").at("keypoints_visible"));
    sample.pred_instances.keypoints = tensor_of(record.at("pred_instances").at("keypoints"));
  }
  return sample;
}

// coco_crowdpose -> crowdpose, coco_wholebody -> coco_wholebody, ...
std::string dataset_of(const std::string& stem, const Json& data) {
  if (data.contains("dataset_name")) return data.at("dataset_name").get<std::string>();
  if (stem == "coco_wholebody") return stem;
  if (stem == "coco_bottomup" || stem.rfind("coco_", 0) != 0) return "coco";
  return stem.substr(5);
}

void check_metric_case(const File& file, const Json& data, const Json& record, Case& test) {
  Json config = record.at("metric");
  if (config.contains("ann_file"))
    config["ann_file"] = (file.samples / data.at("ann_file").get<std::string>()).string();
  const auto metric = make_metric(Config::parse(config.dump(), file.name),
                                  meta_of(file, dataset_of(file.stem, data)));
  std::vector<DataSample> samples;
  if (data.contains("predictions"))
    for (const Json& one : data.at("predictions")) samples.push_back(prediction_sample(one));
  else
    for (const Json& one : data.at("samples")) samples.push_back(metric_sample(one));
  metric->process(samples);
  const MetricValues got = metric->compute();
  const Json& expected = record.at("metric_outputs");
  test.expect(got.size() == expected.size(),
              str(got.size(), " numbers, expected ", expected.size()));
  for (const auto& [key, value] : got) {
    test.expect(expected.contains(key), "unexpected key " + key);
    if (expected.contains(key)) expect_near(test, key, value, number(expected.at(key)));
  }
}

}  // namespace

void check_metrics(const File& file, Report& report) {
  for (const Json& record : file.json.at("cases")) {
    Case test(record.at("name").get<std::string>());
    try {
      check_metric_case(file, file.json.at("data").at(0), record, test);
    } catch (const std::exception& error) {
      test.expect(false, error.what());
    }
    report.add(test);
  }
}

void check_metric_functions(const File& file, Report& report) {
  if (file.json.contains("data")) {  // metrics fed with samples, stored among the functions
    check_metrics(file, report);
    return;
  }
  const auto found = checks().find(file.stem);
  if (found == checks().end()) {
    report.skip(file.name, "no such function");
    return;
  }
  for (const Json& record : file.json.at("cases")) {
    Case test(record.at("name").get<std::string>());
    try {
      found->second(test, record.at("inputs"), record.at("outputs"));
    } catch (const std::exception& error) {
      test.expect(false, error.what());
    }
    report.add(test);
  }
}

}  // namespace limber::oracle
