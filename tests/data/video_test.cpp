// Videos written and read back; what is said of files that are none.
#include "data/video.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "data/image.h"
#include "tests/support/temp_folder.h"
#include "tests/support/videos.h"

namespace limber {
namespace {

// A soft gradient that moves by `shift` columns: what a video codec keeps well. u8 (H, W, 3).
Tensor picture(int64_t H, int64_t W, int shift) {
  const Tensor image = Tensor::empty({H, W, 3}, DType::u8);
  for (int64_t y = 0; y < H; ++y)
    for (int64_t x = 0; x < W; ++x) {
      uint8_t* p = image.data<uint8_t>() + (y * W + x) * 3;
      p[0] = uint8_t(128 + 60 * std::sin(double(x + shift) / 12));
      p[1] = uint8_t(40 + y);
      p[2] = uint8_t(200 - x);
    }
  return image;
}

double mean_difference(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.numel(); ++i)
    sum += std::abs(int(a.data<uint8_t>()[i]) - int(b.data<uint8_t>()[i]));
  return sum / double(a.numel());
}

std::string error_of(const std::string& path) {
  try {
    VideoReader reader(path);
    while (reader.next()) continue;
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

class Video : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::can_do_videos()) GTEST_SKIP() << "built without FFmpeg's libraries";
  }
  TempFolder folder_;
};

TEST_F(Video, FramesComeBackInOrder) {
  for (const char* name : {"a.mp4", "b.avi", "c.mkv"}) {
    const std::string path = folder_.path(name);
    VideoWriter writer(path, 12.5);
    for (int i = 0; i < 20; ++i) writer.add(picture(64, 96, 4 * i));
    writer.finish();
    VideoReader reader(path);
    EXPECT_NEAR(reader.frame_rate(), 12.5, 0.01) << name;
    int count = 0;
    while (const std::optional<Tensor> frame = reader.next()) {
      ASSERT_EQ(frame->shape(), Shape({64, 96, 3})) << name;
      EXPECT_LT(mean_difference(*frame, picture(64, 96, 4 * count)), 6) << name << " " << count;
      // Its neighbours are further away, so that an exchange would be seen.
      EXPECT_GT(mean_difference(*frame, picture(64, 96, 4 * count + 8)), 6) << name << " " << count;
      ++count;
    }
    EXPECT_EQ(count, 20) << name;
  }
}

TEST_F(Video, OddSidesGrowByAPixel) {
  const std::string path = folder_.path("odd.mp4");
  VideoWriter writer(path, 25);
  writer.add(picture(33, 47, 0));
  writer.finish();
  EXPECT_EQ(VideoReader(path).next()->shape(), Shape({34, 48, 3}));
}

TEST_F(Video, RefusesWhatIsNone) {
  EXPECT_NE(error_of(folder_.path("none.mp4")).find("none.mp4"), std::string::npos);
  EXPECT_NE(error_of(folder_.write("text.mp4", "no video at all")).find("text.mp4"),
            std::string::npos);
  EXPECT_THROW(VideoWriter(folder_.path("missing/x.mp4"), 25).add(picture(16, 16, 0)), InputError);
  VideoWriter writer(folder_.path("size.mp4"), 25);
  writer.add(picture(32, 32, 0));
  EXPECT_THROW(writer.add(picture(16, 16, 0)), Error);
  EXPECT_THROW(VideoWriter(folder_.path("x.mp4"), 0), Error);
}

TEST_F(Video, ACutFileGivesTheFramesBeforeTheCut) {
  const std::string path = folder_.path("whole.mkv");
  VideoWriter writer(path, 25);
  for (int i = 0; i < 30; ++i) writer.add(picture(64, 96, 4 * i));
  writer.finish();
  std::ifstream in(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(in), {});
  bytes.resize(bytes.size() * 2 / 3);
  VideoReader reader(folder_.write("cut.mkv", bytes));
  int count = 0;
  while (reader.next()) ++count;
  EXPECT_GT(count, 0);
  EXPECT_LT(count, 30);
}

TEST(VideoNames, FramesNameTheirVideo) {
  EXPECT_TRUE(is_video("a/Walk.MP4"));
  EXPECT_FALSE(is_video("walk.jpg"));
  EXPECT_EQ(frame_name("a/walk.mp4", 12), "a/walk.mp4#000012");
  EXPECT_EQ(video_of_frame("a/walk.mp4#000012"), "a/walk.mp4");
  EXPECT_EQ(video_of_frame("a#b/walk.jpg"), "");
  EXPECT_EQ(video_of_frame("walk.mp4"), "");
}

}  // namespace
}  // namespace limber
