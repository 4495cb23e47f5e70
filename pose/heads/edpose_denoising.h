// What lets ED-Pose's queries see each other, and the denoising queries of its training: true boxes
// with noise, from which the decoder must find the true ones again. Li et al. 2022 (DN-DETR), arXiv
// 2203.01305; Yang et al. 2023, arXiv 2302.01593, section 3.4.
#pragma once

#include "pose/heads/edpose_decoder.h"
#include "tensor/random.h"

namespace limber {

// The people of one image, in units of its size.
struct EDPoseTruth {
  Tensor boxes;       // (T, 4), centre and size
  Tensor points;      // (T, K, 2)
  Tensor visible;     // (T, K)
  Tensor areas;       // (T,)
  double aspect = 1;  // the image's width / height
  int64_t people() const { return boxes.size(0); }
};
// From the labels that EDPoseLabel encodes; areas that are missing are those of the boxes.
std::vector<EDPoseTruth> read_edpose_truth(ConstBatch samples, int64_t keypoints, DType dtype);

struct DenoisingOptions {
  int queries = 100;
  double box_noise = 0.4;    // of half the box's size for its centre, of the size for its size
  double label_noise = 0.5;  // how often a label is replaced
  int labels = 100;
};

// N samples of R queries. The true people of an image are repeated in their order; a part of them
// fills the rest.
struct DenoisingQueries {
  Tensor labels;                            // (N, R) i64
  Tensor boxes;                             // (N, R, 4), in units of the image
  std::vector<std::vector<int64_t>> truth;  // [sample][query]; empty for images without people
};
// `person` is a person's label, `nobody` that of queries in an image without people, whose boxes
// are random.
DenoisingQueries make_denoising_queries(std::span<const EDPoseTruth> truth,
                                        const DenoisingOptions& o, int64_t person, int64_t nobody,
                                        Random& random);

// Masks (0 or -infinity) of the self-attention. A query of a key point sees its group alone, the
// box's query sees its group and all boxes. Denoising queries see those of the same repetition and
// all proposals, which see none of them. people: true people per sample, empty without denoising.
EDPoseMasks make_edpose_masks(int64_t proposals, int64_t groups, int64_t keypoints,
                              int64_t denoising, std::span<const int64_t> people, DType dtype);

}  // namespace limber
