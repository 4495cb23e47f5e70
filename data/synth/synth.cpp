#include "data/synth/synth.h"

#include <fmt/format.h>

#include <atomic>
#include <exception>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "data/image.h"
#include "tensor/op.h"
#include "tensor/write_file.h"

namespace limber::synth {
namespace {

using Json = nlohmann::ordered_json;

const char* const kNames[kJoints] = {
    "nose",           "left_eye",   "right_eye",   "left_ear",   "right_ear",   "left_shoulder",
    "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist", "left_hip",
    "right_hip",      "left_knee",  "right_knee",  "left_ankle", "right_ankle"};

Json category() {
  const std::vector<std::vector<int>> skeleton{
      {16, 14}, {14, 12}, {17, 15}, {15, 13}, {12, 13}, {6, 12}, {7, 13}, {6, 7}, {6, 8}, {7, 9},
      {8, 10},  {9, 11},  {2, 3},   {1, 2},   {1, 3},   {2, 4},  {3, 5},  {4, 6}, {5, 7}};
  return {{"id", 1},
          {"name", "person"},
          {"supercategory", "person"},
          {"keypoints", kNames},
          {"skeleton", skeleton}};
}

Json annotation(const Person& p, int64_t id, int64_t image_id) {
  return {{"id", id},
          {"image_id", image_id},
          {"category_id", 1},
          {"iscrowd", 0},
          {"area", p.area},
          {"bbox", p.bbox},
          {"num_keypoints", p.num_keypoints},
          {"keypoints", p.keypoints}};
}

// body(i) for i in [0, n) on all cores, in any order; the first exception is thrown on.
void for_each_parallel(int64_t n, const std::function<void(int64_t)>& body) {
  std::atomic<int64_t> next{0};
  std::exception_ptr failure;
  std::mutex mutex;
  const auto work = [&] {
    for (int64_t i; (i = next++) < n;) {
      try {
        body(i);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        next = n;
      }
    }
  };
  std::vector<std::thread> threads;
  for (int t = 1; t < limber::threads(); ++t) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace

void write_dataset(const std::string& folder, const std::vector<Split>& splits,
                   const SceneOptions& options, uint64_t seed,
                   const std::function<void(int64_t, int64_t)>& progress) {
  make_folder(folder + "/annotations");
  int64_t all = 0, first_id = 1;
  for (const Split& split : splits) all += split.images;
  std::atomic<int64_t> done{0};
  std::mutex mutex;
  for (const Split& split : splits) {
    make_folder(folder + "/" + split.name);
    const uint64_t split_seed = mix_seed(seed, split.name.c_str());
    std::vector<std::vector<Person>> people(size_t(split.images));
    for_each_parallel(split.images, [&](int64_t i) {
      Scene scene = make_scene(options, mix_seed(split_seed, uint64_t(i)));
      write_image(fmt::format("{}/{}/{:06}.jpg", folder, split.name, i + 1), scene.image, 92);
      people[size_t(i)] = std::move(scene.people);
      const std::lock_guard lock(mutex);
      progress(++done, all);
    });
    Json json{{"info", {{"description", "synthetic figures"}, {"seed", seed}}},
              {"images", Json::array()},
              {"annotations", Json::array()},
              {"categories", Json::array({category()})}};
    int64_t annotation_id = 1;
    for (int64_t i = 0; i < split.images; ++i) {
      json["images"].push_back({{"id", first_id + i},
                                {"file_name", fmt::format("{:06}.jpg", i + 1)},
                                {"width", options.width},
                                {"height", options.height}});
      for (const Person& p : people[size_t(i)])
        json["annotations"].push_back(annotation(p, annotation_id++, first_id + i));
    }
    first_id += split.images;
    write_file_atomically(folder + "/annotations/" + split.name + ".json", json.dump());
  }
}

}  // namespace limber::synth
