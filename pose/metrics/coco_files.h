// COCO files on both sides of the evaluation: annotations read, results and annotations written.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pose/metrics/coco_eval.h"

namespace limber {

// The groups of the 133 whole-body points, in their order: body, feet, face, hands.
struct BodyPart {
  const char* name;  // as the evaluation prints it
  const char* key;   // of its points in COCO-WholeBody files
  int begin, end;    // of the 133 points
};
constexpr int kWholeBodyPoints = 133;
constexpr std::array<BodyPart, 5> kBodyParts = {{{"body", "keypoints", 0, 17},
                                                 {"foot", "foot_kpts", 17, 23},
                                                 {"face", "face_kpts", 23, 91},
                                                 {"lefthand", "lefthand_kpts", 91, 112},
                                                 {"righthand", "righthand_kpts", 112, 133}}};

// Reads images, categories and annotations; with `whole_body` an annotation's 133 points are put
// together from its five lists. Throws InputError naming the file.
CocoGroundTruth read_coco_truth(const std::string& file, bool whole_body = false);

// One row of a results file. keypoints: (K, 3).
struct CocoResult {
  int64_t image_id = -1, category_id = 1;
  double score = 0;
  std::vector<double> keypoints;
  std::optional<std::array<double, 4>> bbox;  // x, y, width, height
};

// Reads the list that the COCO server takes. Throws InputError naming file and line.
std::vector<CocoResult> read_coco_results(const std::string& file, bool whole_body = false);

// The area of the box around points (K, 3).
double box_area_of_points(std::span<const double> points);
// Points [begin, end) of a result as the evaluation takes them. The detection's area is that of its
// box where it has one, else that of the box around its points (for whole bodies: the body's).
CocoDetection detection_of(const CocoResult& result, int begin, int end, bool whole_body);
// The annotations with points [begin, end) alone.
CocoGroundTruth truth_of_part(CocoGroundTruth truth, int begin, int end);

// Writes the list that the COCO server takes. The file appears whole or not at all.
void write_coco_results(const std::string& file, const std::vector<CocoResult>& results,
                        bool whole_body = false);
// Writes annotations as a COCO file, crowd indices included.
void write_coco_truth(const std::string& file, const CocoGroundTruth& truth,
                      bool whole_body = false);

// Writes a file atomically, after making the folders on the way.
void write_whole(const std::string& file, const std::string& text);

}  // namespace limber
