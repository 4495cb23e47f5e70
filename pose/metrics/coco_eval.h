// The COCO key-point evaluation (cocodataset.org/#keypoints-eval, Lin et al. 2014) and CrowdPose's
// variant of it (Li et al. 2019): OKS matching per image, precision at 101 recalls, averages.
//
// Follows the reference program in what decides ties: detections by score with a stable sort, 20
// per image; an annotation whose id is 0 takes a detection but the detection counts as unmatched.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pose/core/instances.h"

namespace limber {

struct CocoTruthImage {
  int64_t id = -1;
  int width = 0, height = 0;
  double crowd_index = 0;
};

struct CocoGroundTruth {
  std::vector<CocoTruthImage> images;
  std::vector<std::pair<int64_t, std::string>> categories;  // id, name
  std::vector<std::shared_ptr<const RawAnnotation>> annotations;
};

struct CocoDetection {
  int64_t image_id = -1, category_id = 1;
  double score = 0;
  double area = 0;                // of its box; decides whether an unmatched one is in range
  std::vector<double> keypoints;  // (K, 3): x, y, score
};

struct CocoEvalOptions {
  std::vector<double> sigmas;  // K
  bool use_area = true;        // the annotations' area, else 0.53 times the box's
  bool crowd = false;          // CrowdPose's nine numbers instead of COCO's ten
};

// Names and values in the order of the reference: AP, AP .5, AP .75, AP (M), AP (L), AR, ...; with
// `crowd` AP, AP .5, AP .75, AR, AR .5, AR .75, AP(E), AP(M), AP(H). -1 where nothing was to find.
// Throws InputError for detections of unknown images and for annotations without an area where
// the options want one.
std::vector<std::pair<std::string, double>> coco_evaluate(
    const CocoGroundTruth& truth, const std::vector<CocoDetection>& detections,
    const CocoEvalOptions& options);

}  // namespace limber
