// The data sets of COCO's file format and where each of them differs.

#include <algorithm>

#include "data/datasets/coco_style.h"
#include "data/datasets/interhand.h"
#include "data/datasets/mpii.h"

namespace limber {
namespace {

using Record = std::optional<InstanceRecord>;

// Extra keys are asked for by the table below; these are their places.
enum FaceKeys { kCenter, kScale, kBoxSize };

// Faces come as centre and scale, in units of 200 pixels.
Record parse_face(const CocoAnnotation& a, const CocoImage& image, const ReadContext& context) {
  CocoAnnotation boxed = a;
  boxed.has_bbox = true;
  Record r = parse_coco_instance(boxed, image, context);
  if (!r) return r;
  check_input(a.extra[kCenter].size() == 2 && a.extra[kScale].size() == 1, context.ann_file,
              ": annotation ", a.id, " has no center and scale");
  const float size = float(a.extra[kScale][0] * 200);
  r->center = {float(a.extra[kCenter][0]), float(a.extra[kCenter][1])};
  r->scale = {size, size};
  for (size_t d = 0; d < 2; ++d) {
    r->bbox[d] = (*r->center)[d] - size / 2;
    r->bbox[d + 2] = r->bbox[d] + size;
  }
  r->area.reset();
  if (context.test_mode && a.extra.size() > kBoxSize && a.extra[kBoxSize].size() == 1)
    r->more["box_size"] = {float(a.extra[kBoxSize][0])};
  return r;
}

// A box that is the same for all; key points as they are.
template <int Side>
Record parse_whole_frame(const CocoAnnotation& a, const CocoImage& image,
                         const ReadContext& context) {
  CocoAnnotation boxed = a;
  boxed.has_bbox = true;
  Record r = parse_coco_instance(boxed, image, context);
  if (!r) return r;
  r->bbox = {0, 0, Side, Side};
  r->area.reset();
  return r;
}

Record parse_jhmdb(const CocoAnnotation& a, const CocoImage& image, const ReadContext& context) {
  CocoAnnotation moved = a;  // coordinates count from 1
  moved.bbox[0] -= 1, moved.bbox[1] -= 1;
  for (size_t i = 0; i < moved.keypoints.size(); ++i)
    if (i % 3 < 2) moved.keypoints[i] -= 1;
  return parse_coco_instance(moved, image, context);
}

// The labelled frames of videos, with the weights that PoseWarper gives a frame and its neighbours.
// The neighbours themselves are not read: no model here takes several frames of pixels.
Record parse_posetrack_video(const CocoAnnotation& a, const CocoImage& image,
                             const ReadContext& context) {
  const Config& c = *context.config;
  const auto weights = c.get<std::vector<float>>("frame_weights", {0.0f, 1.0f});
  const auto mode = c.get<std::string>("frame_sampler_mode", "random");
  if (mode != "random" && mode != "fixed")
    c.fail("unknown frame_sampler_mode \"", mode, "\"", did_you_mean(mode, {"random", "fixed"}));
  const size_t neighbours = mode == "random"
                                ? size_t(c.get<int64_t>("num_sampled_frame", 1))
                                : c.get<std::vector<int64_t>>("frame_indices", {}).size();
  check_input(weights.size() == neighbours + 1, c.where(), ": ", weights.size(),
              " frame_weights for a frame and ", neighbours, " others");
  for (const char* key : {"num_sampled_frame", "frame_indices", "frame_range", "ph_fill_len"})
    c.find(key).ignore();
  Record r = parse_coco_instance(a, image, context);
  if (r) r->more["frame_weights"] = weights;
  return r;
}

Record parse_panoptic_hand(const CocoAnnotation& a, const CocoImage& image,
                           const ReadContext& context) {
  Record r = parse_coco_instance(a, image, context);
  if (r && a.extra[0].size() == 1) r->more["head_size"] = {float(a.extra[0][0])};
  return r;
}

Record parse_whole_body(const CocoAnnotation& a, const CocoImage& image,
                        const ReadContext& context) {
  Record r = parse_coco_instance(a, image, context);
  if (r)
    for (float& v : r->visible) v = v > 0 ? 1 : 0;
  return r;
}

// One part of a whole body with a box of its own, where it is marked as annotated.
Record parse_part(const CocoAnnotation& a, const CocoImage& image, const ReadContext& context,
                  size_t box, size_t valid) {
  if (a.extra[valid].size() != 1 || a.extra[valid][0] == 0 || a.extra[box].size() != 4)
    return std::nullopt;
  CocoAnnotation part = a;
  std::copy_n(a.extra[box].begin(), 4, part.bbox.begin());
  part.has_bbox = part.has_keypoints = true;
  part.num_keypoints = -1;
  Record r = parse_coco_instance(part, image, context);
  if (r) r->area.reset();
  return r;
}

Record parse_face_part(const CocoAnnotation& a, const CocoImage& image,
                       const ReadContext& context) {
  return parse_part(a, image, context, 0, 1);
}

CocoOptions keypoints_of(std::vector<std::string> keys, std::vector<std::string> extra = {}) {
  CocoOptions options;
  options.keypoint_keys = std::move(keys);
  options.extra_keys = std::move(extra);
  return options;
}

// Every valid hand of a file of whole bodies; left before right of each person.
InstanceList read_whole_body_hands(const ReadContext& context) {
  InstanceList out;
  std::vector<InstanceList> sides;
  for (const char* side : {"left", "right"}) {
    const std::string hand = std::string(side) + "hand";
    const CocoStyle style{"", "", keypoints_of({hand + "_kpts"}, {hand + "_box", hand + "_valid"}),
                          parse_face_part};
    sides.push_back(read_coco_instances(style, context));
  }
  out.images = sides[0].images;
  // Ids are counted anew; the annotations of both sides come in the file's order.
  size_t next[2] = {0, 0};
  const auto key = [&](size_t side) {
    const auto& list = sides[side].instances;
    return next[side] < list.size()
               ? std::pair<size_t, int64_t>{list[next[side]].image, list[next[side]].raw->id}
               : std::pair<size_t, int64_t>{SIZE_MAX, INT64_MAX};
  };
  while (key(0).first != SIZE_MAX || key(1).first != SIZE_MAX) {
    const size_t side = key(0).first < key(1).first      ? 0
                        : key(1).first < key(0).first    ? 1
                        : key(0).second == key(1).second ? 0
                        : sides[0].instances[next[0]].raw->id < sides[1].instances[next[1]].raw->id
                            ? 0
                            : 1;
    out.instances.push_back(sides[side].instances[next[side]++]);
    out.instances.back().id = int64_t(out.instances.size()) - 1;
  }
  return out;
}

// The reference's sample of this set has animals of categories that its file does not list.
CocoOptions any_category() {
  CocoOptions options;
  options.unlisted_categories = true;
  return options;
}

}  // namespace

const std::vector<CocoStyle>& coco_styles() {
  const CocoOptions face = keypoints_of({"keypoints"}, {"center", "scale"});
  const CocoOptions aflw = keypoints_of({"keypoints"}, {"center", "scale", "box_size"});
  const CocoOptions whole_body =
      keypoints_of({"keypoints", "foot_kpts", "face_kpts", "lefthand_kpts", "righthand_kpts"});
  static const std::vector<CocoStyle> table{
      {"AFLWDataset", "aflw", aflw, parse_face},
      {"AP10KDataset", "ap10k"},
      {"ATRWDataset", "atrw"},
      {"AicDataset", "aic"},
      {"AnimalKingdomDataset", "ak", any_category()},
      {"AnimalPoseDataset", "animalpose"},
      {"COFWDataset", "cofw"},
      {"CocoDataset", "coco"},
      {"CocoWholeBodyDataset", "coco_wholebody", whole_body, parse_whole_body},
      {"CocoWholeBodyFaceDataset", "coco_wholebody_face",
       keypoints_of({"face_kpts"}, {"face_box", "face_valid"}), parse_face_part},
      {"CocoWholeBodyHandDataset", "coco_wholebody_hand", {}, nullptr, read_whole_body_hands},
      {"CrowdPoseDataset", "crowdpose"},
      {"DeepFashion2Dataset", "deepfashion2"},
      {"DeepFashionDataset", "deepfashion_full"},
      {"ExlposeDataset", "exlpose"},
      {"Face300VWDataset", "300vw", face, parse_face},
      {"Face300WDataset", "300w", face, parse_face},
      {"Face300WLPDataset", "300wlp"},
      {"FlyDataset", "fly"},
      {"FreiHandDataset", "freihand2d", {}, parse_whole_frame<224>},
      {"HalpeDataset", "halpe"},
      {"Horse10Dataset", "horse10"},
      {"HumanArt21Dataset", "humanart21", keypoints_of({"keypoints_21"})},
      {"HumanArtDataset", "humanart"},
      {"InterHand2DDoubleDataset", "interhand3d", {}, nullptr, read_interhand_2d},
      {"InterHand3DDataset", "interhand3d", {}, nullptr, read_interhand_3d},
      {"JhmdbDataset", "jhmdb", {}, parse_jhmdb},
      {"LapaDataset", "lapa"},
      {"LocustDataset", "locust", {}, parse_whole_frame<160>},
      {"MacaqueDataset", "macaque"},
      {"MhpDataset", "mhp"},
      {"MpiiDataset", "mpii", {}, nullptr, read_mpii},
      {"MpiiTrbDataset", "mpii_trb", face, parse_face, nullptr, true},
      {"OCHumanDataset", "ochuman"},
      {"OneHand10KDataset", "onehand10k"},
      {"PanopticHand2DDataset", "panoptic_hand2d", keypoints_of({"keypoints"}, {"head_size"}),
       parse_panoptic_hand},
      {"PoseTrack18Dataset", "posetrack18"},
      {"PoseTrack18VideoDataset", "posetrack18", {}, parse_posetrack_video},
      {"Rhd2DDataset", "rhd2d"},
      {"UBody2dDataset", "ubody2d", whole_body, parse_whole_body},
      {"WFLWDataset", "wflw", face, parse_face},
      {"ZebraDataset", "zebra", {}, parse_whole_frame<160>},
  };
  return table;
}

}  // namespace limber
