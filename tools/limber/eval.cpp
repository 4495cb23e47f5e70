// limber eval ANNOTATIONS RESULTS: the COCO key-point metrics of a results file, whichever program
// wrote it.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "pose/core/metainfo.h"
#include "pose/metrics/coco_files.h"
#include "tools/limber/commands.h"

namespace limber::tool {
namespace {

struct Arguments {
  std::string annotations, results, metainfo, out, type = "keypoints";
  bool no_area = false;
};

const char* default_metainfo(const std::string& type) {
  if (type == "keypoints_crowd") return "crowdpose";
  return type == "keypoints_wholebody" ? "coco_wholebody" : "coco";
}

void print(const std::string& title, const std::vector<std::pair<std::string, double>>& values) {
  if (!title.empty()) fmt::print("{}\n", title);
  for (const auto& [name, value] : values) fmt::print("  {:<8} {:.4f}\n", name, value);
}

void run(const Arguments& a) {
  const bool whole_body = a.type == "keypoints_wholebody";
  const std::string metainfo = a.metainfo.empty() ? default_metainfo(a.type) : a.metainfo;
  Config from_file = Config::object();
  from_file.set("from_file", Config::value(metainfo));
  const auto meta = resolve_metainfo(from_file, metainfo);
  check_input(int(meta->sigmas.size()) == meta->num_keypoints, metainfo,
              ": the description has no sigmas for its ", meta->num_keypoints, " key points");
  const CocoGroundTruth truth = read_coco_truth(a.annotations, whole_body);
  const std::vector<CocoResult> results = read_coco_results(a.results, whole_body);

  const auto start = std::chrono::steady_clock::now();
  const auto evaluated = [&](int begin, int end) {
    CocoEvalOptions options;
    options.sigmas.assign(meta->sigmas.begin() + begin, meta->sigmas.begin() + end);
    options.use_area = !a.no_area;
    options.crowd = a.type == "keypoints_crowd";
    std::vector<CocoDetection> detections;
    for (const CocoResult& result : results)
      detections.push_back(detection_of(result, begin, end, whole_body));
    return coco_evaluate(truth_of_part(truth, begin, end), detections, options);
  };
  if (whole_body)
    for (const BodyPart& part : kBodyParts) print(part.name, evaluated(part.begin, part.end));
  const auto values = evaluated(0, meta->num_keypoints);
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  print(whole_body ? "whole body" : "", values);
  fmt::print("{} annotations of {} images, {} results, evaluated in {:.3f} s\n",
             truth.annotations.size(), truth.images.size(), results.size(), time.count());
  if (!a.out.empty()) write_whole(a.out, metrics_as_json(values));
}

}  // namespace

void add_eval(CLI::App& app) {
  CLI::App* command = app.add_subcommand("eval", "COCO metrics of a results file");
  const auto a = std::make_shared<Arguments>();
  command->add_option("annotations", a->annotations, "COCO annotations")->required();
  command->add_option("results", a->results, "COCO results: a list of key points and scores")
      ->required();
  command->add_option("--iou-type", a->type, "which evaluation")
      ->check(CLI::IsMember({"keypoints", "keypoints_crowd", "keypoints_wholebody"}))
      ->capture_default_str();
  command->add_option(
      "--metainfo", a->metainfo,
      "data set description with the sigmas: a known name or a file; default: coco, "
      "crowdpose or coco_wholebody");
  command->add_flag("--no-area", a->no_area, "annotations have no area: take 0.53 of their box");
  command->add_option("--out", a->out, "write the metrics to this JSON file");
  command->callback([a] { run(*a); });
}

}  // namespace limber::tool
