// The table of codecs.
#include "pose/core/factory.h"

#include "pose/codecs/associative_embedding.h"
#include "pose/codecs/codec.h"
#include "pose/codecs/decoupled_heatmap.h"
#include "pose/codecs/edpose_label.h"
#include "pose/codecs/hand_3d_heatmap.h"
#include "pose/codecs/image_pose_lifting.h"
#include "pose/codecs/integral_regression_label.h"
#include "pose/codecs/megvii_heatmap.h"
#include "pose/codecs/motionbert_label.h"
#include "pose/codecs/msra_heatmap.h"
#include "pose/codecs/regression_label.h"
#include "pose/codecs/simcc_3d_label.h"
#include "pose/codecs/simcc_label.h"
#include "pose/codecs/spr.h"
#include "pose/codecs/udp_heatmap.h"
#include "pose/codecs/video_pose_lifting.h"
#include "pose/codecs/yoloxpose_annotation_processor.h"

namespace limber {
namespace {

using Make = std::unique_ptr<Codec> (*)(const Config&);

template <class C>
std::unique_ptr<Codec> make(const Config& config) {
  return std::make_unique<C>(config);
}

constexpr FactoryRow<Make> kCodecs[] = {
    {"AssociativeEmbedding", make<AssociativeEmbedding>},
    {"DecoupledHeatmap", make<DecoupledHeatmap>},
    {"EDPoseLabel", make<EDPoseLabel>},
    {"Hand3DHeatmap", make<Hand3DHeatmap>},
    {"ImagePoseLifting", make<ImagePoseLifting>},
    {"IntegralRegressionLabel", make<IntegralRegressionLabel>},
    {"MegviiHeatmap", make<MegviiHeatmap>},
    {"MotionBERTLabel", make<MotionBERTLabel>},
    {"MSRAHeatmap", make<MSRAHeatmap>},
    {"RegressionLabel", make<RegressionLabel>},
    {"SimCC3DLabel", make<SimCC3DLabel>},
    {"SimCCLabel", make<SimCCLabel>},
    {"SPR", make<SPR>},
    {"UDPHeatmap", make<UDPHeatmap>},
    {"VideoPoseLifting", make<VideoPoseLifting>},
    {"YOLOXPoseAnnotationProcessor", make<YOLOXPoseAnnotationProcessor>},
};

}  // namespace

std::unique_ptr<Codec> make_codec(const Config& config) {
  return make_by_type(kCodecs, config, "codec");
}

}  // namespace limber
