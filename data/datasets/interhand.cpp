#include "data/datasets/interhand.h"

#include <algorithm>
#include <filesystem>

#include "data/image.h"
#include "data/json_reader.h"

namespace limber {
namespace {

constexpr size_t kJoints = 42, kRightWrist = 20, kLeftWrist = 41;

struct Camera {
  std::vector<double> position, rotation, focal, center;
};
using Cameras = std::map<std::string, Camera>;  // "capture/camera"

struct Frame {
  std::vector<double> world;  // 42 * 3, millimetres
  std::string hand_type;
};
using Frames = std::map<std::string, Frame>;  // "capture/frame"

// Calls f(key, reader) for each entry of an object of objects, key being "outer/inner".
template <class F>
void for_each_pair(const std::string& path, F f) {
  const std::vector<uint8_t> bytes = read_bytes(path);
  JsonReader r({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, path);
  std::string outer, inner;
  r.begin_object();
  while (r.next_key(outer)) {
    r.begin_object();
    while (r.next_key(inner)) f(outer, inner, r);
  }
  r.finish();
}

Cameras read_cameras(const std::string& path) {
  Cameras cameras;
  for_each_pair(path, [&](const std::string& capture, const std::string& what, JsonReader& r) {
    std::string name;
    r.begin_object();
    while (r.next_key(name)) {
      Camera& camera = cameras[capture + "/" + name];
      std::vector<double> values;
      r.numbers(values);
      if (what == "campos") camera.position = values;
      if (what == "camrot") camera.rotation = values;
      if (what == "focal") camera.focal = values;
      if (what == "princpt") camera.center = values;
    }
  });
  for (const auto& [name, c] : cameras)
    check_input(c.position.size() == 3 && c.rotation.size() == 9 && c.focal.size() == 2 &&
                    c.center.size() == 2,
                path, ": camera ", name, " is not complete");
  return cameras;
}

Frames read_frames(const std::string& path) {
  Frames frames;
  for_each_pair(path, [&](const std::string& capture, const std::string& number, JsonReader& r) {
    Frame& frame = frames[capture + "/" + number];
    std::string key;
    r.begin_object();
    while (r.next_key(key)) {
      if (key == "world_coord")
        r.numbers(frame.world);
      else if (key == "hand_type")
        frame.hand_type = r.string();
      else
        r.skip();
    }
    if (frame.world.size() != 3 * kJoints) r.fail("a frame without 42 joints");
  });
  return frames;
}

std::vector<float> floats(const std::vector<double>& v) { return {v.begin(), v.end()}; }

// World to camera: R (p - position).
std::vector<double> in_camera(const Frame& frame, const Camera& camera) {
  std::vector<double> out(3 * kJoints);
  for (size_t k = 0; k < kJoints; ++k)
    for (size_t i = 0; i < 3; ++i)
      for (size_t j = 0; j < 3; ++j)
        out[3 * k + i] +=
            camera.rotation[3 * i + j] * (frame.world[3 * k + j] - camera.position[j]);
  for (double& v : out) v = float(v);  // the precision of the reference
  return out;
}

void fill_joints(InstanceRecord& r, const Frame& frame, const Camera& camera, bool depth) {
  const std::vector<double> points = in_camera(frame, camera);
  const double wrist[2] = {points[3 * kRightWrist + 2], points[3 * kLeftWrist + 2]};
  for (size_t k = 0; k < kJoints; ++k) {
    const double z = points[3 * k + 2];
    for (size_t d = 0; d < 2; ++d)
      r.keypoints.push_back(
          float(points[3 * k + d] / (z + 1e-8) * camera.focal[d] + camera.center[d]));
    if (depth) r.keypoints.push_back(float(z - wrist[k <= kRightWrist ? 0 : 1]));
  }
  r.more["hand_type"] = {frame.hand_type == "left" ? 0.0f : 1.0f,
                         frame.hand_type == "right" ? 0.0f : 1.0f};
  if (!depth) return;
  r.more["keypoints_cam"] = floats(points);
  r.more["abs_depth"] = {float(wrist[0]), float(wrist[1])};
  r.more["rel_root_depth"] = {float(wrist[1] - wrist[0])};
  r.more["rel_root_valid"] = {r.visible[kRightWrist] * r.visible[kLeftWrist]};
  r.more["focal"] = floats(camera.focal);
  r.more["principal_pt"] = floats(camera.center);
  r.more["rotation"] = {0};
}

InstanceList read_interhand(const ReadContext& context, bool depth) {
  const auto beside = [&](const char* key) {
    const auto name = context.config->get<std::string>(key);
    return (std::filesystem::path(context.data_root) / name).string();
  };
  const Cameras cameras = read_cameras(beside("camera_param_file"));
  const Frames frames = read_frames(beside("joint_file"));
  if (depth) {
    const auto rootnet = context.config->get<std::string>("rootnet_result_file", "");
    if (!context.config->get<bool>("use_gt_root_depth", true) || !rootnet.empty())
      context.config->fail("only use_gt_root_depth true is supported");
  }
  CocoOptions options;
  options.extra_keys = {"joint_valid", "hand_type_valid"};
  options.extra_image_keys = {"capture", "camera", "frame_idx"};
  const CocoFile file = read_coco(context.ann_file, options);
  InstanceList list;
  std::map<int64_t, size_t> places;
  for (size_t i = 0; i < file.images.size(); ++i) {
    const CocoImage& image = file.images[i];
    places[image.id] = i;
    list.images.push_back({image.id,
                           (std::filesystem::path(context.image_folder) / image.file_name).string(),
                           image.width, image.height, 0});
  }
  for (const CocoAnnotation& a : file.annotations) {
    const size_t place = places.at(a.image_id);
    const auto& [capture, camera_name, frame_number] = std::tie(
        file.images[place].extra[0], file.images[place].extra[1], file.images[place].extra[2]);
    const auto camera = cameras.find(capture + "/" + camera_name);
    const auto frame = frames.find(capture + "/" + frame_number);
    check_input(camera != cameras.end() && frame != frames.end(), context.ann_file, ": image ",
                a.image_id, " is of an unknown camera or frame: capture ", capture, ", camera ",
                camera_name, ", frame ", frame_number);
    check_input(a.extra[0].size() == kJoints, context.ann_file, ": annotation ", a.id, " has ",
                a.extra[0].size(), " joint_valid flags, not 42");
    // The box and its clipping are COCO's; key points follow from joints and camera.
    CocoAnnotation boxed = a;
    boxed.has_keypoints = true;
    boxed.keypoints.assign(3 * size_t(context.num_keypoints), 0);
    std::optional<InstanceRecord> r = parse_coco_instance(boxed, file.images[place], context);
    if (!r) continue;
    r->image = place;
    r->area.reset();
    r->keypoints.clear();
    r->num_keypoints = 0;
    for (size_t k = 0; k < kJoints; ++k) {
      const double root = a.extra[0][k <= kRightWrist ? kRightWrist : kLeftWrist];
      r->visible[k] = float(a.extra[0][k] * root);
      r->num_keypoints += r->visible[k] > 0;
    }
    fill_joints(*r, frame->second, camera->second, depth);
    r->more["hand_type_valid"] = floats(a.extra[1]);
    auto raw = std::make_shared<RawAnnotation>();
    raw->id = a.id, raw->image_id = a.image_id, raw->bbox = a.bbox;
    raw->num_keypoints = r->num_keypoints;
    r->raw = std::move(raw);
    list.instances.push_back(std::move(*r));
  }
  return list;
}

}  // namespace

InstanceList read_interhand_2d(const ReadContext& context) {
  return read_interhand(context, false);
}
InstanceList read_interhand_3d(const ReadContext& context) { return read_interhand(context, true); }

}  // namespace limber
