// NumPy's files, synthetic motion capture, and the sequences that Human36mDataset makes of it.
#include "data/datasets/mocap.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "data/numpy_file.h"
#include "data/synth/mocap.h"
#include "data/synth/motion.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tensors.h"

namespace limber {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(NumpyFile, ReadsWhatItWrites) {
  const TempFolder folder;
  const Tensor numbers = test::uniform({3, 2, 4}, -1, 1, 1);
  {
    NumpyArchiveWriter archive(folder.path("a.npz"));
    archive.add("x", numbers);
    archive.add("names", {"S1_A.c_1.jpg", "S11"});
    archive.finish();
  }
  const auto arrays = read_numpy_archive(folder.path("a.npz"));
  const Tensor back = arrays.at("x").numbers();
  ASSERT_EQ(back.shape(), numbers.shape());
  for (int64_t i = 0; i < back.numel(); ++i)
    EXPECT_EQ(back.data<float>()[i], numbers.data<float>()[i]);
  EXPECT_EQ(arrays.at("names").texts(), (std::vector<std::string>{"S1_A.c_1.jpg", "S11"}));
  EXPECT_THROW(arrays.at("names").numbers(), InputError);
  EXPECT_THROW(arrays.at("x").texts(), InputError);
  EXPECT_THROW(arrays.at("x").object(), InputError);
}

TEST(NumpyFile, ReadsThePicklesItWrites) {
  const TempFolder folder;
  PickleValue entry = PickleValue::dict(), list = PickleValue::list();
  list.push_back(1.5);
  list.push_back(PickleValue(-2));
  entry.set("f", list);
  entry.set("w", PickleValue(1000));
  PickleValue tree = PickleValue::dict();
  tree.set(PickleValue::tuple({"S1", "cam1"}), entry);
  write_pickle_file(folder.path("a.pkl"), tree);
  const PickleValue back = read_pickle_file(folder.path("a.pkl"));
  ASSERT_EQ(back.items().size(), 1u);
  EXPECT_EQ(back.items()[0].first.at(size_t(1)).text(), "cam1");
  const Tensor f = numbers_of(back.items()[0].second.at("f"), "a.pkl");
  EXPECT_EQ(f.data<float>()[0], 1.5f);
  EXPECT_EQ(f.data<float>()[1], -2.0f);
  EXPECT_EQ(numbers_of(back.items()[0].second.at("w"), "a.pkl").item(), 1000);
}

TEST(NumpyFile, DamagedFilesAreRefused) {
  const TempFolder folder;
  {
    NumpyArchiveWriter archive(folder.path("a.npz"));
    archive.add("x", test::uniform({50}, 0, 1, 1));
    archive.finish();
  }
  const std::string whole = bytes_of(folder.path("a.npz"));
  const size_t at = whole.find("\x93NUMPY");
  ASSERT_NE(at, std::string::npos);
  const std::string array = whole.substr(at, 128 + 200);
  EXPECT_NO_THROW(read_numpy_array(folder.write("whole.npy", array)).numbers());
  EXPECT_THROW(read_numpy_array(folder.write("cut.npy", array.substr(0, 300))), InputError);
  EXPECT_THROW(read_numpy_array(folder.write("head.npy", array.substr(0, 40))), InputError);
  EXPECT_THROW(read_numpy_array(folder.write("text.npy", "no array at all")), InputError);
  std::string huge = array;
  huge.replace(huge.find("(50,"), 4, "(99,");
  EXPECT_THROW(read_numpy_array(folder.write("huge.npy", huge)), InputError);
  EXPECT_THROW(read_numpy_archive(folder.write("no.npz", "PK but not really")), InputError);
}

TEST(Motion, BonesKeepTheirLengthAndFeetStayOnTheFloor) {
  Random random(3);
  const synth::Body body = synth::random_body(random);
  const synth::Motion motion(random);
  const auto length = [](synth::Vec3 a, synth::Vec3 b) {
    const synth::Vec3 d = a - b;
    return std::sqrt(d.x * d.x + d.y * d.y + d.z * d.z);
  };
  const std::pair<int, int> bones[] = {{0, 1}, {1, 2}, {2, 3}, {0, 4},   {4, 5},   {5, 6},
                                       {0, 7}, {7, 8}, {8, 9}, {11, 12}, {12, 13}, {14, 15}};
  const synth::Pose3d first = motion.pose(body, 0);
  synth::Pose3d last = first;
  for (int t = 1; t < 50; ++t) {
    const synth::Pose3d pose = motion.pose(body, t / 25.0);
    for (const auto& [a, b] : bones)
      EXPECT_NEAR(length(pose[size_t(a)], pose[size_t(b)]),
                  length(first[size_t(a)], first[size_t(b)]), 1e-9);
    EXPECT_NEAR(std::max(pose[3].y, pose[6].y), 0, 1e-9);
    for (size_t j = 0; j < pose.size(); ++j) EXPECT_LT(length(pose[j], last[j]), 0.5);  // smooth
    last = pose;
  }
  // The left hip lies to the left of who looks along -z: at +x of the right one, heading aside.
  EXPECT_GT(length(first[1], first[4]), 0.2);
}

Config dataset_config(const std::string& folder, const std::string& more) {
  return Config::parse(R"({"type": "Human36mDataset", "data_root": ")" + folder +
                           R"(", "ann_file": "annotations/val.npz",
                              "camera_param_file": "annotations/cameras.pkl", "pipeline": [])" +
                           more + "}",
                       "test");
}

class Mocap : public testing::Test {
 protected:
  void SetUp() override {
    const synth::MocapOptions options{
        .takes = 1, .val_takes = 1, .frames = 10, .cameras = 2, .noise = 0};
    summary_ = synth::write_mocap(folder_.path("a"), options, 7);
  }
  std::shared_ptr<Dataset> read(const std::string& more) const {
    return make_dataset(dataset_config(folder_.path("a"), more));
  }
  std::vector<int64_t> frames(const Dataset& data, int64_t index) const {
    return dynamic_cast<const MocapDataset&>(data).frames_of(index);
  }
  TempFolder folder_;
  synth::MocapSummary summary_;
};

TEST_F(Mocap, IsTheSameForTheSameSeed) {
  const synth::MocapOptions options{
      .takes = 1, .val_takes = 1, .frames = 10, .cameras = 2, .noise = 0};
  synth::write_mocap(folder_.path("b"), options, 7);
  synth::write_mocap(folder_.path("c"), options, 8);
  const auto file = [&](const char* run) {
    return bytes_of(folder_.path(run) + "/annotations/train.npz");
  };
  EXPECT_EQ(file("a"), file("b"));
  EXPECT_NE(file("a"), file("c"));
  EXPECT_EQ(summary_.val_frames, 20);
  EXPECT_GT(summary_.mean_pose_error, 0.05);
  EXPECT_LT(summary_.mean_pose_error, 1);
}

TEST_F(Mocap, KeyPointsAreTheProjectionOfTheTarget) {
  const auto data = read("");
  Random random(0);
  const Sample s = data->raw_sample(3, random);
  const float* p = s.keypoints.data<float>();
  const float* q = s.more.at("lifting_target").at(0).data<float>();
  const float* f = s.more.at("camera_param/f").at(0).data<float>();
  const float* c = s.more.at("camera_param/c").at(0).data<float>();
  for (int k = 0; k < 17; ++k)
    for (int d = 0; d < 2; ++d)
      EXPECT_NEAR(p[2 * k + d], q[3 * k + d] / q[3 * k + 2] * f[d] + c[d], 1e-2);
  EXPECT_EQ(s.more.at("camera_param/w").at(0).item(), 1000);
}

TEST_F(Mocap, PaddedSequencesHaveASampleForEveryFrame) {
  const auto data = read(R"(, "seq_len": 5, "causal": false, "pad_video_seq": true)");
  EXPECT_EQ(data->size(), 20);
  EXPECT_EQ(frames(*data, 0), (std::vector<int64_t>{0, 0, 0, 1, 2}));
  EXPECT_EQ(frames(*data, 5), (std::vector<int64_t>{3, 4, 5, 6, 7}));
  EXPECT_EQ(frames(*data, 9), (std::vector<int64_t>{7, 8, 9, 9, 9}));
  EXPECT_EQ(frames(*data, 10), (std::vector<int64_t>{10, 10, 10, 11, 12}));
  const auto causal = read(R"(, "seq_len": 3, "seq_step": 2, "pad_video_seq": true)");
  EXPECT_EQ(frames(*causal, 1), (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(frames(*causal, 5), (std::vector<int64_t>{1, 3, 5}));
}

TEST_F(Mocap, WholeSequencesOnly) {
  EXPECT_EQ(read(R"(, "seq_len": 4, "seq_step": 2)")->size(), 2 * 4);
  const auto merged = read(R"(, "multiple_target": 4, "multiple_target_step": 3)");
  EXPECT_EQ(merged->size(), 2 * 3);
  EXPECT_EQ(frames(*merged, 1), (std::vector<int64_t>{3, 4, 5, 6}));
  Random random(0);
  EXPECT_EQ(merged->raw_sample(1, random).more.at("lifting_target").at(0).size(0), 4);
  EXPECT_EQ(read(R"(, "subset_frac": 0.5)")->size(), 10);
}

TEST_F(Mocap, BadOptionsAreRefused) {
  for (const char* more : {R"(, "seq_len": 0)", R"(, "seq_len": 11)",
                           R"(, "multiple_target": 4, "seq_step": 2)", R"(, "subset_frac": 0)",
                           R"(, "keypoint_2d_src": "detection")", R"(, "keypoint_2d_src": "guess")",
                           R"(, "factor_file": "none.npy")", R"(, "seq_length": 3)"})
    EXPECT_THROW(read(more), InputError) << more;
}

TEST_F(Mocap, UnlabeledSequencesHaveACameraInsteadOfATarget) {
  const auto data = read(R"(, "seq_len": 3, "causal": false, "unlabeled": true)");
  Random random(0);
  const Sample s = data->raw_sample(0, random);
  EXPECT_FALSE(s.more.contains("lifting_target"));
  const float* camera = s.more.at("intrinsics").at(0).data<float>();
  EXPECT_NEAR(camera[0], 1145.0 / 500, 0.1);
  const Tensor& points = s.more.at("target_2d").at(0);
  ASSERT_EQ(points.shape(), Shape({17, 2}));
  EXPECT_LT(std::abs(points.data<float>()[0]), 1);
}

}  // namespace
}  // namespace limber
