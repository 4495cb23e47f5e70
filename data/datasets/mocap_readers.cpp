// The files of the mocap data sets. Human3.6M: an .npz with imgname, part, S (and center, scale),
// a pickle of cameras. H3WB: an .npz of pickled dicts. UBody: a COCO file with 3-D key points.
#include <algorithm>
#include <filesystem>
#include <functional>

#include "data/coco_json.h"
#include "data/datasets/mocap.h"

#include "data/numpy_file.h"
#include "pose/core/metainfo.h"

namespace limber {
namespace {

using Kind = PickleValue::Kind;

std::string path_of(const Config& config, const std::string& name) {
  const auto root = config.get<std::string>("data_root", "");
  return root.empty() ? name : (std::filesystem::path(root) / name).string();
}

std::string annotation_file(const Config& config) {
  const auto name = config.get<std::string>("ann_file", "");
  check_input(!name.empty(), config.where(), ": no ann_file");
  return path_of(config, name);
}

// Columns [begin, end) of the last dimension of (F, K, C).
Tensor columns(const Tensor& x, int64_t begin, int64_t end) {
  const int64_t width = x.size(-1), rows = x.numel() / std::max<int64_t>(width, 1);
  Tensor out = Tensor::empty(x.shape().with(-1, end - begin));
  for (int64_t r = 0; r < rows; ++r)
    std::copy_n(x.data<float>() + r * width + begin, end - begin,
                out.data<float>() + r * (end - begin));
  return out;
}

Tensor column(const Tensor& x, int64_t at) {
  return columns(x, at, at + 1).alias(x.shape().without(-1));
}

// .../S1_Directions_1.54138969_000001.jpg -> S1, Directions_1, 54138969.
struct TakeName {
  std::string subject, action, camera;
};
TakeName take_name(const std::string& path, const std::string& file) {
  const std::string name = std::filesystem::path(path).filename().string();
  const size_t first = name.find('_'), dot = name.find('.', first == std::string::npos ? 0 : first);
  const size_t last = dot == std::string::npos ? dot : name.find('_', dot);
  check_input(first != std::string::npos && last != std::string::npos, file, ": image \"", path,
              "\" is not named <subject>_<action>.<camera>_<frame>");
  return {name.substr(0, first), name.substr(first + 1, dot - first - 1),
          name.substr(dot + 1, last - dot - 1)};
}

CameraParameters camera_from(const PickleValue& dict, const std::string& file) {
  CameraParameters camera;
  for (const auto& [key, value] : dict.items())
    if (key.is(Kind::string) && !value.is(Kind::string) && !value.is(Kind::none)) {
      Tensor numbers = numbers_of(value, file);
      // Columns (2, 1) as plain lists.
      if (numbers.rank() == 2 && numbers.size(1) == 1) numbers = numbers.alias({numbers.size(0)});
      camera[key.text()] = numbers;
    }
  return camera;
}

// Cameras of the frames' takes out of a pickle of {(subject, camera): {...}}.
void read_cameras(const std::string& file, const std::vector<TakeName>& takes,
                  MocapFrames& frames) {
  std::map<std::pair<std::string, std::string>, int> known;
  const PickleValue tree = read_pickle_file(file);
  check_input(tree.is(Kind::dict), file, ": no dict of cameras");
  for (const auto& [key, value] : tree.items()) {
    check_input(key.is(Kind::tuple) && key.size() == 2 && value.is(Kind::dict), file,
                ": an entry that is not (subject, camera): {...}");
    known[{key.at(size_t(0)).text(), key.at(size_t(1)).text()}] = int(frames.cameras.size());
    frames.cameras.push_back(camera_from(value, file));
  }
  for (const TakeName& take : takes) {
    const auto found = known.find({take.subject, take.camera});
    check_input(found != known.end(), file, ": no camera ", take.camera, " of subject ",
                take.subject);
    frames.camera_of.push_back(found->second);
  }
}

void read_2d_source(const Config& config, MocapFrames& frames) {
  const auto source = config.get<std::string>("keypoint_2d_src", "gt");
  const auto file = config.get<std::string>("keypoint_2d_det_file", "");
  if (source != "gt" && source != "detection" && source != "pipeline")
    config.fail("unknown keypoint_2d_src \"", source, "\"",
                did_you_mean(source, {"gt", "detection", "pipeline"}));
  if (source != "detection") return;
  check_input(!file.empty(), config.where(), ": keypoint_2d_src \"detection\" needs a ",
              "keypoint_2d_det_file");
  const std::string path = path_of(config, file);
  const Tensor points = read_numpy_array(path).numbers();
  check_input(
      points.rank() == 3 && points.size(2) == 3 && points.size(0) == frames.keypoints.size(0), path,
      ": detections ", points.shape(), " for ", frames.keypoints.size(0), " frames");
  frames.keypoints = columns(points, 0, 2);
  frames.visible = column(points, 2);
}

std::shared_ptr<Dataset> read_human36m(const Config& config, const char* metainfo) {
  const std::string file = annotation_file(config);
  const auto arrays = read_numpy_archive(file);
  const auto array = [&](const char* name) {
    const auto found = arrays.find(name);
    check_input(found != arrays.end(), file, ": no array ", name);
    return found->second;
  };
  MocapFrames frames;
  frames.names = array("imgname").texts();
  const int64_t F = int64_t(frames.names.size());
  const auto joints = [&](const char* name, int64_t width) {
    const Tensor t = array(name).numbers();
    check_input(t.rank() == 3 && t.size(0) == F && t.size(2) == width, file, ": array ", name, " ",
                t.shape(), " for ", F, " images");
    return t;
  };
  const Tensor part = joints("part", 3), pose = joints("S", 4);
  frames.keypoints = columns(part, 0, 2);
  frames.visible = column(part, 2);
  frames.keypoints_3d = columns(pose, 0, 3);
  frames.visible_3d = column(pose, 3);
  if (arrays.contains("center")) frames.centers = array("center").numbers();
  if (arrays.contains("scale")) frames.scales = array("scale").numbers();
  std::vector<TakeName> takes;
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<int64_t>> videos;
  for (int64_t i = 0; i < F; ++i) {
    takes.push_back(take_name(frames.names[size_t(i)], file));
    const TakeName& t = takes.back();
    videos[{t.subject, t.action, t.camera}].push_back(i);
  }
  for (auto& [name, list] : videos) frames.videos.push_back(std::move(list));
  if (const auto cameras = config.get<std::string>("camera_param_file", ""); !cameras.empty())
    read_cameras(path_of(config, cameras), takes, frames);
  read_2d_source(config, frames);
  if (const auto factors = config.get<std::string>("factor_file", ""); !factors.empty()) {
    const std::string path = path_of(config, factors);
    frames.factors = read_numpy_array(path).numbers();
    check_input(frames.factors.rank() == 1 && frames.factors.size(0) == F, path, ": factors ",
                frames.factors.shape(), " for ", F, " frames");
  }
  return std::make_shared<MocapDataset>(config, std::move(frames), metainfo);
}

// Rows of an H3WB array (F, ...), or all of a camera's array (1, ...).
Tensor array_in(const PickleValue& dict, const char* name, const std::string& file) {
  return numbers_of(dict.at(name), file);
}

CameraParameters h3wb_camera(const PickleValue& dict, const std::string& file) {
  const Tensor K = array_in(dict, "K", file), R = array_in(dict, "R", file);
  check_input(K.numel() == 9 && R.numel() == 9, file, ": a camera's K ", K.shape(), " and R ",
              R.shape(), ", (1, 3, 3) is wanted");
  const float* k = K.data<float>();
  CameraParameters camera;
  camera["K"] = K.alias({2, 3});
  camera["R"] = R.alias({3, 3});
  camera["T"] = array_in(dict, "T", file).alias({3, 1});
  const Tensor distortion = array_in(dict, "Distortion", file);
  camera["Distortion"] = distortion.alias({distortion.numel()});
  camera["f"] = Tensor::from(std::vector<float>{k[0] * 1000, k[4] * 1000}, {2});
  camera["c"] = Tensor::from(std::vector<float>{k[2] * 1000, k[5] * 1000}, {2});
  camera["w"] = camera["h"] = Tensor::full({}, 1000);  // of Human3.6M's pictures
  return camera;
}

// One take seen by one camera, appended.
void append_take(const PickleValue& take, const PickleValue& view, MocapFrames& frames,
                 std::vector<Tensor>& points, std::vector<Tensor>& poses,
                 const std::function<std::string(int64_t)>& name, const std::string& file) {
  const Tensor ids = array_in(take, "frame_id", file);
  const Tensor p = array_in(view, "pose_2d", file);
  const Tensor q = array_in(view, "camera_3d", file).clone();
  check_input(
      p.rank() == 3 && q.rank() == 3 && p.size(0) == ids.numel() && q.size(0) == ids.numel(), file,
      ": ", ids.numel(), " frames, 2-D ", p.shape(), ", 3-D ", q.shape());
  for (float& v : q.span<float>()) v /= 1000;  // millimetres
  std::vector<int64_t> video;
  for (int64_t i = 0; i < ids.numel(); ++i) {
    video.push_back(int64_t(frames.names.size()));
    frames.names.push_back(name(int64_t(ids.data<float>()[i])));
  }
  frames.videos.push_back(std::move(video));
  points.push_back(p);
  poses.push_back(q);
}

Tensor joined_rows(const std::vector<Tensor>& parts) {
  int64_t rows = 0;
  for (const Tensor& t : parts) rows += t.size(0);
  Tensor out = Tensor::empty(parts[0].shape().with(0, rows));
  float* to = out.data<float>();
  for (const Tensor& t : parts) to = std::copy_n(t.data<float>(), t.numel(), to);
  return out;
}

std::shared_ptr<Dataset> read_h3wb(const Config& config, const char* metainfo) {
  const std::string file = annotation_file(config);
  const auto arrays = read_numpy_archive(file);
  for (const char* name : {"train_data", "metadata", "bbox"})
    check_input(arrays.contains(name), file, ": no array ", name);
  const PickleValue data = arrays.find("train_data")->second.object();
  const PickleValue cameras = arrays.find("metadata")->second.object();
  const PickleValue boxes = arrays.find("bbox")->second.object();
  std::map<std::string, std::vector<float>> box_of;  // "S1/action/camera/frame"
  for (const auto& [key, value] : boxes.items()) {
    check_input(key.is(Kind::tuple) && key.size() == 4, file, ": a box without its frame");
    std::vector<float>& box =
        box_of[str(key.at(size_t(0)).text(), "/", key.at(size_t(1)).text(), "/",
                   key.at(size_t(2)).text(), "/", key.at(size_t(3)).integer())];
    for (const char* side : {"x_min", "y_min", "x_max", "y_max"})
      box.push_back(float(value.at(side).real()));
  }
  const auto root = config.get<std::string>("data_root", "");
  std::vector<std::string> subjects{"S1", "S5", "S6"};
  if (config.get("test_mode", false)) subjects = {"S7"};
  MocapFrames frames;
  std::vector<Tensor> points, poses;
  std::vector<float> all_boxes;
  for (const std::string& subject : subjects) {
    const PickleValue* takes = data.find(subject);
    for (size_t a = 0; takes != nullptr && a < takes->items().size(); ++a) {
      const auto& [action, take] = takes->items()[a];
      for (const char* camera : {"54138969", "55011271", "58860488", "60457274"}) {
        const PickleValue* view = take.find(camera);
        if (view == nullptr) continue;
        const std::string folder = str(subject, "/Images/", action.text(), ".", camera);
        append_take(
            take, *view, frames, points, poses,
            [&](int64_t frame) {
              const auto box =
                  box_of.find(str(subject, "/", action.text(), "/", camera, "/", frame));
              check_input(box != box_of.end(), file, ": no box of ", folder, ", frame ", frame);
              all_boxes.insert(all_boxes.end(), box->second.begin(), box->second.end());
              return str("original/", folder, "/frame_", frame, ".jpg");
            },
            file);
        frames.camera_of.resize(frames.names.size(), int(frames.cameras.size()));
        frames.cameras.push_back(h3wb_camera(cameras.at(subject).at(camera), file));
      }
    }
  }
  check_input(!points.empty(), file, ": nothing of the subjects ", subjects[0], " ...");
  frames.names_from_root = true;
  frames.keypoints = joined_rows(points);
  frames.keypoints_3d = joined_rows(poses);
  frames.visible = Tensor::full(frames.keypoints.shape().without(2), 1);
  frames.visible_3d = frames.visible;
  frames.bboxes = Tensor::from(all_boxes, {int64_t(frames.names.size()), 4});
  return std::make_shared<MocapDataset>(config, std::move(frames), metainfo);
}

// The folder that an image lies in is its video.
std::string video_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().filename().string();
}

std::shared_ptr<Dataset> read_ubody(const Config& config, const char* metainfo) {
  const std::string file = annotation_file(config);
  CocoOptions options;
  options.keypoint_keys = {};
  options.extra_keys = {
      "keypoints",          "keypoints_3d",         "keypoints_valid", "center",        "scale",
      "camera_param/focal", "camera_param/princpt", "camera_param/w",  "camera_param/h"};
  const CocoFile coco = read_coco(file, options);
  std::map<int64_t, const CocoImage*> images;
  for (const CocoImage& image : coco.images) images[image.id] = &image;
  MocapFrames frames;
  std::map<std::string, std::vector<int64_t>> videos;
  std::vector<std::vector<float>> columns_of(6);  // points, poses, valid, centre, scale, box
  constexpr size_t kPoints = 133;
  for (const CocoAnnotation& a : coco.annotations) {
    const auto extra = [&](size_t i, size_t count, double fallback = 0) {
      if (a.extra[i].empty()) return std::vector<double>(count, fallback);
      check_input(a.extra[i].size() == count, file, ": annotation ", a.id, ": ",
                  options.extra_keys[i], " of ", a.extra[i].size(), " numbers, not ", count);
      return a.extra[i];
    };
    const std::string& name = images.at(a.image_id)->file_name;
    videos[video_of(name)].push_back(int64_t(frames.names.size()));
    frames.names.push_back("images/" + name);
    const size_t widths[] = {2 * kPoints, 3 * kPoints, kPoints, 2, 2};
    for (size_t i = 0; i < 5; ++i)
      for (double v : extra(i, widths[i])) columns_of[i].push_back(float(v));
    for (double v : a.bbox) columns_of[5].push_back(float(v));
    CameraParameters camera;
    const auto list = [](const std::vector<double>& v) {
      return Tensor::from(std::vector<float>(v.begin(), v.end()), {int64_t(v.size())});
    };
    camera["f"] = list(extra(5, 2, 1000));
    camera["c"] = list(extra(6, 2, 500));
    camera["w"] = Tensor::full({}, extra(7, 1, 1000)[0]);
    camera["h"] = Tensor::full({}, extra(8, 1, 1000)[0]);
    frames.camera_of.push_back(int(frames.cameras.size()));
    frames.cameras.push_back(std::move(camera));
  }
  check_input(!frames.names.empty(), file, ": no annotations");
  frames.names_from_root = true;
  const int64_t F = int64_t(frames.names.size()), K = int64_t(kPoints);
  frames.keypoints = Tensor::from(columns_of[0], {F, K, 2});
  frames.keypoints_3d = Tensor::from(columns_of[1], {F, K, 3});
  frames.visible = frames.visible_3d = Tensor::from(columns_of[2], {F, K});
  frames.centers = Tensor::from(columns_of[3], {F, 2});
  frames.scales = Tensor::from(columns_of[4], {F, 2});
  frames.bboxes = Tensor::from(columns_of[5], {F, 4});
  for (auto& [name, list] : videos) frames.videos.push_back(std::move(list));
  return std::make_shared<MocapDataset>(config, std::move(frames), metainfo);
}

struct Reader {
  const char *name, *metainfo;
  std::shared_ptr<Dataset> (*read)(const Config&, const char* metainfo);
};

constexpr Reader kReaders[] = {
    {"H36MWholeBodyDataset", "h3wb", read_h3wb},
    {"Human36mDataset", "h36m", read_human36m},
    {"UBody3dDataset", "h3wb", read_ubody},
};

}  // namespace

std::shared_ptr<Dataset> make_mocap_dataset(const Config& config) {
  const std::string type = config.type();
  for (const Reader& reader : kReaders) {
    if (type != reader.name) continue;
    // Of use to one of these data sets only.
    for (const char* key :
         {"camera_param_file", "keypoint_2d_src", "keypoint_2d_det_file", "factor_file"})
      config.find(key);
    return reader.read(config, reader.metainfo);
  }
  return nullptr;
}

std::shared_ptr<const DatasetMeta> mocap_metainfo(const Config& config) {
  const std::string type = config.type();
  const auto reader = std::ranges::find(kReaders, type, &Reader::name);
  if (reader == std::end(kReaders)) return nullptr;
  return resolve_metainfo(config.find("metainfo"), reader->metainfo);
}

const std::vector<std::string>& mocap_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Reader& reader : kReaders) list.emplace_back(reader.name);
    return list;
  }();
  return names;
}

}  // namespace limber
