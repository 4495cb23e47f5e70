#include "tools/limber/file_model.h"

#include "pose/core/bbox.h"

namespace limber::tool {

Instances find_keypoints(Session& session, const Tensor& picture, const Tensor& boxes) {
  const int64_t N = boxes.size(0), K = int64_t(session.model().keypoints.size());
  std::vector<uint8_t> rgb(picture.span<uint8_t>().begin(), picture.span<uint8_t>().end());
  for (size_t i = 0; i < rgb.size(); i += 3) std::swap(rgb[i], rgb[i + 2]);
  Instances found;
  found.keypoints = Tensor::empty({N, K, 2});
  found.keypoint_scores = Tensor::empty({N, K});
  const Tensor xywh = xyxy_to_xywh(boxes);
  session.run({rgb.data(), int(picture.size(1)), int(picture.size(0)), 3 * picture.size(1)},
              xywh.data<float>(), N, found.keypoints.data<float>(),
              found.keypoint_scores.data<float>());
  return found;
}

}  // namespace limber::tool
